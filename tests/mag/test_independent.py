"""DHCP method "independent": the address in use is registered, and DHCP beyond the tunnel is listened to (P62, P65)."""

import pytest

from pmip_tw.addresses import ALL_ONES, Endpoint, Ipv4, Mac, ipv4
from pmip_tw.mag.effects import Authenticate, MagEffect, Transmit
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.arp import REPLY, REQUEST, Arp
from pmip_tw.wire.dhcp import BOOTREPLY, BOOTREQUEST, DhcpMessage, MessageType
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, ethernet_frame
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import GATEWAY, GATEWAY_MAC, PORT, Station
from tests.conformance import covers
from tests.mag.bench import ADDRESS, Bench, accept, having_an_address, names, note, only, reply, requests

STATION = Station(1)
OTHER = ipv4("10.1.0.44")
SERVER = ipv4("203.0.113.67")
LEASE = 600


def independent(**policy: object) -> Bench:
    return Bench(dhcp="independent", **policy)


def shown(bench: Bench, packet: bytes) -> list[MagEffect]:
    """The packet plane has carried ``packet`` and shows it."""
    return bench.take(bench.engine.dhcp_shown(AccessKey(PORT, STATION.mac), packet, bench.now))


def answer_to_probe() -> bytes:
    """The node says that it has its home address."""
    mine = Arp(
        operation=REPLY,
        sender_mac=STATION.mac,
        sender_address=ADDRESS,
        target_mac=GATEWAY_MAC,
        target_address=GATEWAY,
    )
    return ethernet_frame(GATEWAY_MAC, STATION.mac, ETHERTYPE_ARP, mine.encode())


def said(kind: MessageType, ciaddr: Ipv4 = ADDRESS, *, chaddr: Mac = STATION.mac, xid: int = 7) -> bytes:
    message = DhcpMessage(
        op=BOOTREQUEST, xid=xid, chaddr=chaddr, ciaddr=ciaddr, options=((53, bytes((kind,))),)
    )
    return udp_packet(Endpoint(ADDRESS, 68), Endpoint(SERVER, 67), message.encode())


def out_of_the_tunnel(kind: MessageType, source: Ipv4) -> bytes:
    """What a client says, sent by somebody else to the client."""
    message = DhcpMessage(
        op=BOOTREQUEST, xid=7, chaddr=STATION.mac, ciaddr=ADDRESS, options=((53, bytes((kind,))),)
    )
    return udp_packet(Endpoint(source, 68), Endpoint(ADDRESS, 68), message.encode())


def answered(
    kind: MessageType, yiaddr: Ipv4 = ADDRESS, *, lease: int = LEASE, xid: int = 7, chaddr: Mac = STATION.mac
) -> bytes:
    options = ((53, bytes((kind,))), (51, lease.to_bytes(4, "big")))
    message = DhcpMessage(op=BOOTREPLY, xid=xid, chaddr=chaddr, yiaddr=yiaddr, options=options)
    return udp_packet(Endpoint(SERVER, 67), Endpoint(ADDRESS, 68), message.encode())


@covers("P62")
class TestAddressInUse:
    """It is found, registered, and never replaced by another."""

    @having_an_address
    def test_is_registered_and_the_entry_lets_dhcp_pass(self, frame: bytes) -> None:
        bench = independent()
        request = bench.begin(frame)
        assert request.home_address == ADDRESS
        effects = bench.arrive(reply(request))
        assert [install.entry.shows_dhcp for install in only(Install, effects)] == [True]  # type: ignore[union-attr]
        assert only(Transmit, bench.effects) == []

    @pytest.mark.parametrize(
        "frame",
        [
            STATION.dhcp(MessageType.DISCOVER),
            STATION.dhcp(MessageType.DISCOVER, requested=ADDRESS),
            STATION.dhcp(MessageType.REQUEST, requested=ADDRESS),
            STATION.arp(ipv4("169.254.7.9"), GATEWAY),
        ],
        ids=["discover", "wish", "init-reboot", "link-local"],
    )
    def test_who_has_none_is_neither_asked_about_nor_answered(self, frame: bytes) -> None:
        bench = independent()
        assert bench.hear(frame) == []
        assert len(bench.engine.visitors) == 0

    def test_what_aaa_says_about_addresses_is_for_the_lma(self) -> None:
        bench = independent()
        asked = bench.attach(STATION.data(ADDRESS))
        [request] = requests(bench.decide(asked, accept(STATION, home=OTHER)))
        assert request.home_address == ADDRESS

    def test_refused_is_not_replaced(self) -> None:
        """Not P19: the node would not know of another address."""
        bench = independent(reject_hold=30.0)
        effects = bench.arrive(reply(bench.begin(STATION.data(ADDRESS)), 129))
        assert requests(effects) == []
        assert note("visitor-removed", effects).reason == "129"
        assert bench.hear(STATION.data(ADDRESS)) == []
        bench.at += 31
        assert only(Authenticate, bench.hear(STATION.data(ADDRESS)))

    def test_another_one_than_was_asked_for_is_given_back(self) -> None:
        bench = independent()
        effects = bench.arrive(reply(bench.begin(STATION.data(ADDRESS)), home=OTHER))
        assert only(Install, effects) == []
        [end] = requests(effects)
        assert (end.lifetime, end.home_address) == (0, OTHER)
        assert "uses 10.1.0.9, but the LMA gives it 10.1.0.44" in note("visitor-left", effects).cause
        assert only(Authenticate, bench.hear(STATION.data(ADDRESS))) == []

    def test_its_broadcasts_for_dhcp_are_nobodys_business(self) -> None:
        bench = independent()
        bench.register(STATION.data(ADDRESS))
        for kind in (MessageType.DISCOVER, MessageType.REQUEST, MessageType.DECLINE):
            assert bench.hear(STATION.dhcp(kind, requested=ADDRESS)) == []
        assert bench.visitor.state.value == "registered"


