"""DHCP method "ack-trigger": servers give the addresses, their ACK starts the registration and waits for it (P63, P65).

node            MAG              DHCP server      LMA
 |--DISCOVER---->|--DISCOVER, 118-->|              |
 |<-------OFFER--|<-----------OFFER-|              |
 |--REQUEST----->|--REQUEST-------->|              |
 |               |<-------------ACK-|              |
 |               |--registration request---------->|
 |<---------ACK--|<-----------------------accepted-|
"""

import pytest

from pmip_tw.addresses import BROADCAST_MAC, UNSPECIFIED, Endpoint, Ipv4, Mac, ipv4
from pmip_tw.dhcp.questions import SILENCE
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.mag.effects import MagEffect, SendDhcp, Transmit
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.dhcp import BOOTREPLY, BOOTREQUEST, BROADCAST_FLAG, DhcpMessage, MessageType, OptionCode
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import GATEWAY, HOME, PORT, Station
from tests.conformance import covers
from tests.mag.bench import (
    ADDRESS,
    MAG,
    Bench,
    accept,
    having_an_address,
    names,
    note,
    notes,
    only,
    order,
    reply,
    requests,
    told,
)

pytestmark = covers("P63")

STATION = Station(1)
SERVER, SECOND = ipv4("198.51.100.67"), ipv4("198.51.100.68")
OF_AAA = ipv4("198.51.100.77")
OTHER = ipv4("10.1.0.44")
ELSEWHERE = ipv4("192.168.1.5")
LEASE = 600
DISCOVER = STATION.dhcp(MessageType.DISCOVER)
REQUEST = STATION.dhcp(MessageType.REQUEST, requested=ADDRESS, server=SERVER)
INIT_REBOOT = STATION.dhcp(MessageType.REQUEST, requested=ADDRESS)


class RelayBench(Bench):
    """``ask`` and ``answer``: what a node broadcasts, what a server says to that."""

    def __init__(self, **policy: object) -> None:
        relay = RelayPolicy(servers=(SERVER, SECOND), giaddr=MAG, subnet_selection=True)
        settings = {"dhcp": "ack-trigger", "dhcp_relay": relay, "dhcp_subnet": HOME.network}
        super().__init__(**(settings | policy))

    def admit(self, frame: bytes = DISCOVER) -> list[MagEffect]:
        return self.decide(self.attach(frame), accept(STATION))

    def answer(
        self,
        kind: MessageType,
        yiaddr: Ipv4 = ADDRESS,
        *,
        server: Ipv4 = SERVER,
        lease: int = LEASE,
        **fields: object,
    ) -> list[MagEffect]:
        options = (
            (53, bytes((kind,))),
            (54, server.to_bytes(4, "big")),
            (51, lease.to_bytes(4, "big")),
            (118, HOME.network.to_bytes(4, "big")),
        )
        values = {"op": BOOTREPLY, "xid": STATION.number, "chaddr": STATION.mac, "giaddr": MAG, **fields}
        message = DhcpMessage(yiaddr=yiaddr, options=options, **values)  # type: ignore[arg-type]
        return self.take(self.engine.dhcp_received(message.encode(), Endpoint(server, 67), self.now))

    def lease(self) -> list[MagEffect]:
        """DISCOVER, OFFER, REQUEST, ACK: what the ACK causes."""
        self.admit()
        self.answer(MessageType.OFFER)
        self.hear(REQUEST)
        return self.answer(MessageType.ACK)

    def serve(self, lifetime: int = 1800) -> list[MagEffect]:
        """With an address, and registered."""
        [request] = requests(self.lease())
        return self.arrive(reply(request, lifetime=lifetime))

    def show(self, packet: bytes) -> list[MagEffect]:
        return self.take(self.engine.dhcp_shown(AccessKey(PORT, STATION.mac), packet, self.now))


def asked(effects: list[MagEffect]) -> list[tuple[Ipv4, DhcpMessage]]:
    """What the servers were sent."""
    return [(one.server, DhcpMessage.decode(one.payload)) for one in only(SendDhcp, effects)]


def kinds(messages: list[DhcpMessage]) -> list[MessageType | None]:
    return [message.message_type for message in messages]


