"""DHCP method "tunnel": the LMA is the relay agent, and a tunnel comes before the address (P64, N45-N57).

node          MAG                    LMA
 |--DISCOVER-->|--pre-tunnel request-->|
 |             |<-pre-tunnel reply-----|
 |             |==DISCOVER============>|
 |<-OFFER------|<===============OFFER==|
 |--REQUEST--->|==REQUEST=============>|
 |             |<=================ACK==|
 |             |--registration-------->|
 |<-ACK--------|<-accepted-------------|
"""

import attrs
import pytest

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Endpoint, Ipv4, ipv4
from pmip_tw.dhcp.questions import MOST_IN_A_SECOND, SILENCE
from pmip_tw.mag.addressing.pretunnel import KEPT
from pmip_tw.mag.addressing.tunneled import LONGEST, PARTING_DELAY
from pmip_tw.mag.effects import Authenticate, MagEffect, SendDhcp, Serve
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.effects import CloseDhcp, Install, OpenDhcp, Send, SendThrough
from pmip_tw.mobility.tunnels import AccessKey, Encapsulation, Tunnel
from pmip_tw.wire.dhcp import BOOTREPLY, BOOTREQUEST, DhcpMessage, MessageType
from pmip_tw.wire.extension_values import UdpTunnelReply, UdpTunnelRequest
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.pretunnel import PreTunnelReply, PreTunnelRequest
from pmip_tw.wire.udp import UdpDatagram, udp_packet
from tests.agents.world import GATEWAY, LMA, PORT, Station, association
from tests.conformance import covers
from tests.mag.bench import (
    ADDRESS,
    AGENT,
    MAG,
    Bench,
    accept,
    having_an_address,
    names,
    note,
    only,
    order,
    reply,
    requests,
    told,
)

pytestmark = covers("P64", "N47")

STATION = Station(1)
SERVER = ipv4("10.1.0.1")
SECOND_LMA = ipv4("192.0.2.2")
OTHER = ipv4("10.1.0.44")
PUBLIC = ipv4("203.0.113.77")
LEASE = 600
DISCOVER = STATION.dhcp(MessageType.DISCOVER)
REQUEST = STATION.dhcp(MessageType.REQUEST, requested=ADDRESS, server=SERVER)
INIT_REBOOT = STATION.dhcp(MessageType.REQUEST, requested=ADDRESS)
PLAIN = Tunnel(local=MAG, remote=LMA)
IN_UDP = Tunnel(local=MAG, remote=LMA, remote_port=434)
IN_UDP_REPLY = UdpTunnelReply(code=0, keepalive_interval=110)


class TunnelBench(Bench):
    """``admit`` ends with the request for a tunnel; ``open``: it is open, and the DISCOVER went through it."""

    def __init__(self, **policy: object) -> None:
        super().__init__(dhcp="tunnel", **policy)
        self.tunnel = PLAIN

    def admit(self, frame: bytes = DISCOVER, **profile: object) -> list[MagEffect]:
        return self.decide(self.attach(frame), accept(STATION, **profile))

    def open(self, frame: bytes = DISCOVER, udp: UdpTunnelReply | None = None) -> list[MagEffect]:
        [request] = asked(self.admit(frame))
        return self.grant(request, udp)

    def grant(self, request: PreTunnelRequest, udp: UdpTunnelReply | None = None) -> list[MagEffect]:
        self.tunnel = IN_UDP if udp else PLAIN
        return self.arrive(answer(request, udp_tunnel=udp))

    def answer(
        self,
        kind: MessageType,
        yiaddr: Ipv4 = ADDRESS,
        *,
        through: Tunnel | None = None,
        lease: int = LEASE,
        **fields: object,
    ) -> list[MagEffect]:
        """What the LMA brings from the server."""
        options = ((53, bytes((kind,))), (54, SERVER.to_bytes(4, "big")), (51, lease.to_bytes(4, "big")))
        values = {"op": BOOTREPLY, "xid": STATION.number, "chaddr": STATION.mac, "giaddr": SERVER, **fields}
        message = DhcpMessage(yiaddr=yiaddr, options=options, **values)  # type: ignore[arg-type]
        packet = udp_packet(Endpoint(SERVER, 67), Endpoint(ALL_ONES, 68), message.encode())
        return self.emerge(packet, through)

    def emerge(self, packet: bytes, through: Tunnel | None = None) -> list[MagEffect]:
        return self.take(self.engine.dhcp_tunneled(through or self.tunnel, packet, self.now))

    def lease(self, udp: UdpTunnelReply | None = None) -> list[MagEffect]:
        """Up to the ACK: what that causes."""
        self.open(udp=udp)
        self.answer(MessageType.OFFER)
        self.hear(REQUEST)
        return self.answer(MessageType.ACK)

    def serve(self) -> list[MagEffect]:
        [request] = requests(self.lease())
        return self.arrive(reply(request))

    def show(self, packet: bytes) -> list[MagEffect]:
        return self.take(self.engine.dhcp_shown(AccessKey(PORT, STATION.mac), packet, self.now))


