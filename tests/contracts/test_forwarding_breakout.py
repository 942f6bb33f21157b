"""Local breakout (N58) of a MAG's plane, on the twin and on real packets: past the tunnel, as far as it is listed.

                      tunnel == 10.9.0.2
10.1.0.2 == [plane] <
                      lan0 --- 192.168.7.20
"""

from collections.abc import Iterator

import attrs
import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4, prefix
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.breakout import BreakoutRules
from pmip_tw.mobility.tunnels import Counters
from pmip_tw.wire.ipv4 import PROTOCOL_UDP, Ipv4Packet
from pmip_tw.wire.udp import UdpDatagram, udp_packet
from tests.conformance import covers

from ..forwarding.namespaces import require_namespaces
from ..forwarding.packets import (
    GATEWAY_MAC,
    HOME,
    NODE_MAC,
    OTHER_HOME,
    OTHER_MAC,
    frame,
    from_node,
    hop,
)
from ..forwarding.worlds import LAN_ADDRESS, PORTS, PRINTER, MemoryAccess, TunAccessWorld, tunnel
from .entries import entry

World = MemoryAccess | TunAccessWorld

LISTED = prefix("192.168.7.0/24")
HOME_PREFIX = prefix("10.1.0.0/24")
RADIUS = ipv4("192.168.7.53")
"""A server that knows this MAG by its address."""


def rules(*more: str, proxy_arp: bool = False) -> BreakoutRules:
    return BreakoutRules(
        proxy_arp=proxy_arp,
        prefixes=(LISTED, *map(prefix, more)),
        home_prefixes=(HOME_PREFIX,),
        trusting=frozenset({RADIUS, ipv4("10.1.0.200")}),
    )


def made(kind: str, breakout: BreakoutRules) -> World:
    if kind == "memory":
        return MemoryAccess(breakout=breakout)
    require_namespaces()
    return TunAccessWorld(breakout=breakout)


@pytest.fixture(params=["memory", "tun"])
def translated(request: pytest.FixtureRequest) -> Iterator[World]:
    """A plane whose nodes leave with the MAG's address."""
    world = made(request.param, rules())
    yield world
    world.close()


@pytest.fixture(params=["memory", "tun"])
def open_to_both(request: pytest.FixtureRequest) -> Iterator[World]:
    """A plane whose nodes leave with their own address, and are found by it."""
    world = made(request.param, rules(proxy_arp=True))
    yield world
    world.close()


def to_printer(text: bytes, source: Ipv4 = HOME, port: int = 4000, to: Ipv4 = PRINTER, **more: int) -> bytes:
    return udp_packet(Endpoint(source, 4000), Endpoint(to, port), text, **more)


def from_printer(text: bytes, to: Ipv4 = HOME, ports: tuple[int, int] = (4000, 4000)) -> bytes:
    return udp_packet(Endpoint(PRINTER, ports[0]), Endpoint(to, ports[1]), text)


def seen(packets: list[bytes]) -> list[tuple[Ipv4, int, bytes]]:
    """Of each UDP datagram what address translation leaves alone: to whom, how many hops left, what it says."""
    decoded = [Ipv4Packet.decode(packet) for packet in packets]
    return [
        (packet.destination, packet.ttl, UdpDatagram.decode(packet).payload)
        for packet in decoded
        if packet.protocol == PROTOCOL_UDP
    ]


def left(world: World) -> list[tuple[Ipv4, int, bytes]]:
    return seen(world.left_locally())


def goes_into_the_tunnel(world: World, packet: bytes, source: bytes = NODE_MAC) -> None:
    before = len(world.tunnelled())
    world.node_sends(PORTS[0], frame(packet, source=source))
    world.until(lambda: len(world.tunnelled()) > before)
    assert world.tunnelled()[-1][1] == hop(packet)
    assert left(world) == []