class TestFirstAddress:
    """A node without one."""

    @covers("AA9")
    def test_the_server_that_aaa_names_gives_it(self) -> None:
        bench = RelayBench()
        sent = asked(bench.decide(bench.attach(), accept(STATION, dhcp_server=OF_AAA)))
        assert [server for server, _ in sent] == [OF_AAA]
        assert told(bench.answer(MessageType.OFFER)) == []
        [offer] = told(bench.answer(MessageType.OFFER, server=OF_AAA))
        assert offer.yiaddr == ADDRESS
        late = [found for found in notes(bench.wait(SILENCE)) if found.name == "dhcp-unanswered"]
        assert late == []

    @covers("AA9")
    def test_its_silence_is_told_by_its_name(self) -> None:
        bench = RelayBench()
        bench.decide(bench.attach(), accept(STATION, dhcp_server=OF_AAA))
        assert "198.51.100.77" in note("dhcp-unanswered", bench.wait(SILENCE + 1)).cause

    def test_nothing_is_relayed_before_aaa_has_accepted_it(self) -> None:
        bench = RelayBench()
        question = bench.attach()
        assert asked(bench.effects) == []
        sent = asked(bench.decide(question, accept(STATION)))
        assert [server for server, _ in sent] == [SERVER, SECOND]
        assert {message.option(OptionCode.SUBNET_SELECTION) for _, message in sent} == {bytes((10, 1, 0, 0))}
        assert {message.giaddr for _, message in sent} == {MAG}

    def test_dhcp_comes_first_and_the_ack_starts_the_registration(self) -> None:
        bench = RelayBench()
        assert requests(bench.admit()) == []
        assert bench.visitor.state.value == "addressing"
        [offer] = told(bench.answer(MessageType.OFFER))
        assert (offer.message_type, offer.yiaddr) == (MessageType.OFFER, ADDRESS)
        assert requests(bench.hear(REQUEST)) == []
        effects = bench.answer(MessageType.ACK)
        [request] = requests(effects)
        assert request.home_address == ADDRESS
        assert order(effects, Install) == ["Install"]  # P77

    @covers("D9")
    @pytest.mark.parametrize(("flags", "destination"), [(0, STATION.mac), (BROADCAST_FLAG, BROADCAST_MAC)])
    def test_answers_go_by_mac_or_to_all_if_the_client_said_so(self, flags: int, destination: Mac) -> None:
        """It has no address yet that could be found by ARP."""
        bench = RelayBench()
        bench.admit()
        [transmit] = only(Transmit, bench.answer(MessageType.OFFER, flags=flags))
        assert transmit.frame[:6] == destination

    @covers("D23", "D29")
    def test_the_ack_is_held_until_the_lma_has_accepted(self) -> None:
        bench = RelayBench()
        effects = bench.lease()
        assert told(effects) == []
        [request] = requests(effects)
        effects = bench.arrive(reply(request))
        [ack] = told(effects)
        assert (ack.message_type, ack.yiaddr, ack.lease_time, ack.server_identifier) == (
            MessageType.ACK,
            ADDRESS,
            LEASE,
            SERVER,
        )
        assert order(effects, Install, Transmit) == ["Install", "Transmit"]
        assert bench.visitor.lease_ends == pytest.approx(1000.0 + LEASE * 1.1)

    def test_an_lma_that_is_slow_lets_the_repeated_request_be_answered(self) -> None:
        """The old ACK is too old by then (RFC 2131 4.1)."""
        bench = RelayBench()
        bench.lease()
        [*_, last] = requests(bench.wait(4.5))
        assert told(bench.arrive(reply(last))) == []
        bench.hear(REQUEST)
        assert kinds(told(bench.answer(MessageType.ACK))) == [MessageType.ACK]

    def test_a_repeated_request_while_the_lma_is_silent_keeps_the_newest_ack(self) -> None:
        bench = RelayBench()
        bench.lease()
        bench.wait(4.2)
        bench.hear(REQUEST)
        assert told(bench.answer(MessageType.ACK)) == []
        [*_, last] = requests(bench.wait(1.5))
        assert kinds(told(bench.arrive(reply(last)))) == [MessageType.ACK]

    @pytest.mark.parametrize("code", [128, 139, 150])
    def test_refused_the_node_is_told_nak_and_the_lease_given_back(self, code: int) -> None:
        """Nothing is asked for in the place of it."""
        bench = RelayBench()
        [request] = requests(bench.lease())
        effects = bench.arrive(reply(request, code))
        assert kinds(told(effects)) == [MessageType.NAK]
        [(server, message)] = asked(effects)
        assert (server, message.message_type, message.ciaddr) == (SERVER, MessageType.RELEASE, ADDRESS)
        assert (message.op, message.chaddr) == (BOOTREQUEST, STATION.mac)
        assert requests(effects) == []
        assert note("dhcp-lease-returned", effects).details["address"] == "10.1.0.9"
        assert len(bench.engine.visitors) == 0
        assert bench.hear(DISCOVER) == []

    def test_a_binding_from_before_is_ended_and_the_node_begins_anew(self) -> None:
        """The server has given another address than last time; the LMA has the old one bound, elsewhere (P30)."""
        bench = RelayBench()
        [request] = requests(bench.lease())
        effects = bench.arrive(reply(request, 129))
        [any_address] = requests(effects)
        assert (any_address.home_address, told(effects)) == (UNSPECIFIED, [])
        effects = bench.arrive(reply(any_address, home=OTHER))
        assert kinds(told(effects)) == [MessageType.NAK]
        assert [message.message_type for _, message in asked(effects)] == [MessageType.RELEASE]
        [end] = requests(effects)
        assert (end.lifetime, end.home_address) == (0, OTHER)
        bench.arrive(reply(end, home=OTHER))
        effects = bench.serve()
        assert kinds(told(effects)) == [MessageType.ACK]

    def test_an_address_that_the_lma_will_never_take_is_tried_twice_and_not_for_ever(self) -> None:
        bench = RelayBench(reject_hold=30.0)
        [request] = requests(bench.lease())
        [any_address] = requests(bench.arrive(reply(request, 129)))
        [end] = requests(bench.arrive(reply(any_address, home=OTHER)))
        bench.arrive(reply(end, home=OTHER))
        [request] = requests(bench.lease())
        effects = bench.arrive(reply(request, 129))
        assert requests(effects) == []
        assert kinds(told(effects)) == [MessageType.NAK]
        assert [message.message_type for _, message in asked(effects)] == [MessageType.RELEASE]
        assert bench.hear(DISCOVER) == []  # held off

    def test_another_address_from_the_lma_is_given_back_on_both_sides(self) -> None:
        bench = RelayBench()
        [request] = requests(bench.lease())
        effects = bench.arrive(reply(request, home=OTHER))
        assert kinds(told(effects)) == [MessageType.NAK]
        assert [message.message_type for _, message in asked(effects)] == [MessageType.RELEASE]
        assert [(end.lifetime, end.home_address) for end in requests(effects)] == [(0, OTHER)]

    @pytest.mark.parametrize("code", [130, 133])
    def test_refused_for_now_the_ack_waits_with_the_registration(self, code: int) -> None:
        bench = RelayBench()
        [request] = requests(bench.lease())
        effects = bench.arrive(reply(request, code))
        assert told(effects) == []
        bench.at += 0.2
        bench.hear(REQUEST)  # it is still there
        bench.answer(MessageType.ACK)
        [again] = (requests(effects) or requests(bench.wait(1.5)))[-1:]
        assert kinds(told(bench.arrive(reply(again)))) == [MessageType.ACK]

    def test_who_asks_no_more_is_forgotten(self) -> None:
        bench = RelayBench(attach_probe_max_age=30.0)
        bench.admit()
        bench.wait(20)
        bench.hear(DISCOVER)
        bench.wait(29)
        assert len(bench.engine.visitors) == 1
        effects = bench.wait(2)
        assert note("visitor-vanished", effects).nai == STATION.nai
        assert requests(bench.effects) == []

    def test_a_release_or_decline_of_what_it_has_not_is_ignored(self) -> None:
        bench = RelayBench()
        bench.admit()
        effects = bench.hear(STATION.dhcp(MessageType.DECLINE, requested=ADDRESS, server=SERVER))
        assert asked(effects) == []
        assert note("frame-dropped", effects).reason == "dhcp-ignored"


