"""A real LMA: MAGs with keys of their own, an operator who revokes, and a stranger who knocks."""

import json
import socket
import subprocess
import time
from pathlib import Path

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.replay import ntp_timestamp
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_fields import BY_FA_HA, BY_IPSEC
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation
from tests.conformance import covers
from tests.services.daemons import BIN, LMA_ADDRESS, running, shell

KEY = SecurityAssociation(0x2000, Secret(b"a key of this MAG"))
KNOWN_MAG = """
[[lma.mags]]
address = "198.51.100.20"
auth = "fa-ha"
spi = 0x2000
key = "text:a key of this MAG"
"""

NODE = "mn7@example.net"


def mag(address: str) -> socket.socket:
    """A MAG's port 434."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.settimeout(20)
    opened.bind((address, 434))
    return opened


def request(address: str, **fields: object) -> RegistrationRequest:
    values = {
        "nai": NODE.encode(),
        "lifetime": 600,
        "home_agent": ipv4(LMA_ADDRESS),
        "care_of_address": ipv4(address),
        "identification": ntp_timestamp(time.time()),
    }
    return RegistrationRequest(**(values | fields))


def pmipctl(config: Path, *arguments: str) -> dict[str, object]:
    command = [str(BIN / "pmipctl"), "--json", "--socket", str(config / "pmip-lma.sock"), *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)


@covers("P11", "P76", "RV21", "RV27", "H4")
@pytest.mark.usefixtures("links")
def test_keys_of_mags_revocation_and_strangers(config: Path) -> None:
    """Registered by FA-HA; revoked by the operator, with FA-HA; a wrong key is told once, and counted by its source."""
    for address in ("198.51.100.20", "203.0.113.66"):
        shell(f"ip addr add {address}/32 dev core")
    file = config / "lma.toml"
    file.write_text(file.read_text() + KNOWN_MAG)
    with running("lma", file), mag("198.51.100.20") as known, mag("203.0.113.66") as stranger:
        asked = request("198.51.100.20", per_node=BY_FA_HA, revocation=RevocationSupport(int(time.time())))
        known.sendto(asked.encode(fa_ha=KEY), (LMA_ADDRESS, 434))
        reply = RegistrationReply.decode(known.recv(2048))
        assert (reply.code, reply.per_node) == (1, BY_FA_HA)
        assert [row["nai"] for row in pmipctl(config, "show", "bindings")["bindings"]] == [NODE]

        ended = pmipctl(config, "revoke", NODE)["revoked"]
        assert (ended["nai"], ended["mag"], ended["revocation"]) == (NODE, "198.51.100.20", True)
        datagram = known.recv(2048)
        revocation = Revocation.decode(datagram)
        assert revocation.home_address == reply.home_address and revocation.fa_ha is not None
        assert KEY.verify(datagram[: revocation.fa_ha.covered], revocation.fa_ha.value)
        assert pmipctl(config, "show", "bindings") == {"bindings": []}
        assert "no binding is of" in pmipctl(config, "revoke", NODE)["error"]

        wrong = SecurityAssociation(4096, Secret(b"not the key of that node"))
        for _ in range(5):
            forged = request("203.0.113.66", nai=b"mn1@example.net").encode(mn_ha=wrong)
            stranger.sendto(forged, (LMA_ADDRESS, 434))
        assert RegistrationReply.decode(stranger.recv(2048)).code == 131
        stranger.settimeout(0.3)
        with pytest.raises(TimeoutError):
            stranger.recv(2048)
        [row] = pmipctl(config, "show", "sources")["sources"]
        assert (row["source"], row["reason"], row["count"]) == ("203.0.113.66", "bad-authenticator", 5)


@covers("P73", "P74")
@pytest.mark.usefixtures("links")
def test_ipsec_is_believed_once_the_kernel_demands_it(config: Path) -> None:
    """Without the policy 149, and the log has the command; with it the kernel drops what comes without ESP."""
    shell("ip addr add 198.51.100.30/32 dev core")
    file = config / "lma.toml"
    file.write_text(file.read_text() + '\n[[lma.mags]]\naddress = "198.51.100.30"\nauth = "ipsec"\n')
    asked = request("198.51.100.30", per_node=BY_IPSEC)
    with running("lma", file) as lma, mag("198.51.100.30") as peer:
        peer.sendto(asked.encode(), (LMA_ADDRESS, 434))
        assert RegistrationReply.decode(peer.recv(2048)).code == 149
        lma.terminate()
        assert lma.stdout is not None
        lma.wait(30)
    policy = f"src 198.51.100.30/32 dst {LMA_ADDRESS}/32 proto udp dport 434 dir in"
    template = f"tmpl src 198.51.100.30 dst {LMA_ADDRESS} proto esp mode transport"
    shell(f"ip xfrm policy add {policy} {template}")
    # Both ends are on this machine, and by default the loopback device asks no policy.
    Path("/proc/sys/net/ipv4/conf/lo/disable_policy").write_text("0")
    with running("lma", file), mag("198.51.100.30") as peer:
        peer.settimeout(0.5)
        peer.sendto(asked.encode(), (LMA_ADDRESS, 434))
        with pytest.raises(TimeoutError):
            peer.recv(2048)
        assert pmipctl(config, "show", "bindings") == {"bindings": []}