@covers("P62")
class TestAnotherAddress:
    """A node that was given, or took, another address while it is served."""

    def served(self) -> Bench:
        bench = independent()
        bench.register(STATION.data(ADDRESS))
        return bench

    def probed(self, effects: list[MagEffect]) -> bool:
        probes = [Arp.decode(one.frame[14:]) for one in only(Transmit, effects)]
        return [(probe.operation, probe.target_address) for probe in probes] == [(REQUEST, ADDRESS)]

    def test_it_is_served_anew_with_that_when_it_does_not_answer_for_the_former(self) -> None:
        bench = self.served()
        for _ in range(2):
            effects = bench.hear(STATION.arp(OTHER, GATEWAY))
            assert self.probed(effects)
            assert requests(effects) == []
            bench.at += 1
        effects = bench.hear(STATION.arp(OTHER, GATEWAY))
        [end] = requests(effects)
        assert (end.lifetime, end.home_address) == (0, ADDRESS)
        assert "uses 10.1.0.44 now" in note("visitor-left", effects).cause
        bench.arrive(reply(end))
        assert bench.begin(STATION.arp(OTHER, GATEWAY)).home_address == OTHER

    def test_a_host_with_two_addresses_keeps_the_one_that_is_registered(self) -> None:
        bench = self.served()
        for _ in range(10):
            effects = bench.hear(STATION.arp(OTHER, GATEWAY))
            assert self.probed(effects)
            assert note("frame-dropped", effects).reason == "arp-spoofed-address"
            bench.hear(answer_to_probe())
            bench.at += 1
        assert bench.visitor.state.value == "registered"

    def test_one_word_from_elsewhere_now_and_then_means_nothing(self) -> None:
        bench = self.served()
        for _ in range(4):
            bench.hear(STATION.arp(OTHER, GATEWAY))
            bench.wait(31)
        assert bench.visitor.state.value == "registered"

    @pytest.mark.parametrize("sender", [ipv4("192.168.1.5"), ipv4("169.254.7.9")])
    def test_addresses_from_elsewhere_raise_no_doubt(self, sender: Ipv4) -> None:
        bench = self.served()
        for _ in range(4):
            assert only(Transmit, bench.hear(STATION.arp(sender, GATEWAY))) == []
            bench.at += 1
        assert bench.visitor.state.value == "registered"

    def test_a_mag_that_serves_dhcp_itself_knows_better(self) -> None:
        bench = Bench()
        bench.register(STATION.data(ADDRESS))
        for _ in range(4):
            assert only(Transmit, bench.hear(STATION.arp(OTHER, GATEWAY))) == []
            bench.at += 1
        assert bench.visitor.state.value == "registered"


