"""The checks of ``nat`` fail when they should."""

from pathlib import Path
from struct import pack
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.lab.dhcp_servers import Lease
from pmip_tw.lab.heard import Listener
from pmip_tw.lab.pcapng import Packet
from pmip_tw.lab.report import Check, Result
from pmip_tw.lab.scenarios import nat_wire
from pmip_tw.lab.scenarios.nat_stage import NODE
from pmip_tw.lab.scenarios.secrecy import judge_secrecy
from pmip_tw.lab.sites import HOME as HOME_PREFIX
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.encapsulation import ip_in_ip_header
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.lab.frames import HOME, LMA, MS, echo, heard

NAT = Endpoint(ipv4("198.51.100.21"), 30000)
AT_LMA = Endpoint(LMA, 434)
SERVER = ipv4("192.0.2.67")
LISTENER = Listener(
    access_taps=frozenset(),
    core_taps=frozenset({"mag1-nat"}),
    server_taps=frozenset({"dhcp"}),
    home=HOME_PREFIX,
    nodes=frozenset(),
)
SILENCE = (1_000 * MS, 22_000 * MS)


def only(result: Result) -> Check:
    (check,) = result.checks
    return check


# --- keepalives -----------------------------------------------------------------------------------------


def keepalive(ms: float) -> Packet:
    icmp = pack("!BBHHH", 8, 0, 0, 1, 1)
    inner = Ipv4Packet(source=HOME, destination=LMA, protocol=1, payload=icmp).encode()
    return heard("mag1-nat", ms, udp_packet(NAT, AT_LMA, b"\4\4\0\0" + inner), inbound=False)


def data(ms: float) -> Packet:
    return heard("mag1-nat", ms, udp_packet(NAT, AT_LMA, b"\4\4\0\0" + echo(1)), inbound=False)


def kept(*packets: Packet) -> Result:
    result = Result(scenario="nat")
    nat_wire.judge_keepalives(LISTENER.hear(packets), packets, SILENCE, result)
    return result


def test_a_keepalive_for_each_interval_since_the_last_packet() -> None:
    result = kept(data(900), keepalive(10_900), keepalive(20_910))
    assert only(result).passed
    assert result.measurements["keepalives_per_minute"] == 6.0


@pytest.mark.parametrize(
    "packets",
    [
        (data(900), keepalive(10_900)),
        (data(900), keepalive(5_900), keepalive(10_900), keepalive(20_910)),
        (data(900), keepalive(10_900), data(15_000), keepalive(20_910)),
        (data(900),),
    ],
    ids=["one too few", "one too many", "somebody spoke", "none"],
)
def test_any_other_number_is_noticed(packets: tuple[Packet, ...]) -> None:
    assert not only(kept(*packets)).passed


# --- the relay ------------------------------------------------------------------------------------------

TOLD = {
    1: b"port",
    2: bytes(NODE.mac),
    6: NODE.nai.encode(),
    5: HOME_PREFIX.network.to_bytes(4, "big"),
    11: LMA.to_bytes(4, "big"),
}


def relayed(told: dict[int, bytes], *, source: Endpoint | None = None, ms: float = 1, **more: Any) -> Packet:
    octets = b"".join(bytes((code, len(value))) + value for code, value in told.items())
    message = DhcpMessage(
        op=1, xid=1, chaddr=NODE.mac, **{"giaddr": LMA, **more}, options=((53, b"\1"), (82, octets))
    )
    packet = udp_packet(source or Endpoint(LMA, 67), Endpoint(SERVER, 67), message.encode())
    return heard("dhcp", ms, packet)


def judged(*packets: Packet, agent: dict[str, bytes] | None = None) -> Result:
    result = Result(scenario="nat")
    kept = {"subscriber-id": NODE.nai.encode()} if agent is None else agent
    lease = Lease(address=HOME, mac=NODE.mac, ends=0, agent=kept)
    nat_wire.judge_option_82(LISTENER.hear(packets), lease, result)
    return result


def test_option_82_is_as_configured() -> None:
    assert only(judged(relayed(TOLD), relayed({**TOLD, 10: b"\x80"}))).passed


@pytest.mark.parametrize(
    "told",
    [
        {code: value for code, value in TOLD.items() if code != 5},
        {**TOLD, 7: b"key"},
        {**TOLD, 6: b"mn2@lab.example"},
        {},
    ],
    ids=["one is missing", "one too many", "somebody else", "nothing"],
)
def test_other_sub_options_are_noticed(told: dict[int, bytes]) -> None:
    assert not only(judged(relayed(TOLD), relayed(told))).passed


def test_a_server_that_understood_something_else_is_noticed() -> None:
    assert not only(judged(relayed(TOLD), agent={"subscriber-id": b"mn2@lab.example"})).passed
    assert not only(judged(relayed(TOLD), agent={})).passed
    assert not only(judged()).passed


def relaying(*packets: Packet) -> bool:
    result = Result(scenario="nat")
    nat_wire.judge_relaying(LISTENER.hear(packets), SILENCE, result)
    return only(result).passed


def test_the_lma_relays_and_a_node_speaks_for_itself() -> None:
    own = relayed({}, source=Endpoint(HOME, 68), giaddr=ipv4("0.0.0.0"), ciaddr=HOME)
    assert relaying(relayed(TOLD), own)
    assert not relaying()


def test_any_other_relay_is_noticed() -> None:
    assert not relaying(relayed(TOLD, giaddr=ipv4("192.168.1.10")))
    assert not relaying(relayed(TOLD, source=Endpoint(ipv4("192.168.1.10"), 67)))
    assert not relaying(relayed({}, source=Endpoint(HOME, 68), giaddr=ipv4("0.0.0.0")))
    assert not relaying(relayed(TOLD), relayed(TOLD, ms=5_000))  # a lie that came so far
    stray = udp_packet(Endpoint(ipv4("192.168.1.10"), 67), Endpoint(SERVER, 67), b"")
    assert not relaying(relayed(TOLD), heard("mag1-nat", 3, stray, inbound=False))


# --- what leaves a MAG ----------------------------------------------------------------------------------


def test_ip_in_ip_is_noticed() -> None:
    good, bad = Result(scenario="nat"), Result(scenario="nat")
    nat_wire.judge_encapsulation([data(1)], good)
    wrapped = ip_in_ip_header(NAT.address, LMA, echo(1)) + echo(1)
    nat_wire.judge_encapsulation([data(1), heard("mag1-core", 2, wrapped, inbound=False)], bad)
    assert only(good).passed
    assert not only(bad).passed
    assert "IP-in-IP" in only(bad).detail


@pytest.mark.parametrize("leak", [NODE.key_text, NODE.key_text.encode().hex()])
def test_a_key_in_a_log_is_noticed(tmp_path: Path, leak: str) -> None:
    (tmp_path / "mag1.log").write_text("nothing to see")
    world = cast(Any, SimpleNamespace(directory=tmp_path, subscribers=[NODE]))
    clean, leaking = Result(scenario="nat"), Result(scenario="nat")
    judge_secrecy(world, clean)
    (tmp_path / "lma.log").write_text(f"secret is {leak}!")
    judge_secrecy(world, leaking)
    (tmp_path / "lma.log").unlink()  # tests/leaks.py would notice it, too
    assert only(clean).passed
    assert not only(leaking).passed
