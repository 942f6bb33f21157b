"""What a request carries by configuration: its bits, encapsulations, keys, identifiers (P5, P8, P9, P12, T5)."""

import pytest

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4, ipv4, mac
from pmip_tw.mag.effects import Transmit
from pmip_tw.mag.registration.protection import LmaAssociation
from pmip_tw.mobility.effects import Install
from pmip_tw.mobility.tunnels import Encapsulation, Tunnel
from pmip_tw.wire.arp import REPLY, Arp
from pmip_tw.wire.dhcp import MessageType, OptionCode
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, EthernetFrame
from pmip_tw.wire.extensions import GRE_KEY, UDP_TUNNEL_REQUEST
from pmip_tw.wire.host_configuration import HostConfiguration, Item, wanted_items
from pmip_tw.wire.registration import BROADCASTS, COLOCATED, GRE, MINIMAL, REVERSE_TUNNEL, SIMULTANEOUS
from tests.agents.world import GATEWAY, HOME, LMA, Station, association
from tests.conformance import covers
from tests.mag.bench import ADDRESS, MAG, Bench, note, only, reply, requests, told

STATION = Station(1)
SHARED = association(9)
BOTH = (LmaAssociation(address=LMA, fa_ha=SHARED),)
GRE_OF_AGENT: dict[str, object] = {
    "associations": BOTH,
    "colocated": False,
    "encapsulation": Encapsulation.GRE,
}


@covers("P8", "P9")
@pytest.mark.parametrize(
    ("settings", "flags"),
    [
        ({}, COLOCATED | REVERSE_TUNNEL),
        ({"colocated": False}, REVERSE_TUNNEL),
        ({"encapsulation": Encapsulation.GRE}, COLOCATED | REVERSE_TUNNEL | GRE),
        ({"encapsulation": Encapsulation.MINIMAL}, COLOCATED | REVERSE_TUNNEL | MINIMAL),
        ({"tunnel_broadcast": True}, COLOCATED | REVERSE_TUNNEL | BROADCASTS),
    ],
)
def test_bits(settings: dict[str, object], flags: int) -> None:
    request = Bench(**settings).begin()
    assert request.flags == flags
    assert not request.flags & SIMULTANEOUS


@covers("P4", "P1")
def test_the_care_of_address_is_ours_and_a_node_hears_of_no_agent() -> None:
    bench = Bench()
    assert bench.begin().care_of_address == MAG
    assert only(Transmit, bench.effects) == []


@covers("P5", "DY1", "DY3")
@pytest.mark.parametrize("value", [UNSPECIFIED, ALL_ONES])
def test_an_unknown_home_address(value: int) -> None:
    bench = Bench(unknown_home_address=value)
    request = bench.begin()
    assert request.home_address == value
    bench.arrive(reply(request))
    assert bench.renew().home_address == ADDRESS  # P6


@covers("P12")
def test_identifiers_are_sent_only_if_wished_for() -> None:
    assert Bench().begin().identifiers == ()
    octets = bytes(STATION.mac)
    assert Bench(send_identifiers=True).begin().identifiers == ((1, octets), (2, b"\1" + octets))


class TestGreKeys:
    """T5, P50: the key asked for is on downstream packets, the one in the reply on upstream ones."""

    @covers("T5", "N4")
    @pytest.mark.parametrize(
        ("settings", "has_key"),
        [
            (GRE_OF_AGENT | {"gre_key": "lma"}, True),
            (GRE_OF_AGENT | {"gre_key": "lma", "associations": ()}, False),  # nothing would protect it
            ({"encapsulation": Encapsulation.GRE, "gre_key": "lma"}, False),  # RFC 6245: D = 0
            ({"encapsulation": Encapsulation.GRE, "gre_key": "lma", "gre_key_with_d": True}, True),
            ({"encapsulation": Encapsulation.MINIMAL, "gre_key": "lma", "gre_key_with_d": True}, False),
        ],
    )
    def test_who_asks_for_one(self, settings: dict[str, object], has_key: bool) -> None:
        request = Bench(**settings).begin()
        assert request.gre_key == (0 if has_key else None)
        if has_key and "associations" in settings:
            assert {GRE_KEY, UDP_TUNNEL_REQUEST} <= request.agent_part

    @covers("T5", "P50")
    def test_one_that_the_lma_assigns_serves_both_directions(self) -> None:
        bench = Bench(encapsulation=Encapsulation.GRE, gre_key="lma", gre_key_with_d=True)
        bench.arrive(reply(bench.begin(), gre_key=77))
        expected = Tunnel(local=MAG, remote=LMA, encapsulation=Encapsulation.GRE, key_in=77, key_out=77)
        assert bench.visitor.tunnel == expected
        renewal = bench.renew()
        assert renewal.gre_key == 77
        bench.arrive(reply(renewal, gre_key=77))
        assert bench.visitor.tunnel == expected

    @covers("T5", "P77")
    def test_our_own_is_expected_before_the_reply(self) -> None:
        bench = Bench(encapsulation=Encapsulation.GRE, gre_key="own", gre_key_with_d=True)
        bench.random = b"\7"
        request = bench.begin(STATION.data(ADDRESS))
        [provisional] = only(Install, bench.effects)
        assert request.gre_key == provisional.entry.tunnel.key_in == 0x07070707
        bench.arrive(reply(request, gre_key=5))
        tunnel = bench.visitor.tunnel
        assert tunnel is not None and (tunnel.key_in, tunnel.key_out) == (0x07070707, 5)

    @covers("T5")
    def test_a_deregistration_names_it_too(self) -> None:
        bench = Bench(encapsulation=Encapsulation.GRE, gre_key="lma", gre_key_with_d=True)
        bench.arrive(reply(bench.begin(), gre_key=77))
        [end] = requests(bench.take(bench.engine.detach(STATION.nai, bench.now)))
        assert (end.lifetime, end.gre_key) == (0, 77)

    @covers("T5")
    def test_an_lma_without_keys_gives_a_tunnel_without(self) -> None:
        bench = Bench(encapsulation=Encapsulation.GRE, gre_key="lma", gre_key_with_d=True)
        bench.arrive(reply(bench.begin()))
        assert bench.visitor.tunnel == Tunnel(local=MAG, remote=LMA, encapsulation=Encapsulation.GRE)