def asked(effects: list[MagEffect], message_type: int = 250) -> list[PreTunnelRequest]:
    """The requests for a tunnel."""
    return [
        PreTunnelRequest.decode(send.datagram, message_type)
        for send in only(Send, effects)
        if send.datagram[0] == message_type
    ]


def answer(
    request: PreTunnelRequest,
    status: int = 0,
    *,
    key: SecurityAssociation | None = None,
    fa_ha: SecurityAssociation | None = None,
    message_type: int = 251,
    **fields: object,
) -> bytes:
    """The LMA's reply, right in everything that is not said otherwise."""
    values: dict[str, object] = {
        "home_agent": LMA,
        "care_of_address": PUBLIC,
        "identification": request.identification,
        "nai": request.nai,
        "per_node": request.per_node,
        **fields,
    }
    signer = key or (None if fa_ha else association(1))
    return PreTunnelReply(status=status, **values).encode(message_type, mn_ha=signer, fa_ha=fa_ha)  # type: ignore[arg-type]


def carried(effects: list[MagEffect]) -> list[tuple[Tunnel, DhcpMessage]]:
    """What went into tunnels."""
    found = []
    for effect in only(SendThrough, effects):
        packet = Ipv4Packet.decode(effect.packet)
        assert (packet.source, packet.destination) == (UNSPECIFIED, ALL_ONES)
        datagram = UdpDatagram.decode(packet)
        assert (datagram.source_port, datagram.destination_port) == (68, 67)
        found.append((effect.tunnel, DhcpMessage.decode(datagram.payload)))
    return found


def kinds(effects: list[MagEffect]) -> list[tuple[Tunnel, MessageType | None]]:
    return [(tunnel, message.message_type) for tunnel, message in carried(effects)]