@covers("N58", "T1")
class TestBreakout:
    def test_a_listed_prefix_is_reached_past_the_tunnel_and_counted_apart(self, translated: World) -> None:
        """One hop older, as by any router. The tunnel's counters are those that the LMA has, too."""
        translated.plane.install(entry())
        packet = to_printer(b"print this")
        translated.node_sends(PORTS[0], frame(packet))
        translated.until(lambda: left(translated) == [(PRINTER, 63, b"print this")])
        assert translated.tunnelled() == []
        moved = translated.plane.counters(entry().key)
        assert moved.local == Counters(packets_up=1, octets_up=len(packet))
        assert (moved.packets_up, moved.octets_up) == (0, 0)
        assert moved.last_heard > 0

    def test_everything_else_goes_into_the_tunnel(self, translated: World) -> None:
        translated.plane.install(entry())
        goes_into_the_tunnel(translated, from_node(b"far away"))
        assert translated.plane.counters(entry().key).packets_up == 1

    def test_from_there_it_reaches_the_node_in_a_frame_of_its_gateway(self, open_to_both: World) -> None:
        open_to_both.plane.install(entry())
        packet = from_printer(b"out of paper")
        open_to_both.local_network_sends(packet)
        expected = (PORTS[0], NODE_MAC + GATEWAY_MAC + b"\x08\x00" + hop(packet))
        open_to_both.until(lambda: open_to_both.transmitted() == [expected])
        moved = open_to_both.plane.counters(entry().key)
        assert moved.local == Counters(packets_down=1, octets_down=len(packet))
        assert moved.packets_down == 0

    @covers("P48")
    def test_a_spoofed_source_does_not_get_out(self, open_to_both: World) -> None:
        """Nor one that another node has."""
        open_to_both.plane.install(entry())
        open_to_both.plane.install(entry(mac=OTHER_MAC, home=OTHER_HOME))
        for source in (OTHER_HOME, PRINTER, ipv4("10.1.0.77")):
            open_to_both.node_sends(PORTS[0], frame(to_printer(b"liar", source=source)))
        open_to_both.until(lambda: open_to_both.plane.drops() == {drops.SPOOFED_SOURCE: 3})
        assert left(open_to_both) == open_to_both.tunnelled() == []

    @covers("P77")
    def test_who_is_not_registered_yet_has_none(self, open_to_both: World) -> None:
        """In neither direction; it is handed up as always."""
        open_to_both.plane.install(entry(upstream=False))
        open_to_both.node_sends(PORTS[0], frame(to_printer(b"too early")))
        open_to_both.until(lambda: len(open_to_both.receiver.frames) == 1)
        open_to_both.local_network_sends(from_printer(b"anybody"))
        open_to_both.plane.install(entry())
        open_to_both.local_network_sends(from_printer(b"now"))
        open_to_both.until(lambda: len(open_to_both.transmitted()) == 1)
        assert open_to_both.transmitted()[0][1].endswith(b"now")
        assert left(open_to_both) == open_to_both.tunnelled() == []

    def test_who_has_left_is_reached_no_more(self, open_to_both: World) -> None:
        open_to_both.plane.install(entry())
        open_to_both.plane.install(entry(mac=OTHER_MAC, home=OTHER_HOME))
        assert open_to_both.plane.remove(entry().key).local == Counters()
        open_to_both.local_network_sends(from_printer(b"to who has left"))
        open_to_both.local_network_sends(from_printer(b"to who is here", OTHER_HOME))
        open_to_both.until(lambda: len(open_to_both.transmitted()) == 1)
        assert open_to_both.transmitted()[0][1][:6] == OTHER_MAC

    def test_a_renewal_changes_nothing_and_another_address_everything(self, open_to_both: World) -> None:
        open_to_both.plane.install(entry())
        open_to_both.plane.install(entry(way=tunnel(1)))
        open_to_both.local_network_sends(from_printer(b"after the renewal"))
        open_to_both.until(lambda: len(open_to_both.transmitted()) == 1)
        open_to_both.plane.install(entry(home=OTHER_HOME))
        open_to_both.local_network_sends(from_printer(b"to the former address"))
        open_to_both.local_network_sends(from_printer(b"to the new one", OTHER_HOME))
        open_to_both.until(lambda: len(open_to_both.transmitted()) == 2)
        assert open_to_both.transmitted()[1][1].endswith(b"to the new one")
        local = open_to_both.plane.counters(entry().key).local
        assert local is not None
        assert local.packets_down == 2
        assert open_to_both.receiver.without_breakout == []

    @covers("P45")
    def test_of_two_with_one_address_the_first_has_it(self, open_to_both: World) -> None:
        """They are told apart by their tunnels, which there are none of here."""
        second = entry(port=PORTS[0], mac=OTHER_MAC, way=tunnel(1))
        open_to_both.plane.install(entry())
        open_to_both.plane.install(second)
        ((key, cause),) = open_to_both.receiver.without_breakout
        assert key == second.key
        assert "02:00:00:00:00:01 on acc0 has that address too" in cause
        goes_into_the_tunnel(open_to_both, to_printer(b"from the second"), source=OTHER_MAC)
        open_to_both.local_network_sends(from_printer(b"to the first"))
        open_to_both.until(lambda: len(open_to_both.transmitted()) == 1)
        assert open_to_both.transmitted()[0][1][:6] == NODE_MAC
        open_to_both.plane.install(second)
        assert len(open_to_both.receiver.without_breakout) == 1, "it is told once"
        open_to_both.plane.remove(second.key)
        open_to_both.node_sends(PORTS[0], frame(to_printer(b"the first still has it")))
        open_to_both.until(lambda: left(open_to_both) == [(PRINTER, 63, b"the first still has it")])

    @covers("P45")
    def test_the_second_has_it_when_it_is_registered_anew_after_the_first_has_left(
        self, open_to_both: World
    ) -> None:
        """Not at once: what answers the first would reach it."""
        second = entry(mac=OTHER_MAC, way=tunnel(1))
        open_to_both.plane.install(entry())
        open_to_both.plane.install(second)
        open_to_both.plane.remove(entry().key)
        goes_into_the_tunnel(open_to_both, to_printer(b"not yet"), source=OTHER_MAC)
        open_to_both.plane.install(second)
        open_to_both.node_sends(PORTS[0], frame(to_printer(b"now"), source=OTHER_MAC))
        open_to_both.until(lambda: left(open_to_both) == [(PRINTER, 63, b"now")])

    @pytest.mark.parametrize(
        ("home", "cause"),
        [
            (ipv4("10.2.0.5"), r"10.2.0.5: it is in none of [[mag.home_prefixes]]"),
            (ipv4("192.168.7.30"), r"192.168.7.30: it is in none of [[mag.home_prefixes]]"),
            (ipv4("10.1.0.200"), r"10.1.0.200: it is an address of the local network"),
        ],
    )
    def test_an_address_that_nobody_has_planned_for_has_none(
        self, open_to_both: World, home: Ipv4, cause: str
    ) -> None:
        """An LMA must not make this machine's routes lead to a node instead of its neighbors."""
        open_to_both.plane.install(entry(home=home))
        assert [said for _, said in open_to_both.receiver.without_breakout] == [f"break out {cause}"]
        goes_into_the_tunnel(open_to_both, to_printer(b"hi", source=home))

    @pytest.mark.parametrize(
        "to", [RADIUS, ipv4("192.168.7.99")], ids=["a server", "the far end of a tunnel"]
    )
    def test_who_takes_our_address_for_us_is_reached_through_the_tunnel(
        self, translated: World, to: Ipv4
    ) -> None:
        """A node could speak in this MAG's name there."""
        translated.plane.install(entry())
        far = attrs.evolve(tunnel(over_udp=True), remote=ipv4("192.168.7.99"))
        translated.plane.install(entry(mac=OTHER_MAC, home=OTHER_HOME, way=far))
        goes_into_the_tunnel(translated, to_printer(b"Access-Request", to=to))

    def test_when_the_last_tunnel_has_gone_its_far_end_is_like_any_other(self, translated: World) -> None:
        """Who renews has it still."""
        far = attrs.evolve(tunnel(over_udp=True), remote=PRINTER)
        translated.plane.install(entry())
        for _ in range(2):
            translated.plane.install(entry(mac=OTHER_MAC, home=OTHER_HOME, way=far))
        goes_into_the_tunnel(translated, to_printer(b"to the LMA"))
        translated.plane.remove(entry(mac=OTHER_MAC).key)
        translated.node_sends(PORTS[0], frame(to_printer(b"to the printer")))
        translated.until(lambda: left(translated) == [(PRINTER, 63, b"to the printer")])

    @covers("P82")
    def test_so_is_the_mag_itself_whatever_its_address_is(self, translated: World) -> None:
        translated.plane.install(entry())
        translated.use_address(LAN_ADDRESS)
        goes_into_the_tunnel(translated, to_printer(b"are you my gateway?", to=LAN_ADDRESS))

    @pytest.mark.parametrize("kind", ["memory", "tun"])
    def test_unless_it_is_listed_by_itself(self, kind: str) -> None:
        world = made(kind, rules("192.168.7.1/32"))
        try:
            world.plane.install(entry())
            world.use_address(LAN_ADDRESS)
            world.node_sends(PORTS[0], frame(to_printer(b"are you my gateway?", to=LAN_ADDRESS)))
            world.until(lambda: world.plane.counters(entry().key).last_heard > 0)
            assert world.plane.counters(entry().key).local == Counters(packets_up=1, octets_up=47)
            assert world.tunnelled() == []
        finally:
            world.close()

    @covers("P65")
    def test_dhcp_stays_in_the_tunnel(self, translated: World) -> None:
        """With the MAG's address a client could pass for its relay; and a lease is the session's."""
        translated.plane.install(entry(shows_dhcp=True))
        goes_into_the_tunnel(translated, to_printer(b"renew", port=67))
        assert len(translated.receiver.dhcp) == 1

    def test_no_dhcp_from_there(self, open_to_both: World) -> None:
        open_to_both.plane.install(entry())
        open_to_both.local_network_sends(from_printer(b"a lease of mine", ports=(67, 68)))
        open_to_both.until(lambda: open_to_both.plane.drops() == {drops.LOCAL_DHCP: 1})
        assert open_to_both.transmitted() == []

    def test_the_last_hop_is_told_by_the_agent(self, translated: World) -> None:
        translated.plane.install(entry())
        translated.node_sends(PORTS[0], frame(to_printer(b"traceroute", ttl=1)))
        translated.until(lambda: len(translated.receiver.frames) == 1)
        assert left(translated) == translated.tunnelled() == []

    @covers("P46")
    def test_nodes_reach_each_other_through_the_lma(self, open_to_both: World) -> None:
        open_to_both.plane.install(entry())
        open_to_both.plane.install(entry(mac=OTHER_MAC, home=OTHER_HOME))
        goes_into_the_tunnel(open_to_both, to_printer(b"hello neighbor", to=OTHER_HOME))
