"""What the laboratory's FreeRADIUS does beside MAC authentication, asked by programs that are not ours."""

import hashlib
import hmac
import os
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pmip_tw.addresses import ipv4, mac, mac_text
from pmip_tw.lab.certificates import Authority
from pmip_tw.lab.freeradius import PROGRAM, FreeRadius, Keys, RadiusUser, Tls, attachments, records
from pmip_tw.lab.freeradius.tls import SECRET as RADSEC_SECRET
from pmip_tw.lab.freeradius.wimax_keys import PERL
from pmip_tw.lab.supplicant import ANONYMOUS, Account
from tests.namespaces import private_network
from tests.programs import PATH, require

PORT, ACCOUNTING, RADSEC = 1812, 1813, 2083
SECRET = "testing123"
AUTHORITY = Authority()
PROFILE = (
    "Class = 0x6f6e65",
    "Class += 0x74776f",
    'Filter-Id = "gold"',
    "Session-Timeout = 3600",
    "Idle-Timeout = 600",
    'Chargeable-User-Identity = "cui-1"',
)


def user(number: int, keys: Keys, *attributes: str) -> RadiusUser:
    return RadiusUser(
        mac=mac(f"02:00:00:00:00:0{number}"),
        nai=f"mn{number}@lab.example",
        lma=ipv4("198.51.100.1"),
        spi=4095 + number,
        key_text="0123456789abcdef",
        keys=keys,
        password=f"password-of-{number}",
        attributes=attributes,
    )