class TestFirstAddress:
    """Figure 3."""

    @covers("N45")
    def test_nothing_is_asked_before_aaa_has_accepted_the_node(self) -> None:
        bench = TunnelBench()
        question = bench.attach(DISCOVER)
        assert only(Send, bench.effects) == only(SendThrough, bench.effects) == []
        effects = bench.decide(question, accept(STATION))
        assert len(asked(effects)) == 1

    @covers("N46", "N48", "N51")
    def test_the_request_names_the_node_and_is_proven_by_its_key(self) -> None:
        bench = TunnelBench()
        effects = bench.admit()
        [send] = only(Send, effects)
        [request] = asked(effects)
        assert (send.destination, send.source) == (AGENT, MAG)
        assert (request.home_agent, request.care_of_address) == (LMA, MAG)
        assert (request.nai, request.mac) == (STATION.nai.encode(), STATION.mac)
        assert request.udp_tunnel == UdpTunnelRequest(dhcp_only=True, encapsulation=4)
        assert request.mn_ha is not None
        assert association(1).verify(send.datagram[: request.mn_ha.covered], request.mn_ha.value)
        assert requests(effects) == []  # there is nothing to register yet

    def test_the_yes_opens_the_tunnel_and_the_discover_goes_through_it(self) -> None:
        """As it came: giaddr and option 82 are the LMA's (D32)."""
        bench = TunnelBench()
        effects = bench.open()
        assert order(effects, OpenDhcp, SendThrough) == ["OpenDhcp", "SendThrough"]
        [(tunnel, message)] = carried(effects)
        assert tunnel == PLAIN
        sent = UdpDatagram.decode(Ipv4Packet.decode(DISCOVER[14:])).payload
        assert message == DhcpMessage.decode(sent)
        assert (message.giaddr, message.hops, message.option(82)) == (UNSPECIFIED, 0, None)

    @covers("N47")
    def test_behind_a_nat_it_is_a_udp_tunnel(self) -> None:
        bench = TunnelBench()
        [(tunnel, _)] = carried(bench.open(udp=IN_UDP_REPLY))
        assert tunnel == IN_UDP

    def test_an_lma_that_sees_no_nat_declines_udp(self) -> None:
        bench = TunnelBench()
        bench.open(udp=UdpTunnelReply(code=64))
        assert only(OpenDhcp, bench.effects) == [OpenDhcp(PLAIN)]

    @covers("N54", "D23", "D29")
    def test_the_ack_is_held_until_its_address_is_registered(self) -> None:
        bench = TunnelBench()
        [offer] = told(bench.open() + bench.answer(MessageType.OFFER))
        assert (offer.message_type, offer.yiaddr) == (MessageType.OFFER, ADDRESS)
        assert kinds(bench.hear(REQUEST)) == [(PLAIN, MessageType.REQUEST)]
        effects = bench.answer(MessageType.ACK)
        assert told(effects) == []
        [request] = requests(effects)
        assert request.home_address == ADDRESS
        effects = bench.arrive(reply(request))
        [ack] = told(effects)
        assert (ack.message_type, ack.yiaddr, ack.lease_time) == (MessageType.ACK, ADDRESS, LEASE)
        assert order(effects, Install, CloseDhcp) == ["CloseDhcp", "Install"]  # N55
        assert bench.visitor.lease_ends == bench.at + LEASE * 1.1

    @covers("N55")
    def test_the_registration_takes_the_place_of_the_tunnel(self) -> None:
        """What still comes out of it is nobody's."""
        bench = TunnelBench()
        bench.serve()
        effects = bench.answer(MessageType.ACK)
        assert names(effects) == ["message-discarded"]
        assert told(effects) == []

    @covers("N55")
    def test_even_if_its_entry_does_not(self) -> None:
        """The packet plane may refuse that: then what waits for it is never carried out."""
        bench = TunnelBench()
        [request] = requests(bench.lease())
        effects = bench.engine.datagram_received(reply(request), AGENT, MAG, bench.now)
        [entry] = only(Serve, effects)
        assert CloseDhcp(PLAIN) in effects and CloseDhcp(PLAIN) not in entry.then

    @covers("N57")
    def test_the_public_address_is_told_and_decides_nothing(self) -> None:
        bench = TunnelBench()
        effects = bench.open(udp=IN_UDP_REPLY)
        assert note("pre-tunnel-accepted", effects).details["public"] == "203.0.113.77"
        assert only(OpenDhcp, effects) == [OpenDhcp(IN_UDP)]
        [request] = requests(
            bench.answer(MessageType.OFFER) + bench.hear(REQUEST) + bench.answer(MessageType.ACK)
        )
        assert request.care_of_address == MAG

    def test_no_server_is_asked_by_the_mag_itself(self) -> None:
        bench = TunnelBench()
        bench.serve()
        assert only(SendDhcp, bench.effects) == []

    @covers("D38")
    def test_who_reboots_here_with_a_lease_from_elsewhere_asks_through_the_tunnel(self) -> None:
        """INIT-REBOOT: the server says whether the address is still its."""
        bench = TunnelBench()
        assert kinds(bench.open(INIT_REBOOT)) == [(PLAIN, MessageType.REQUEST)]
        [request] = requests(bench.answer(MessageType.ACK))
        assert request.home_address == ADDRESS

    @covers("N56")
    def test_the_message_types_are_as_agreed_upon(self) -> None:
        bench = TunnelBench(pre_tunnel_request_type=240, pre_tunnel_reply_type=241)
        effects = bench.admit()
        [request] = asked(effects, 240)
        assert names(bench.arrive(answer(request))) == ["message-discarded"]
        assert len(carried(bench.arrive(answer(request, message_type=241)))) == 1

    @covers("N56")
    def test_other_methods_know_no_such_message(self) -> None:
        bench = TunnelBench()
        [request] = asked(bench.admit())
        other = Bench()
        other.register()
        [observation] = [effect.observation for effect in other.arrive(answer(request))]  # type: ignore[union-attr]
        assert observation.reason == "unknown-message-type"