class TestServers:
    """What they may say, and when."""

    def test_silence_is_noted_once_for_each_question(self) -> None:
        bench = RelayBench()
        bench.admit()
        assert names(bench.wait(SILENCE - 0.1)) == []
        silent = note("dhcp-unanswered", bench.wait(0.3))
        assert silent.cause == "no answer from 198.51.100.67, 198.51.100.68 to its discover"
        assert names(bench.wait(5)) == []

    def test_a_nak_is_passed_on_and_the_node_may_begin_again(self) -> None:
        bench = RelayBench()
        bench.admit(INIT_REBOOT)
        effects = bench.answer(MessageType.NAK, UNSPECIFIED)
        assert kinds(told(effects)) == [MessageType.NAK]
        assert requests(effects) == []
        assert len(asked(bench.hear(DISCOVER))) == 2

    def test_a_nak_to_a_registered_node_ends_its_binding(self) -> None:
        bench = RelayBench()
        bench.serve()
        bench.hear(INIT_REBOOT)
        effects = bench.answer(MessageType.NAK, UNSPECIFIED)
        assert kinds(told(effects)) == [MessageType.NAK]
        assert [end.lifetime for end in requests(effects)] == [0]

    def test_two_servers(self) -> None:
        bench = RelayBench()
        bench.admit()
        offers = [bench.answer(MessageType.OFFER), bench.answer(MessageType.OFFER, OTHER, server=SECOND)]
        assert [told(effects)[0].yiaddr for effects in offers] == [ADDRESS, OTHER]
        bench.hear(REQUEST)
        ignored = bench.answer(MessageType.NAK, UNSPECIFIED, server=SECOND)
        assert (told(ignored), notes(ignored)[0].reason) == ([], "dhcp-unexpected-reply")
        assert requests(bench.answer(MessageType.ACK))[0].home_address == ADDRESS

    def test_an_answer_for_a_node_that_has_left(self) -> None:
        bench = RelayBench()
        bench.serve()
        bench.hear(REQUEST)
        bench.take(bench.engine.detach(STATION.nai, bench.now))
        effects = bench.answer(MessageType.ACK)
        assert (told(effects), requests(effects)) == ([], [])
        discarded = note("message-discarded", effects)
        assert (discarded.reason, discarded.cause) == ("dhcp-unexpected-reply", "the node has left")

    def test_a_forged_answer_changes_nothing(self) -> None:
        bench = RelayBench()
        bench.admit(INIT_REBOOT)
        for effects in (
            bench.answer(MessageType.ACK, server=ipv4("203.0.113.66")),
            bench.answer(MessageType.ACK, xid=99),
            bench.answer(MessageType.ACK, giaddr=GATEWAY),
            bench.take(bench.engine.dhcp_received(b"\x02" * 300, Endpoint(SERVER, 67), bench.now)),
        ):
            assert names(effects) == ["message-discarded"]
        assert bench.visitor.state.value == "addressing"

    def test_a_server_that_ignores_the_subnet_is_named(self) -> None:
        bench = RelayBench(dhcp_subnet=ipv4("10.2.0.0"))
        bench.admit()
        discarded = note("message-discarded", bench.answer(MessageType.OFFER))
        assert discarded.reason == "dhcp-subnet-ignored"
        assert "option 118" in discarded.cause

    def test_another_address_in_the_place_of_the_registered_one(self) -> None:
        """The node begins anew: nobody keeps two."""
        bench = RelayBench()
        bench.serve()
        bench.hear(DISCOVER)
        bench.answer(MessageType.OFFER, OTHER)
        bench.hear(STATION.dhcp(MessageType.REQUEST, requested=OTHER, server=SERVER))
        effects = bench.answer(MessageType.ACK, OTHER)
        assert kinds(told(effects)) == [MessageType.NAK]
        assert [message.ciaddr for _, message in asked(effects)] == [OTHER]
        assert [(end.lifetime, end.home_address) for end in requests(effects)] == [(0, ADDRESS)]


