"""Nodes of an LMA's packet plane that are silent cost next to nothing, and miss nothing."""

from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.forwarding.anchor_session import AnchorSession
from pmip_tw.forwarding.paths import TunnelPaths, Way
from pmip_tw.forwarding.residents import Residents
from pmip_tw.forwarding.session import octets
from pmip_tw.mobility.tunnels import AnchorEntry, Tunnel

LMA, MAG, OTHER_MAG = ipv4("192.0.2.1"), ipv4("198.51.100.1"), ipv4("198.51.100.2")
HOME = ipv4("10.1.0.2")


class Place:
    """Residents of one address space, and the ways to two MAGs."""

    def __init__(self) -> None:
        self.residents = Residents("blue", LMA, lambda packet: True, lambda home: Ipv4(home & -256 | 1))
        self.paths = TunnelPaths(lambda tunnel: lambda packet: True, lambda tunnel: 1500)

    def way(self, mag: Ipv4) -> Way:
        return self.paths.acquire(Tunnel(local=LMA, remote=mag))

    def put(self, mag: Ipv4) -> Way:
        way = self.way(mag)
        entry = AnchorEntry(home_address=HOME, tunnel=way.tunnel, domain="blue")
        self.residents.put(entry, (way,))
        return way


def test_until_its_first_packet_a_node_is_but_its_way() -> None:
    place = Place()
    way = place.put(MAG)
    assert place.residents.peek(HOME) is way
    assert [*place.residents.entries()] == [AnchorEntry(home_address=HOME, tunnel=way.tunnel, domain="blue")]
    session = place.residents.get(octets(HOME))
    assert session is not None and session is place.residents.peek(HOME)
    assert (session.entry, session.way, session.home) == (
        AnchorEntry(home_address=HOME, tunnel=way.tunnel, domain="blue"),
        way,
        octets(HOME),
    )
    assert session.ours == {octets(LMA), octets(ipv4("10.1.0.1"))}
    assert session.ends == {octets(LMA), octets(MAG)}


def test_a_packet_out_of_a_wrong_tunnel_wakes_nobody() -> None:
    place = Place()
    way = place.put(MAG)
    assert place.residents.coming(octets(HOME), place.way(OTHER_MAG).ends) is None
    assert place.residents.peek(HOME) is way
    assert isinstance(place.residents.coming(octets(HOME), way.ends), AnchorSession)


def test_a_silent_node_that_moves_stays_silent_and_another_goes_on_counting() -> None:
    place = Place()
    place.put(MAG)
    way = place.put(OTHER_MAG)
    assert place.residents.peek(HOME) is way
    session = place.residents.get(octets(HOME))
    assert session is not None
    session.packets_up = 3
    way = place.put(MAG)
    moved = place.residents.peek(HOME)
    assert isinstance(moved, AnchorSession) and moved is not session
    assert (moved.packets_up, moved.way) == (3, way)