class TestWhichTunnel:
    """What is asked for."""

    @pytest.mark.parametrize(
        ("policy", "expected"),
        [
            ({}, UdpTunnelRequest(dhcp_only=True)),
            ({"nat_traversal": "force"}, UdpTunnelRequest(dhcp_only=True, forced=True)),
            ({"nat_traversal": "off"}, None),
            ({"encapsulation": Encapsulation.GRE}, UdpTunnelRequest(dhcp_only=True, encapsulation=47)),
            ({"colocated": False}, UdpTunnelRequest(dhcp_only=True)),
        ],
        ids=["auto", "force", "off", "gre", "as a foreign agent"],
    )
    def test_as_a_registration_would(self, policy: dict[str, object], expected: object) -> None:
        bench = TunnelBench(**policy)
        [request] = asked(bench.admit())
        assert request.udp_tunnel == expected
        assert request.agent_part == frozenset()

    @covers("N11")
    def test_who_does_not_offer_gre_is_asked_for_ip_in_ip(self) -> None:
        bench = TunnelBench(encapsulation=Encapsulation.GRE)
        [request] = asked(bench.admit())
        [second] = asked(bench.arrive(answer(request, 139)))
        assert isinstance(second.udp_tunnel, UdpTunnelRequest)
        assert second.udp_tunnel.encapsulation == 4
        assert len(carried(bench.grant(second))) == 1

    @covers("N10")
    def test_gre_is_what_comes_of_it(self) -> None:
        bench = TunnelBench(encapsulation=Encapsulation.GRE, gre_key="own", gre_key_with_d=True)
        effects = bench.open()
        assert only(OpenDhcp, effects) == [OpenDhcp(attrs.evolve(PLAIN, encapsulation=Encapsulation.GRE))]


class TestBelief:
    """A reply is believed by the rules of a registration's (N50)."""

    @covers("N48")
    @pytest.mark.parametrize(
        "fields",
        [
            {"key": association(2)},
            {"identification": 7},
            {"nai": b"mn2@example.net"},
        ],
        ids=["another key", "another request", "another node"],
    )
    def test_what_is_not_proven_opens_nothing(self, fields: dict[str, object]) -> None:
        bench = TunnelBench()
        [request] = asked(bench.admit())
        effects = bench.arrive(answer(request, **fields))  # type: ignore[arg-type]
        assert names(effects) == ["message-discarded"]
        assert only(OpenDhcp, effects) == []
        assert len(carried(bench.arrive(answer(request)))) == 1

    def test_what_is_cut_short_is_counted(self) -> None:
        bench = TunnelBench()
        [request] = asked(bench.admit())
        assert names(bench.arrive(answer(request)[:19])) == ["message-discarded"]

    def test_a_second_reply_changes_nothing(self) -> None:
        bench = TunnelBench()
        [request] = asked(bench.admit())
        bench.grant(request)
        assert names(bench.arrive(answer(request))) == ["message-discarded"]

    @covers("N50")
    def test_133_repairs_the_clock_and_is_asked_again_at_once(self) -> None:
        bench = TunnelBench()
        [request] = asked(bench.admit())
        ahead = (request.identification + (3600 << 32)) & 0xFFFFFFFFFFFFFFFF
        effects = bench.arrive(answer(request, 133, identification=ahead))
        [second] = asked(effects)
        assert second.identification >> 32 >= ahead >> 32
        assert bench.engine.clock_offset(LMA) == 3600
        assert len(carried(bench.grant(second))) == 1

    @covers("N50")
    def test_registrations_go_on_behind_it(self) -> None:
        """One clock, one order: what is asked later is later."""
        bench = TunnelBench()
        [first] = asked(bench.admit())
        bench.grant(first)
        bench.answer(MessageType.OFFER)
        bench.hear(REQUEST)
        [registration] = requests(bench.answer(MessageType.ACK))
        assert registration.identification > first.identification