class TestMovedHere:
    """A node that has its address already."""

    @having_an_address
    def test_is_registered_at_once_and_without_the_servers(self, frame: bytes) -> None:
        bench = RelayBench()
        effects = bench.admit(frame)
        assert [request.home_address for request in requests(effects)] == [ADDRESS]
        assert asked(effects) == []

    def test_a_rebinding_broadcast_registers_and_is_relayed(self) -> None:
        bench = RelayBench()
        effects = bench.admit(STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS))
        [request] = requests(effects)
        assert len(asked(effects)) == 2
        assert told(bench.answer(MessageType.ACK)) == []
        assert kinds(told(bench.arrive(reply(request)))) == [MessageType.ACK]

    def test_init_reboot_is_the_servers_to_decide(self) -> None:
        bench = RelayBench()
        assert requests(bench.admit(INIT_REBOOT)) == []
        assert requests(bench.answer(MessageType.ACK))[0].home_address == ADDRESS

    def test_the_first_packet_after_a_discover_without_answer(self) -> None:
        """A client whose servers are silent goes on with the lease that it has (RFC 2131 3.2)."""
        bench = RelayBench()
        bench.admit(INIT_REBOOT)
        effects = bench.hear(STATION.data(ADDRESS))
        assert [request.home_address for request in requests(effects)] == [ADDRESS]

    @pytest.mark.parametrize("sender", [ELSEWHERE, ipv4("169.254.7.9")])
    def test_an_address_from_elsewhere_is_none(self, sender: Ipv4) -> None:
        bench = RelayBench()
        assert bench.hear(STATION.arp(sender, GATEWAY)) == []
        bench.admit()
        assert requests(bench.hear(STATION.data(sender))) == []
        assert bench.visitor.state.value == "addressing"

    def test_refused_it_may_ask_the_servers_for_another_and_is_not_asked_for_twice(self) -> None:
        """P19, as far as it goes where servers give the addresses."""
        bench = RelayBench()
        [request] = requests(bench.admit(STATION.data(OTHER)))
        effects = bench.arrive(reply(request, 129))
        assert requests(effects) == []
        assert bench.visitor.state.value == "addressing"
        assert requests(bench.hear(STATION.data(OTHER))) == []
        bench.hear(DISCOVER)
        bench.answer(MessageType.OFFER)
        bench.hear(REQUEST)
        [request] = requests(bench.answer(MessageType.ACK))
        assert kinds(told(bench.arrive(reply(request)))) == [MessageType.ACK]