GPP2, WIMAX, DERIVED = (
    user(1, Keys.THREEGPP2, *PROFILE),
    user(2, Keys.WIMAX),
    user(3, Keys.DERIVED),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreeRadius]:
    require(PROGRAM, "radclient", "eapol_test")
    made = FreeRadius(
        directory=tmp_path_factory.mktemp("tree") / "freeradius",
        address="127.0.0.1",
        port=PORT,
        secret=SECRET,
        clients="127.0.0.0/8",
        users=[GPP2, WIMAX, DERIVED],
        tls=Tls(authority=AUTHORITY, radsec=RADSEC),
    )
    made.write()
    with private_network():
        with made.debug_log.open("w") as log:
            process = subprocess.Popen(made.argv(), stdout=log, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + 60
            while not made.ready(made.debug_log.read_text()):
                assert process.poll() is None and time.monotonic() < end, made.debug_log.read_text()
                try:
                    process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
            yield made
        finally:
            process.terminate()
            process.wait(10)


def ask(kind: str, *attributes: str, port: int = PORT) -> list[str]:
    """What radclient says of the answer: its first line, and its attributes."""
    done = subprocess.run(
        ["radclient", "-x", "-r", "1", "-t", "5", f"127.0.0.1:{port}", kind, SECRET],
        input=",".join([*attributes, "Message-Authenticator=0x00"] if kind != "acct" else attributes),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": PATH},
    )
    _, _, answer = done.stdout.partition("Received ")
    return [line.strip() for line in answer.splitlines()]


def by_mac(who: RadiusUser) -> list[str]:
    name = who.user_name
    return ask("auth", f"User-Name={name}", f"User-Password={name}", "Service-Type=Call-Check")


def test_a_profile_in_the_attributes_of_3gpp2(server: FreeRadius) -> None:
    answer = by_mac(GPP2)
    assert answer[0].startswith("Access-Accept")
    assert {
        'User-Name = "mn1@lab.example"',
        "3GPP2-Home-Agent-IP-Address = 198.51.100.1",
        "3GPP2-MN-HA-SPI = 4096",
        '3GPP2-MN-HA-Shared-Key = "0123456789abcdef"',
        "Class = 0x6f6e65",
        "Class = 0x74776f",
        'Filter-Id = "gold"',
        "Session-Timeout = 3600",
        "Idle-Timeout = 600",
        "Chargeable-User-Identity = 0x6375692d31",
    } <= set(answer)


def test_a_profile_in_the_attributes_of_the_wimax_forum(server: FreeRadius) -> None:
    answer = by_mac(WIMAX)
    assert {
        "WiMAX-hHA-IP-MIP4 = 198.51.100.1",
        "WiMAX-MN-hHA-MIP4-SPI = 4097",
        f"WiMAX-MN-hHA-MIP4-Key = 0x{b'0123456789abcdef'.hex()}",
    } <= set(answer)


def test_an_lma_is_told_the_key_of_a_nai_and_its_spi(server: FreeRadius) -> None:
    in_3gpp2 = ask("auth", f"User-Name={GPP2.nai}", "3GPP2-MN-HA-SPI=4096")
    assert '3GPP2-MN-HA-Shared-Key = "0123456789abcdef"' in in_3gpp2
    in_wimax = ask("auth", f"User-Name={WIMAX.nai}", "WiMAX-RRQ-MN-HA-SPI=4097")
    assert f"WiMAX-RRQ-MN-HA-Key = 0x{b'0123456789abcdef'.hex()}" in in_wimax
    other_spi = ask("auth", f"User-Name={WIMAX.nai}", "WiMAX-RRQ-MN-HA-SPI=4096")
    assert other_spi[0].startswith("Access-Reject") and not any("Key" in line for line in other_spi)


def test_it_says_that_it_is_there(server: FreeRadius) -> None:
    assert ask("status")[0].startswith("Access-Accept")
    assert ask("status", port=ACCOUNTING)[0].startswith("Accounting-Response")


def test_accounting_records_are_kept_as_they_came(server: FreeRadius) -> None:
    start = ("User-Name=mn1@lab.example", "Acct-Status-Type=Start", "Acct-Session-Id=a1", "Class=0x6f6e65")
    assert ask("acct", *start, "Class=0x74776f", port=ACCOUNTING)[0].startswith("Accounting-Response")
    [record] = [one for one in records(server.detail.read_text()) if one["Acct-Session-Id"] == ("a1",)]
    assert record["Acct-Status-Type"] == ("Start",)
    assert record["Class"] == ("0x6f6e65", "0x74776f")


@pytest.mark.parametrize(("method", "name"), [("ttls", "TTLS"), ("peap", "PEAP"), ("tls", "TLS")])
def test_who_was_proven_by_eap_and_again_by_the_same_session(
    server: FreeRadius, tmp_path: Path, method: str, name: str
) -> None:
    """The identity is the inner one, also when the TLS session is resumed and nothing inside it is said; each time
    there is another key, and an LMA that asks is told the same."""
    account = Account(identity=DERIVED.nai, password=DERIVED.password, authority=AUTHORITY)
    path = tmp_path / "eapol.conf"
    path.write_text(account.configuration(method, tmp_path, "node"))
    before = len(attachments(server.attachments.read_text())) if server.attachments.exists() else 0
    done = subprocess.run(
        ["eapol_test", "-c", str(path), "-r", "1", "-s", SECRET, "-t", "10", "-M", mac_text(DERIVED.mac)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, "PATH": PATH},
    )
    assert done.stdout.endswith("SUCCESS\n"), done.stdout[-2000:]
    found = attachments(server.attachments.read_text())[before:]
    outer = DERIVED.nai if method == "tls" else ANONYMOUS
    assert [(one.nai, one.name, one.method, one.resumed) for one in found] == [
        (DERIVED.nai, outer, name, False),
        (DERIVED.nai, outer, name, True),
    ]
    accepts = re.findall(
        r"Attribute 26 \(Vendor-Specific\) length=13\n +Value: 000060b50b0700([0-9a-f]{8})", done.stdout
    )
    assert len(set(accepts)) == 2
    for spi in accepts:
        answer = ask("auth", f"User-Name={DERIVED.nai}", f"WiMAX-RRQ-MN-HA-SPI={int(spi, 16)}")
        assert answer[0].startswith("Access-Accept") and any("RRQ-MN-HA-Key" in line for line in answer)


def test_derived_keys_are_those_of_the_specification(tmp_path: Path) -> None:
    """Computed with openssl's command line."""
    require("perl")
    script = tmp_path / "wimax_keys.pl"
    script.write_text(PERL)
    emsk = bytes(range(0x40, 0x80)).hex()
    call = (
        f"require '{script}';"
        f"my ($key, $spi, $fa_rk, $fa_rk_spi) = derived(pack('H*', '{emsk}'), 'mn1@example.net', '192.0.2.1');"
        "print join(' ', unpack('H*', $key), $spi, unpack('H*', $fa_rk), $fa_rk_spi)"
    )
    done = subprocess.run(["perl", "-e", call], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "9df4781cb6bbe6b2c9c8d2fe759eb1714b125530",
        "2156386888",
        "329727554b2b47821d15938a4d82662470f28178",
        "2156386887",
    ]


def test_radius_over_tls_for_those_with_a_certificate(server: FreeRadius, tmp_path: Path) -> None:
    context = ssl.create_default_context(cadata=AUTHORITY.certificate.decode())
    certificate, key = AUTHORITY.issue("mag1.lab.example").write(tmp_path, "mag1")
    context.load_cert_chain(certificate, key)
    with (
        socket.create_connection(("127.0.0.1", RADSEC), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="aaa.lab.example") as secure,
    ):
        question = bytes((12, 7, 0, 38)) + os.urandom(16) + bytes((80, 18))
        secure.sendall(question + hmac.digest(RADSEC_SECRET.encode(), question + bytes(16), hashlib.md5))
        assert secure.recv(4096)[:2] == bytes((2, 7))  # Access-Accept
    stranger = ssl.create_default_context(cadata=AUTHORITY.certificate.decode())
    with (
        socket.create_connection(("127.0.0.1", RADSEC), timeout=10) as plain,
        pytest.raises(OSError, match=r"alert|reset|EOF"),
        stranger.wrap_socket(plain, server_hostname="aaa.lab.example") as secure,
    ):
        secure.sendall(question)
        if not secure.recv(4096):
            raise ConnectionResetError("reset")