class TestSilenceOfTheLma:
    @covers("N49")
    def test_it_is_asked_four_times_in_15_seconds_each_time_anew(self) -> None:
        bench = TunnelBench()
        effects = bench.admit()
        started = bench.at
        effects += bench.wait(60)
        found = asked(effects)
        assert len(found) == len({request.identification for request in found}) == 4
        failed = note("pre-tunnel-failed", effects)
        assert failed.reason == "no-answer"
        assert "192.0.2.1" in failed.cause
        assert only(OpenDhcp, effects) == only(SendThrough, effects) == told(effects) == []
        assert bench.at - started >= 15

    @covers("N49")
    def test_who_asks_again_has_it_asked_again(self) -> None:
        """And not more often while it is under way."""
        bench = TunnelBench()
        bench.admit()
        assert asked(bench.hear(DISCOVER)) == []
        bench.wait(16)
        [request] = asked(bench.hear(DISCOVER))
        assert kinds(bench.grant(request)) == [(PLAIN, MessageType.DISCOVER)]

    @covers("P81")
    def test_the_next_lma_is_asked_and_the_address_is_registered_where_it_was_given(self) -> None:
        bench = TunnelBench()
        bench.admit(lmas=(LMA, SECOND_LMA))
        effects = bench.wait(8)
        sends = [send for send in only(Send, effects) if send.destination.address == SECOND_LMA]
        request = PreTunnelRequest.decode(sends[-1].datagram)
        assert request.home_agent == SECOND_LMA
        way = Tunnel(local=MAG, remote=SECOND_LMA)
        source = Endpoint(SECOND_LMA, 434)
        effects = bench.arrive(answer(request, home_agent=SECOND_LMA), source)
        assert kinds(effects) == [(way, MessageType.DISCOVER)]
        # Meanwhile the first is back: it knows nothing of the address.
        other = Station(2)
        [request] = asked(bench.decide(bench.attach(other.dhcp(MessageType.DISCOVER)), accept(other)))
        assert "pre-tunnel-refused" in names(bench.arrive(answer(request, 130, key=association(2))))
        bench.answer(MessageType.OFFER, through=way)
        bench.hear(REQUEST)
        [registration] = requests(bench.answer(MessageType.ACK, through=way))
        assert registration.home_agent == SECOND_LMA


class TestRefusals:
    @pytest.mark.parametrize("status", [129, 136, 150])
    def test_who_may_not_have_one_is_not_served(self, status: int) -> None:
        """And not asked about again at once."""
        bench = TunnelBench()
        [request] = asked(bench.admit())
        effects = bench.arrive(answer(request, status))
        assert note("pre-tunnel-refused", effects).reason == str(status)
        assert list(bench.engine.visitors) == []
        assert only(Authenticate, bench.hear(DISCOVER)) == []

    def test_who_has_no_room_now_is_asked_again_when_the_node_asks(self) -> None:
        bench = TunnelBench()
        [request] = asked(bench.admit())
        bench.arrive(answer(request, 130))
        assert asked(bench.hear(DISCOVER)) == []  # N52: not faster than this
        bench.at += 4
        [request] = asked(bench.hear(DISCOVER))
        assert len(carried(bench.grant(request))) == 1

    @covers("P16")
    def test_who_takes_no_proxy_registrations_is_left_in_peace(self) -> None:
        bench = TunnelBench(pmip_backoff=600.0)
        [request] = asked(bench.admit())
        bench.arrive(answer(request, 149))
        bench.at += 100
        assert asked(bench.admit()) == []
        assert note("pre-tunnel-failed", bench.effects).reason == "blocked"

    @covers("P16", "P81")
    @pytest.mark.parametrize("status", [149, 150])
    def test_if_there_is_another_lma_that_is_asked_at_once(self, status: int) -> None:
        bench = TunnelBench()
        [request] = asked(bench.admit(lmas=(LMA, SECOND_LMA)))
        effects = bench.arrive(answer(request, status))
        assert note("pre-tunnel-refused", effects).reason == str(status)
        [request] = asked(effects)
        assert request.home_agent == SECOND_LMA
        effects = bench.arrive(answer(request, home_agent=SECOND_LMA), Endpoint(SECOND_LMA, 434))
        assert kinds(effects) == [(Tunnel(local=MAG, remote=SECOND_LMA), MessageType.DISCOVER)]

    @covers("N54")
    @pytest.mark.parametrize("code", [128, 131 + 3])
    def test_an_address_that_is_not_registered_is_taken_back_by_a_nak(self, code: int) -> None:
        """And the server is told that nobody has it."""
        bench = TunnelBench()
        [request] = requests(bench.lease())
        effects = bench.arrive(reply(request, code))
        [nak] = told(effects)
        assert nak.message_type is MessageType.NAK
        assert kinds(effects) == [(PLAIN, MessageType.RELEASE)]
        assert only(CloseDhcp, effects) == [CloseDhcp(PLAIN)]

    @covers("N54")
    def test_an_ack_is_not_held_for_longer_than_ack_hold(self) -> None:
        """The client asks again by then, and is answered then."""
        bench = TunnelBench(ack_hold=3.0)
        [request] = requests(bench.lease())
        bench.at += 3.1
        effects = bench.arrive(reply(request))
        assert told(effects) == []
        assert bench.visitor.state.value == "registered"
        again = bench.hear(REQUEST)
        [second] = asked(again)
        bench.grant(second)
        [ack] = told(bench.answer(MessageType.ACK))
        assert ack.message_type is MessageType.ACK

    @covers("P61")
    def test_an_lma_that_gives_another_address_has_it_given_back(self) -> None:
        bench = TunnelBench()
        [request] = requests(bench.lease())
        effects = bench.arrive(reply(request, home=OTHER))
        assert [message.message_type for message in told(effects)] == [MessageType.NAK]
        assert kinds(effects) == [(PLAIN, MessageType.RELEASE)]
        [farewell] = requests(effects)
        assert (farewell.lifetime, farewell.home_address) == (0, OTHER)