class TestHostConfiguration:
    """P70: the LMA's word, then the configuration, then what is usual."""

    ELSEWHERE = ipv4("10.20.5.9")

    def offer(self, bench: Bench, *told_by_lma: bytes) -> dict[int, bytes]:
        effects = bench.arrive(reply(bench.begin(), home=self.ELSEWHERE, unknown=told_by_lma))
        [offer] = told(effects)
        assert offer.message_type is MessageType.OFFER
        return dict(offer.options)

    @covers("P70", "D25")
    def test_what_the_lma_tells_is_what_dhcp_tells(self) -> None:
        bench = Bench(host_configuration=True)
        gateway, server = ipv4("10.20.4.1"), ipv4("10.20.4.53")
        configuration = HostConfiguration(prefix_length=22, gateway=gateway, name_servers=(server,))
        options = self.offer(bench, *configuration.encode(frozenset({Item.REQUEST})))
        assert options[OptionCode.SUBNET_MASK] == b"\xff\xff\xfc\0"
        assert options[OptionCode.ROUTERS] == gateway.to_bytes(4, "big")
        assert options[OptionCode.DNS_SERVERS] == server.to_bytes(4, "big")
        assert bench.engine.gateway_for(self.ELSEWHERE) == gateway
        assert bench.engine.gateway_for(ADDRESS) == GATEWAY

    @covers("P70")
    @pytest.mark.parametrize("gateway", ["10.99.0.1", "10.20.5.0", "10.20.5.9"])
    def test_a_gateway_that_cannot_be_one_is_not_believed(self, gateway: str) -> None:
        bench = Bench(host_configuration=True)
        configuration = HostConfiguration(prefix_length=24, gateway=ipv4(gateway))
        options = self.offer(bench, *configuration.encode(frozenset({Item.REQUEST})))
        assert options[OptionCode.ROUTERS] == ipv4("10.20.5.1").to_bytes(4, "big")

    @covers("P70")
    def test_it_is_asked_for_and_listened_to_only_if_wished_for(self) -> None:
        assert wanted_items(Bench(host_configuration=True).begin().unknown)
        bench = Bench()
        assert bench.begin().unknown == ()
        told_by_lma = HostConfiguration(prefix_length=22).encode(frozenset({Item.REQUEST}))
        bench = Bench()
        options = self.offer(bench, *told_by_lma)
        assert options[OptionCode.SUBNET_MASK] == b"\xff\xff\xff\0"


@covers("P68")
def test_broadcasts_are_carried_only_if_wished_for() -> None:
    for wished, prefix in ((True, HOME), (False, None)):
        bench = Bench(tunnel_broadcast=wished)
        effects = bench.arrive(reply(bench.begin()))
        [install] = only(Install, effects)
        assert (install.entry.broadcasts, install.entry.prefix) == (wished, prefix)  # type: ignore[union-attr]


class TestGatewayAnnouncement:
    """P57: a node that brought its ARP cache along learns the gateway's MAC if that is not the common one."""

    OWN = mac("02:00:00:aa:bb:cc")

    def announced(self, bench: Bench, frame: bytes) -> list[Arp]:
        effects = bench.arrive(reply(bench.begin(frame)))
        frames = [EthernetFrame.decode(sent.frame) for sent in only(Transmit, effects)]
        announcements = [sent for sent in frames if sent.ethertype == ETHERTYPE_ARP]
        assert {sent.destination for sent in announcements} <= {STATION.mac}
        return [Arp.decode(sent.payload) for sent in announcements]

    @covers("P57")
    def test_by_unicast_after_a_handover(self) -> None:
        frame = bytearray(STATION.arp(ADDRESS, GATEWAY))
        [announcement] = self.announced(Bench(gateway_mac=self.OWN), bytes(frame))
        assert announcement.operation == REPLY
        assert (announcement.sender_address, announcement.sender_mac) == (GATEWAY, self.OWN)
        assert announcement.target_address == GATEWAY

    @covers("P57")
    def test_not_with_the_common_mac_nor_to_who_asks_by_dhcp(self) -> None:
        assert self.announced(Bench(), STATION.arp(ADDRESS, GATEWAY)) == []
        assert self.announced(Bench(gateway_mac=self.OWN), STATION.dhcp(MessageType.DISCOVER)) == []


@covers("P20", "M7")
def test_a_renewal_is_due_at_half_of_the_lifetime_at_the_latest() -> None:
    bench = Bench()
    visitor = bench.register()
    assert visitor.grant is not None
    assert 810 <= visitor.grant.renew_at - 1000 <= 900
    assert note("registration-accepted", bench.effects).details["lifetime"] == 1800


@covers("P42")
def test_all_nodes_of_an_lma_share_a_tunnel() -> None:
    bench = Bench()
    tunnels = {
        bench.register(station=Station(number), home=Ipv4(ADDRESS + number)).tunnel for number in range(1, 4)
    }
    assert tunnels == {Tunnel(local=MAG, remote=LMA)}
