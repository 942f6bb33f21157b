"""DHCP of an LMA's nodes where its packet plane is: what is open for whom, and what is said of it (N52)."""

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.agents.dhcp_edge import DhcpEdge
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.mobility.effects import Send
from pmip_tw.mobility.tunnels import Tunnel
from pmip_tw.testing.clock import FakeClock
from tests.lma.anchor import LMA, MAG1
from tests.lma.dhcp_anchor import DIRECT, station

ANSWER = Send(b"granted", Endpoint(MAG1, 434), LMA)
NOT_OURS = Tunnel(local=ipv4("192.0.2.99"), remote=MAG1)


def edge() -> tuple[DhcpEdge, list[bytes]]:
    clock = FakeClock()
    said: list[bytes] = []
    plane = MemoryPlane(monotonic=lambda: clock.monotonic, local=LMA)
    return DhcpEdge(plane, {}, {}, lambda payload, to, source: said.append(payload)), said


def test_what_could_not_be_opened_is_not_granted() -> None:
    """Its MAG asks again; what is opened for one client says nothing of another, or of another worker's."""
    one, said = edge()
    for tunnel, mac in ((NOT_OURS, station(1)), (NOT_OURS, None), (DIRECT, station(1)), (DIRECT, None)):
        one.expect(1, tunnel, mac)
    one.grant(1, NOT_OURS, station(1), ANSWER)
    one.grant(1, NOT_OURS, None, ANSWER)
    one.grant(1, DIRECT, station(2), ANSWER)
    one.grant(0, DIRECT, station(1), ANSWER)
    one.grant(0, DIRECT, None, ANSWER)
    assert said == []
    one.grant(1, DIRECT, station(1), ANSWER)
    one.grant(1, DIRECT, None, ANSWER)
    assert said == [b"granted"] * 2


def test_what_is_over_is_not_granted() -> None:
    one, said = edge()
    one.expect(0, DIRECT, station(1))
    one.forget(0, DIRECT, station(1))
    one.grant(0, DIRECT, station(1), ANSWER)
    one.expect(1, DIRECT, station(1))
    one.lose(1)
    one.grant(1, DIRECT, station(1), ANSWER)
    assert said == []