class TestServers:
    def test_silence_is_told_and_the_lma_is_asked_again_before_more_goes_in(self) -> None:
        """It may have been restarted, and know nothing of the tunnel any more."""
        bench = TunnelBench()
        bench.open()
        unanswered = note("dhcp-unanswered", bench.wait(SILENCE + 0.1))
        assert "192.0.2.1" in unanswered.cause
        effects = bench.hear(DISCOVER)
        assert carried(effects) == []
        [request] = asked(effects)
        assert kinds(bench.grant(request)) == [(PLAIN, MessageType.DISCOVER)]

    def test_a_nak_goes_to_the_node(self) -> None:
        bench = TunnelBench()
        bench.open(INIT_REBOOT)
        [nak] = told(bench.answer(MessageType.NAK, UNSPECIFIED))
        assert nak.message_type is MessageType.NAK
        assert bench.visitor.state.value == "addressing"

    @pytest.mark.parametrize(
        "fields",
        [
            {"xid": 99},
            {"chaddr": Station(2).mac},
            {"op": BOOTREQUEST},
            {"yiaddr": UNSPECIFIED},
            {"lease": 0},
            {"through": IN_UDP},
        ],
        ids=["another question", "another node", "no reply", "no address", "no lease", "another tunnel"],
    )
    def test_what_answers_nothing_is_not_passed_on(self, fields: dict[str, object]) -> None:
        bench = TunnelBench()
        bench.open()
        effects = bench.answer(MessageType.OFFER, **fields)  # type: ignore[arg-type]
        assert names(effects) == ["message-discarded"]
        assert len(told(bench.answer(MessageType.OFFER))) == 1

    @pytest.mark.parametrize("octets", [b"", b"\x45" + bytes(30)])
    def test_what_is_no_dhcp_is_counted(self, octets: bytes) -> None:
        bench = TunnelBench()
        bench.open()
        assert names(bench.emerge(octets)) == ["message-discarded"]


class TestTogether:
    """Two nodes, one tunnel."""

    def test_it_is_closed_when_neither_needs_it(self) -> None:
        bench = TunnelBench()
        bench.open()
        second = Station(2)
        frame = second.dhcp(MessageType.DISCOVER)
        [request] = asked(bench.decide(bench.attach(frame), accept(second)))
        effects = bench.arrive(answer(request, key=association(2)))
        assert only(OpenDhcp, effects) == []
        assert [message.chaddr for _, message in carried(effects)] == [second.mac]
        bench.answer(MessageType.OFFER)
        bench.hear(REQUEST)
        [registration] = requests(bench.answer(MessageType.ACK))
        assert only(CloseDhcp, bench.arrive(reply(registration))) == []
        assert only(CloseDhcp, bench.wait(KEPT + 1)) == [CloseDhcp(PLAIN)]

    def test_who_has_left_needs_it_no_more(self) -> None:
        bench = TunnelBench()
        bench.open()
        effects = bench.wait(KEPT + 1)
        assert only(CloseDhcp, effects) == [CloseDhcp(PLAIN)]
        assert list(bench.engine.visitors) == []
        bench.wait(600)
        assert bench.engine.next_deadline() is None