@covers("P65", "D34")
class TestListening:
    """Lease and binding stay together."""

    def registered(self, **policy: object) -> Bench:
        bench = independent(attach_probe_max_age=1e6, **policy)
        bench.register(STATION.data(ADDRESS), lifetime=300)
        return bench

    @covers("D36")
    def test_a_renewed_lease_renews_the_binding(self) -> None:
        """The lease would end after it (D36)."""
        bench = self.registered()
        assert shown(bench, said(MessageType.REQUEST)) == []
        bench.at += 2
        assert note("dhcp-ack", shown(bench, answered(MessageType.ACK))).details["lease"] == LEASE
        [request] = requests(bench.wait(0.1))
        assert (request.home_address, request.lifetime > 0) == (ADDRESS, True)

    @covers("D36")
    def test_a_node_that_renews_all_the_time_does_not_make_its_mag_do_so(self) -> None:
        """How often it asks its server is its own choice; what the LMA has to do for it is not."""
        bench = self.registered()
        asked = []
        for _ in range(100):
            shown(bench, said(MessageType.REQUEST))
            shown(bench, answered(MessageType.ACK, lease=0xFFFFFFFF))
            for request in requests(bench.wait(0.05)):
                asked.append(request)
                bench.arrive(reply(request, station=STATION, home=ADDRESS, lifetime=300))
        assert 2 <= len(asked) <= 3

    def test_a_short_lease_leaves_the_binding_as_it_is(self) -> None:
        bench = self.registered()
        shown(bench, said(MessageType.REQUEST))
        shown(bench, answered(MessageType.ACK, lease=60))
        assert requests(bench.wait(10)) == []

    @covers("D22", "D36")
    def test_a_lease_that_is_not_renewed_ends_the_binding_with_its_grace(self) -> None:
        """D22, D34: counted from the question."""
        bench = self.registered()
        shown(bench, said(MessageType.REQUEST))
        bench.at += 2
        shown(bench, answered(MessageType.ACK, lease=60))
        assert requests(bench.wait(63.9)) == []
        effects = bench.wait(0.2)
        assert [request.lifetime for request in requests(effects)] == [0]
        assert note("visitor-left", effects).cause == "DHCP lease expired"

    def test_a_lease_for_ever_ends_nothing(self) -> None:
        bench = self.registered()
        shown(bench, said(MessageType.REQUEST))
        shown(bench, answered(MessageType.ACK, lease=0xFFFFFFFF))
        assert bench.visitor.lease_ends is None

    def test_a_release_ends_the_binding_when_it_is_through_the_tunnel(self) -> None:
        bench = self.registered()
        assert names(shown(bench, said(MessageType.RELEASE))) == ["dhcp-release"]
        assert requests(bench.wait(0.9)) == []
        effects = bench.wait(0.2)
        assert [request.lifetime for request in requests(effects)] == [0]
        assert only(Remove, effects)

    def test_a_release_before_the_registration_ends_what_was_asked_for(self) -> None:
        """There is no tunnel for it yet: the server does not hear of it."""
        bench = independent()
        bench.begin(STATION.data(ADDRESS))
        effects = bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=OTHER, server=SERVER))
        assert note("frame-dropped", effects).reason == "dhcp-ignored"
        effects = bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=SERVER))
        assert [(end.lifetime, end.home_address) for end in requests(effects)] == [(0, ADDRESS)]

    def test_a_nak_ends_it_at_once(self) -> None:
        bench = self.registered()
        shown(bench, said(MessageType.REQUEST))
        effects = shown(bench, answered(MessageType.NAK, ipv4("0.0.0.0")))
        assert [request.lifetime for request in requests(effects)] == [0]
        assert "refused its address" in note("visitor-left", effects).cause

    @covers("D35")
    @pytest.mark.parametrize(
        "packet",
        [
            said(MessageType.RELEASE, OTHER),
            said(MessageType.RELEASE, chaddr=Station(2).mac),
            said(MessageType.RELEASE)[:100],
            said(MessageType.REQUEST, OTHER),
            answered(MessageType.RELEASE),
            out_of_the_tunnel(MessageType.RELEASE, SERVER),
            out_of_the_tunnel(MessageType.RELEASE, ADDRESS),
            out_of_the_tunnel(MessageType.REQUEST, ADDRESS),
        ],
        ids=[
            "another address",
            "another client",
            "cut",
            "question about another",
            "release as an answer",
            "release from out there",
            "release from out there in the node's name",
            "question from out there in the node's name",
        ],
    )
    def test_nobody_ends_anothers_binding(self, packet: bytes) -> None:
        """D35."""
        bench = self.registered()
        assert shown(bench, packet) == []
        assert shown(bench, answered(MessageType.NAK)) == []
        assert requests(bench.wait(10)) == []

    @pytest.mark.parametrize(
        "packet",
        [
            answered(MessageType.NAK, xid=8),
            answered(MessageType.ACK, lease=1, xid=8),
            answered(MessageType.NAK, chaddr=Station(2).mac),
            answered(MessageType.ACK, OTHER, lease=1),
            answered(MessageType.ACK, lease=0),
            answered(MessageType.OFFER, lease=1),
        ],
        ids=["nak", "ack", "another client", "another address", "no lease", "offer"],
    )
    def test_an_answer_to_something_else_changes_nothing(self, packet: bytes) -> None:
        """Anybody may send to port 68 of the node: whoever does not know its transaction is not believed."""
        bench = self.registered()
        shown(bench, said(MessageType.REQUEST))
        assert shown(bench, packet) == []
        assert requests(bench.wait(10)) == []
        assert bench.visitor.lease_ends is None

    def test_an_answer_counts_once(self) -> None:
        bench = self.registered()
        shown(bench, said(MessageType.REQUEST))
        shown(bench, answered(MessageType.ACK))
        assert shown(bench, answered(MessageType.NAK)) == []

    def test_about_a_node_that_left_nothing_is_learned(self) -> None:
        bench = self.registered()
        bench.engine.detach(STATION.nai, bench.now)
        assert shown(bench, said(MessageType.RELEASE)) == []
        key = AccessKey("acc1", STATION.mac)
        assert bench.engine.dhcp_shown(key, said(MessageType.RELEASE), bench.now) == []

    def test_a_broadcast_answer_is_not_the_nodes_own(self) -> None:
        bench = self.registered()
        shown(bench, said(MessageType.REQUEST))
        message = DhcpMessage(op=BOOTREPLY, xid=7, chaddr=STATION.mac, options=((53, b"\x06"),))
        packet = udp_packet(Endpoint(SERVER, 67), Endpoint(ALL_ONES, 68), message.encode())
        assert shown(bench, packet) == []