@covers("P65")
class TestLease:
    """Lease and binding live and end together."""

    def test_a_renewal_by_broadcast_extends_both(self) -> None:
        bench = RelayBench()
        bench.serve(lifetime=300)
        bench.at += 100
        bench.hear(STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS))
        assert kinds(told(bench.answer(MessageType.ACK))) == [MessageType.ACK]
        assert bench.visitor.lease_ends == pytest.approx(1100 + LEASE * 1.1)
        assert [request.home_address for request in requests(bench.wait(0.1))] == [ADDRESS]

    def test_a_renewal_through_the_tunnel_extends_both(self) -> None:
        bench = RelayBench()
        bench.serve(lifetime=300)
        bench.at += 100
        ask = DhcpMessage(op=BOOTREQUEST, xid=9, chaddr=STATION.mac, ciaddr=ADDRESS, options=((53, b"\x03"),))
        bench.show(udp_packet(Endpoint(ADDRESS, 68), Endpoint(SERVER, 67), ask.encode()))
        ack = DhcpMessage(
            op=BOOTREPLY,
            xid=9,
            chaddr=STATION.mac,
            yiaddr=ADDRESS,
            options=((53, b"\x05"), (51, (1200).to_bytes(4, "big"))),
        )
        effects = bench.show(udp_packet(Endpoint(SERVER, 67), Endpoint(ADDRESS, 68), ack.encode()))
        assert told(effects) == []
        assert bench.visitor.lease_ends == pytest.approx(1100 + 1200 * 1.1)
        bench.hear(STATION.arp(ADDRESS, GATEWAY))
        assert [request.home_address for request in requests(bench.wait(0.1))] == [ADDRESS]

    def test_a_lease_that_is_not_renewed_ends_the_binding(self) -> None:
        bench = RelayBench(attach_probe_max_age=1e6)
        bench.serve()
        assert requests(bench.wait(LEASE * 1.1 - 0.5)) == []
        effects = bench.wait(1)
        assert [end.lifetime for end in requests(effects)] == [0]
        assert note("visitor-left", effects).cause == "DHCP lease expired"

    def test_a_release_through_the_tunnel_ends_the_binding(self) -> None:
        bench = RelayBench()
        bench.serve()
        release = DhcpMessage(
            op=BOOTREQUEST, xid=9, chaddr=STATION.mac, ciaddr=ADDRESS, options=((53, b"\x07"),)
        )
        bench.show(udp_packet(Endpoint(ADDRESS, 68), Endpoint(SERVER, 67), release.encode()))
        effects = bench.wait(1.1)
        assert [end.lifetime for end in requests(effects)] == [0]
        assert only(Remove, effects)

    def test_a_client_that_releases_and_asks_again_at_once_is_served(self) -> None:
        bench = RelayBench()
        bench.serve()
        release = DhcpMessage(
            op=BOOTREQUEST, xid=9, chaddr=STATION.mac, ciaddr=ADDRESS, options=((53, b"\x07"),)
        )
        bench.show(udp_packet(Endpoint(ADDRESS, 68), Endpoint(SERVER, 67), release.encode()))
        bench.at += 0.3
        bench.hear(DISCOVER)
        bench.answer(MessageType.OFFER)
        bench.hear(REQUEST)
        assert kinds(told(bench.answer(MessageType.ACK))) == [MessageType.ACK]
        assert [end.lifetime for end in requests(bench.wait(2))] == []

    def test_a_release_before_the_registration_is_relayed_and_ends_it(self) -> None:
        """There is no tunnel for it yet."""
        bench = RelayBench()
        bench.admit(STATION.data(ADDRESS))
        effects = bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=SERVER))
        assert [message.message_type for _, message in asked(effects)] == [MessageType.RELEASE] * 2
        assert [end.lifetime for end in requests(effects)] == [0]

    def test_a_strangers_release_reaches_no_server(self) -> None:
        """Before AAA has accepted it: it might name another's client identifier (D35)."""
        bench = RelayBench()
        bench.attach(STATION.data(ADDRESS))
        effects = bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=SERVER))
        assert (asked(effects), requests(effects)) == ([], [])
        assert len(bench.engine.visitors) == 0

    def test_a_decline_is_relayed_and_ends_the_binding(self) -> None:
        bench = RelayBench()
        bench.serve()
        effects = bench.hear(STATION.dhcp(MessageType.DECLINE, requested=ADDRESS, server=SERVER))
        assert len(asked(effects)) == 2
        assert [end.lifetime for end in requests(effects)] == [0]

    @covers("D35")
    def test_a_decline_of_anothers_address_is_not(self) -> None:
        bench = RelayBench()
        bench.serve()
        effects = bench.hear(STATION.dhcp(MessageType.DECLINE, requested=OTHER, server=SERVER))
        assert (asked(effects), requests(effects)) == ([], [])

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"giaddr": GATEWAY}, "dhcp-relayed"),
            ({"op": BOOTREPLY}, "dhcp-not-a-request"),
            ({"chaddr": Station(2).mac}, "dhcp-spoofed-chaddr"),
        ],
    )
    def test_what_a_client_may_not_say_reaches_no_server(
        self, fields: dict[str, object], reason: str
    ) -> None:
        bench = RelayBench()
        bench.serve()
        values = {"op": BOOTREQUEST, "xid": 1, "chaddr": STATION.mac, **fields}
        message = DhcpMessage(options=((53, b"\x01"),), **values)  # type: ignore[arg-type]
        packet = udp_packet(
            Endpoint(UNSPECIFIED, 68), Endpoint(ipv4("255.255.255.255"), 67), message.encode()
        )
        effects = bench.hear(b"\xff" * 6 + STATION.mac + b"\x08\x00" + packet)
        assert asked(effects) == []
        assert note("frame-dropped", effects).reason == reason