class TestServed:
    """A registered node."""

    @covers("N55", "P65")
    def test_renewals_are_its_own_traffic_and_are_listened_to(self) -> None:
        bench = TunnelBench()
        bench.serve()
        before = bench.visitor.lease_ends
        bench.at += 200
        renew = STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS)[14:]
        assert bench.visitor.entry(upstream=True).shows_dhcp
        bench.show(renew)
        ack = DhcpMessage(
            op=BOOTREPLY,
            xid=STATION.number,
            chaddr=STATION.mac,
            ciaddr=ADDRESS,
            yiaddr=ADDRESS,
            options=((53, b"\5"), (51, LEASE.to_bytes(4, "big"))),
        )
        effects = bench.show(udp_packet(Endpoint(SERVER, 67), Endpoint(ADDRESS, 68), ack.encode()))
        assert "dhcp-ack" in names(effects)
        assert bench.visitor.lease_ends > before
        assert asked(effects) == carried(effects) == []

    def test_who_begins_again_gets_its_address_again(self) -> None:
        """It was restarted, and does not remember. The answer is for its home address, and so its own."""
        bench = TunnelBench()
        bench.serve()
        bench.at += 10
        [request] = asked(bench.hear(DISCOVER))
        assert kinds(bench.grant(request)) == [(PLAIN, MessageType.DISCOVER)]
        bench.answer(MessageType.OFFER)
        bench.hear(REQUEST)
        effects = bench.answer(MessageType.ACK)
        [ack] = told(effects)
        assert ack.yiaddr == ADDRESS
        assert bench.visitor.state.value == "registered"

    def test_an_ack_that_goes_to_its_home_address_extends_its_lease_as_well(self) -> None:
        bench = TunnelBench()
        bench.serve()
        before = bench.visitor.lease_ends
        bench.at += 100
        [request] = asked(bench.hear(INIT_REBOOT))
        bench.grant(request)
        ack = DhcpMessage(
            op=BOOTREPLY,
            xid=STATION.number,
            chaddr=STATION.mac,
            yiaddr=ADDRESS,
            options=((53, b"\5"), (51, LEASE.to_bytes(4, "big"))),
        )
        bench.show(udp_packet(Endpoint(SERVER, 67), Endpoint(ADDRESS, 68), ack.encode()))
        assert bench.visitor.lease_ends > before
        bench.hear(STATION.arp(ADDRESS, GATEWAY))
        assert "dhcp-unanswered" not in names(bench.wait(SILENCE + 1))

    def test_a_refusal_of_the_tunnel_ends_nobodys_service(self) -> None:
        bench = TunnelBench()
        bench.serve()
        bench.at += 10
        [request] = asked(bench.hear(DISCOVER))
        bench.arrive(answer(request, 129))
        assert bench.visitor.state.value == "registered"

    def test_what_it_declines_the_server_hears_of_before_the_binding_ends(self) -> None:
        """Or it would give that address again."""
        bench = TunnelBench()
        bench.serve()
        bench.at += 2
        decline = STATION.dhcp(MessageType.DECLINE, requested=ADDRESS, server=SERVER)
        effects = bench.hear(decline)
        assert requests(effects) == []
        [request] = asked(effects)
        assert kinds(bench.grant(request)) == [(PLAIN, MessageType.DECLINE)]
        [farewell] = requests(bench.wait(PARTING_DELAY + 0.1))
        assert farewell.lifetime == 0

    @covers("P82")
    def test_another_address_of_ours_makes_all_tunnels_void(self) -> None:
        bench = TunnelBench()
        bench.open()
        moved = ipv4("198.51.100.20")
        effects = bench.take(bench.engine.address_changed(moved, bench.now))
        assert only(CloseDhcp, effects) == [CloseDhcp(PLAIN)]
        [request] = asked(bench.hear(DISCOVER))
        assert request.care_of_address == moved
        effects = bench.arrive(answer(request))
        assert only(OpenDhcp, effects) == [OpenDhcp(Tunnel(local=moved, remote=LMA))]

    def test_a_restart_in_the_middle_costs_one_message(self) -> None:
        bench = TunnelBench()
        bench.open()
        bench.answer(MessageType.OFFER)
        assert bench.restart() == []
        assert kinds(bench.open(REQUEST)) == [(PLAIN, MessageType.REQUEST)]
        [request] = requests(bench.answer(MessageType.ACK))
        [ack] = told(bench.arrive(reply(request)))
        assert ack.yiaddr == ADDRESS


class TestMoved:
    """A node that comes with its address."""

    @having_an_address
    def test_it_is_registered_with_it_and_needs_no_tunnel(self, frame: bytes) -> None:
        bench = TunnelBench()
        request = bench.begin(frame)
        assert request.home_address == ADDRESS
        assert asked(bench.effects) == []

    @covers("D38")
    def test_what_it_asks_of_its_lease_is_asked_when_it_is_registered(self) -> None:
        bench = TunnelBench()
        rebind = STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS)
        request = bench.begin(rebind)
        assert asked(bench.effects) == []
        [tunnel] = asked(bench.arrive(reply(request)))
        assert kinds(bench.grant(tunnel)) == [(PLAIN, MessageType.REQUEST)]
        [ack] = told(bench.answer(MessageType.ACK))
        assert ack.yiaddr == ADDRESS

    def test_an_address_that_the_lma_refuses_is_for_the_server_to_judge(self) -> None:
        bench = TunnelBench()
        request = bench.begin(STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS))
        effects = bench.arrive(reply(request, 129))
        [tunnel] = asked(effects)
        assert kinds(bench.grant(tunnel)) == [(PLAIN, MessageType.REQUEST)]
        bench.answer(MessageType.NAK, UNSPECIFIED)
        assert bench.visitor.state.value == "addressing"


class TestBadInput:
    """What nodes may not say."""

    @covers("D3", "D7", "D24", "D35")
    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"chaddr": Station(2).mac}, "dhcp-spoofed-chaddr"),
            ({"giaddr": OTHER}, "dhcp-relayed"),
            ({"hops": 17}, "dhcp-relayed"),
            ({"op": BOOTREPLY}, "dhcp-not-a-request"),
            ({"options": ((53, b"\1"), (82, b"\1\1x"))}, "dhcp-relayed"),
            ({"options": ((53, b"\1"), (60, bytes(1200)))}, "dhcp-too-long"),
            ({"options": ((53, b"\x0a"),)}, "dhcp-ignored"),
        ],
        ids=["chaddr", "giaddr", "hops", "reply", "option 82", "oversized", "lease query"],
    )
    def test_it_is_dropped_and_counted(self, fields: dict[str, object], reason: str) -> None:
        bench = TunnelBench()
        bench.open()
        effects = bench.hear(_frame(**fields))
        assert note("frame-dropped", effects).reason == reason
        assert carried(effects) == told(effects) == []

    @covers("N52")
    def test_a_flood_is_a_few_messages(self) -> None:
        bench = TunnelBench()
        bench.open()
        effects = [effect for _ in range(100) for effect in bench.hear(DISCOVER)]
        assert len(carried(effects)) < MOST_IN_A_SECOND <= 10
        assert asked(effects) == []

    @covers("N52")
    def test_a_flood_of_a_node_without_a_tunnel_asks_for_one(self) -> None:
        bench = TunnelBench()
        effects = bench.admit()
        for _ in range(500):
            bench.at += 0.01
            effects += bench.hear(DISCOVER)
        assert len(asked(effects + bench.wait(1))) <= 4

    def test_lies_do_not_reach_the_lma_before_aaa_either(self) -> None:
        bench = TunnelBench()
        question = bench.attach()
        bench.hear(_frame(giaddr=OTHER))
        [request] = asked(bench.decide(question, accept(STATION)))
        [(_, message)] = carried(bench.grant(request))
        assert message.giaddr == UNSPECIFIED

    def test_nothing_of_a_client_fits_that_is_longer_than_every_tunnel(self) -> None:
        assert LONGEST < 1500 - 60

    def test_a_gateway_of_the_imitated_link_is_still_answered_for(self) -> None:
        bench = TunnelBench()
        bench.serve()
        assert bench.hear(STATION.arp(ADDRESS, GATEWAY))


def _frame(**fields: object) -> bytes:
    values: dict[str, object] = {
        "op": BOOTREQUEST,
        "xid": STATION.number,
        "chaddr": STATION.mac,
        "options": ((53, b"\1"),),
    }
    message = DhcpMessage(**(values | fields))  # type: ignore[arg-type]
    packet = udp_packet(Endpoint(UNSPECIFIED, 68), Endpoint(ALL_ONES, 67), message.encode())
    return b"\xff" * 6 + STATION.mac + b"\x08\x00" + packet
