"""DHCP method "relay": the registration first, then the DISCOVER, and one address of both (P61, D28).

node          MAG                   LMA      DHCP server
 |--DISCOVER-->|--registration------->|          |
 |             |<-accepted, address---|          |
 |             |--DISCOVER, its subnet---------->|
 |<-OFFER------|<---------------------------OFFER|
"""

import pytest

from pmip_tw.addresses import UNSPECIFIED, Ipv4, ipv4
from pmip_tw.dhcp.relaying import Fact, RelayPolicy
from pmip_tw.mag.addressing.registered_first import FOLLOWED_FOR
from pmip_tw.mag.effects import Authenticate, MagEffect
from pmip_tw.wire.dhcp import DhcpMessage, MessageType, OptionCode
from pmip_tw.wire.relay_information import RelayInformation, SubOptionCode
from tests.agents.world import HOME, Station
from tests.conformance import covers
from tests.mag.bench import ADDRESS, MAG, accept, having_an_address, names, note, only, reply, requests, told
from tests.mag.test_relayed import SECOND, SERVER, RelayBench, asked, kinds

pytestmark = covers("P61", "D28")

STATION = Station(1)
OTHER = ipv4("10.1.0.44")
THIRD = ipv4("10.1.0.45")
DISCOVER = STATION.dhcp(MessageType.DISCOVER)
REQUEST = STATION.dhcp(MessageType.REQUEST, requested=ADDRESS, server=SERVER)
ALL_FACTS = frozenset(Fact) - {Fact.SERVER_IDENTIFIER_OVERRIDE}


class FirstBench(RelayBench):
    """``follow``: does the server's word count?"""

    def __init__(
        self, *, follow: bool = True, option_82: frozenset[Fact] = ALL_FACTS, **policy: object
    ) -> None:
        relay = RelayPolicy(servers=(SERVER, SECOND), giaddr=MAG, option_82=option_82)
        super().__init__(**{"dhcp": "relay", "dhcp_relay": relay, "follow_dhcp": follow, **policy})

    def registered(self, home: Ipv4 = ADDRESS, frame: bytes = DISCOVER) -> list[MagEffect]:
        [request] = requests(self.admit(frame))
        return self.arrive(reply(request, home=home))


def information(message: DhcpMessage) -> RelayInformation:
    told_of = message.option(OptionCode.RELAY_AGENT_INFORMATION)
    assert told_of is not None
    return RelayInformation.decode(told_of)


class TestFirstAddress:
    def test_the_discover_waits_for_the_registration(self) -> None:
        bench = FirstBench()
        effects = bench.admit()
        [request] = requests(effects)
        assert request.home_address == UNSPECIFIED
        assert asked(effects) == []
        relayed = asked(bench.arrive(reply(request)))
        assert [server for server, _ in relayed] == [SERVER, SECOND]
        assert kinds([message for _, message in relayed]) == [MessageType.DISCOVER] * 2

    @covers("D12", "D13", "D16", "D32")
    def test_servers_are_told_whose_it_is_and_on_which_link(self) -> None:
        bench = FirstBench()
        bench.profile = {}
        [request] = requests(
            bench.decide(
                bench.attach(DISCOVER),
                accept(STATION, framed_pool=b"gold", classes=(b"secret-of-aaa",), session_timeout=600),
            )
        )
        _, message = asked(bench.arrive(reply(request)))[0]
        assert message.giaddr == MAG
        found = information(message)
        assert dict(found.sub_options)[SubOptionCode.SUBSCRIBER_ID] == STATION.nai.encode()
        assert dict(found.sub_options)[SubOptionCode.LINK_SELECTION] == HOME.network.to_bytes(4, "big")
        attributes = dict(found.sub_options)[SubOptionCode.RADIUS_ATTRIBUTES]
        nai = STATION.nai.encode()
        assert attributes.startswith(bytes((1, 2 + len(nai))) + nai + b"\x58\x06gold")
        assert b"secret-of-aaa" not in attributes

    def test_one_address_of_both(self) -> None:
        bench = FirstBench()
        bench.registered()
        [offer] = told(bench.answer(MessageType.OFFER))
        assert offer.yiaddr == ADDRESS
        bench.hear(REQUEST)
        effects = bench.answer(MessageType.ACK)
        [ack] = told(effects)
        assert (ack.message_type, ack.yiaddr) == (MessageType.ACK, ADDRESS)
        assert requests(effects) == []
        assert bench.visitor.lease_ends is not None

    def test_nothing_is_relayed_of_whom_the_lma_refuses(self) -> None:
        bench = FirstBench()
        [request] = requests(bench.admit())
        effects = bench.arrive(reply(request, 128))
        assert asked(effects) == told(effects) == []
        assert list(bench.engine.visitors) == []

    def test_what_is_too_old_by_then_is_not_relayed(self) -> None:
        """The client asks again."""
        bench = FirstBench()
        [request] = requests(bench.admit())
        bench.at += 4.5
        assert asked(bench.arrive(reply(request))) == []
        assert len(asked(bench.hear(DISCOVER))) == 2

    def test_the_address_of_aaa_is_registered(self) -> None:
        bench = FirstBench()
        asks = bench.attach(DISCOVER)
        [request] = requests(bench.decide(asks, accept(STATION, home=OTHER)))
        assert request.home_address == OTHER

    def test_an_address_from_before_is_asked_for_and_any_other_if_it_is_refused(self) -> None:
        bench = FirstBench()
        [request] = requests(bench.admit(STATION.dhcp(MessageType.REQUEST, requested=OTHER)))
        assert request.home_address == OTHER
        [second] = requests(bench.arrive(reply(request, 129)))
        assert second.home_address == UNSPECIFIED
        assert len(asked(bench.arrive(reply(second)))) == 2


class TestTwoAddresses:
    """The server offers another one than the LMA has given."""

    def test_the_offer_is_dropped(self) -> None:
        bench = FirstBench(follow=False)
        bench.registered()
        effects = bench.answer(MessageType.OFFER, OTHER)
        assert told(effects) == requests(effects) == []
        noted = note("dhcp-offer-differs", effects)
        assert noted.reason == "other-address"
        assert "10.1.0.44" in noted.cause and "10.1.0.9" in noted.cause
        assert bench.visitor.home_address == ADDRESS
        [offer] = told(bench.answer(MessageType.OFFER, server=SECOND))
        assert offer.yiaddr == ADDRESS

    def test_it_is_followed(self) -> None:
        """The binding ends; the next one is with the address that the server offers."""
        bench = FirstBench()
        bench.registered()
        effects = bench.answer(MessageType.OFFER, OTHER)
        assert told(effects) == []
        [farewell] = requests(effects)
        assert (farewell.lifetime, farewell.home_address) == (0, ADDRESS)
        bench.arrive(reply(farewell))
        bench.at += 4
        [request] = requests(bench.admit())
        assert request.home_address == OTHER
        bench.arrive(reply(request, home=OTHER))
        [offer] = told(bench.answer(MessageType.OFFER, OTHER))
        assert offer.yiaddr == OTHER

    def test_once_in_a_minute(self) -> None:
        """Or two servers would have it change its address for ever."""
        bench = FirstBench()
        bench.registered()
        [farewell] = requests(bench.answer(MessageType.OFFER, OTHER))
        bench.arrive(reply(farewell))
        bench.at += 4
        [request] = requests(bench.admit())
        bench.arrive(reply(request, home=OTHER))
        effects = bench.answer(MessageType.OFFER, THIRD)
        assert requests(effects) == told(effects) == []
        assert bench.visitor.home_address == OTHER

    def test_an_offer_that_the_lma_does_not_take_is_followed_no_more(self) -> None:
        bench = FirstBench()
        bench.registered()
        [farewell] = requests(bench.answer(MessageType.OFFER, OTHER))
        bench.arrive(reply(farewell))
        bench.at += 4
        [request] = requests(bench.admit())
        [second] = requests(bench.arrive(reply(request, 129)))
        assert second.home_address == UNSPECIFIED
        bench.arrive(reply(second))
        assert requests(bench.answer(MessageType.OFFER, OTHER)) == []
        assert bench.visitor.home_address == ADDRESS

    def test_what_aaa_has_named_is_not_given_up(self) -> None:
        bench = FirstBench()
        [request] = requests(bench.decide(bench.attach(DISCOVER), accept(STATION, home=ADDRESS)))
        bench.arrive(reply(request))
        effects = bench.answer(MessageType.OFFER, OTHER)
        assert requests(effects) == told(effects) == []

    def test_an_ack_of_another_address_is_taken_back(self) -> None:
        bench = FirstBench()
        bench.registered()
        bench.answer(MessageType.OFFER)
        bench.hear(REQUEST)
        effects = bench.answer(MessageType.ACK, OTHER)
        [nak] = told(effects)
        assert nak.message_type is MessageType.NAK
        assert kinds([message for _, message in asked(effects)]) == [MessageType.RELEASE]
        assert requests(effects)[0].lifetime == 0

    def test_it_is_forgotten_after_a_minute(self) -> None:
        bench = FirstBench()
        bench.registered()
        [farewell] = requests(bench.answer(MessageType.OFFER, OTHER))
        bench.arrive(reply(farewell))
        bench.at += FOLLOWED_FOR
        [request] = requests(bench.admit())
        assert request.home_address == UNSPECIFIED


class TestMoved:
    @having_an_address
    def test_who_comes_with_an_address_is_registered_with_it(self, frame: bytes) -> None:
        bench = FirstBench()
        request = bench.begin(frame)
        assert request.home_address == ADDRESS
        effects = bench.arrive(reply(request))
        assert bench.visitor.state.value == "registered"
        assert told(effects) == []

    def test_who_may_not_use_it_is_not_served_with_another(self) -> None:
        bench = FirstBench()
        request = bench.begin(STATION.data(ADDRESS))
        effects = bench.arrive(reply(request, 129))
        assert requests(effects) == []
        assert list(bench.engine.visitors) == []


class TestOverride:
    """Nodes take the MAG for their server (D14, D30)."""

    @pytest.fixture(params=["relay", "ack-trigger"])
    def bench(self, request: pytest.FixtureRequest) -> FirstBench:
        bench = FirstBench(option_82=frozenset({Fact.SERVER_IDENTIFIER_OVERRIDE}), dhcp=request.param)
        if request.param == "relay":
            bench.registered()
        else:
            bench.admit()
        bench.answer(MessageType.OFFER)
        bench.hear(REQUEST)
        for ask in requests(bench.answer(MessageType.ACK)):
            bench.arrive(reply(ask))
        return bench

    @covers("D30")
    def test_renewals_are_relayed_and_the_servers_know_that_they_were_for_one(
        self, bench: FirstBench
    ) -> None:
        entry = bench.visitor.entry(upstream=True)
        assert entry is not None and not entry.shows_dhcp
        before = bench.visitor.lease_ends
        bench.at += 200
        bench.random = b"\1"
        relayed = asked(bench.hear(STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS, destination=MAG)))
        assert len(relayed) == 2
        found = dict(information(relayed[0][1]).sub_options)
        assert found[SubOptionCode.FLAGS] == b"\x80"
        assert found[SubOptionCode.SERVER_IDENTIFIER_OVERRIDE] == MAG.to_bytes(4, "big")
        [ack] = told(bench.answer(MessageType.ACK))
        assert ack.yiaddr == ADDRESS
        assert bench.visitor.lease_ends != before

    @covers("D30")
    def test_what_was_for_all_is_told_as_such(self, bench: FirstBench) -> None:
        relayed = asked(bench.hear(STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS)))
        assert dict(information(relayed[0][1]).sub_options)[SubOptionCode.FLAGS] == b"\0"

    @covers("D30", "D35")
    def test_a_release_reaches_the_servers_and_ends_the_binding(self, bench: FirstBench) -> None:
        effects = bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=MAG, destination=MAG))
        assert kinds([message for _, message in asked(effects)]) == [MessageType.RELEASE] * 2
        assert requests(effects)[0].lifetime == 0

    def test_without_it_such_packets_are_the_nodes_own(self) -> None:
        bench = FirstBench()
        bench.registered()
        effects = bench.hear(STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS, destination=SERVER))
        assert asked(effects) == []


def test_a_restart_knows_the_pool_that_aaa_has_named() -> None:
    bench = FirstBench()
    [request] = requests(bench.decide(bench.attach(DISCOVER), accept(STATION, framed_pool=b"gold")))
    bench.arrive(reply(request))
    bench.restart()
    _, message = asked(bench.hear(DISCOVER))[0]
    assert b"gold" in dict(information(message).sub_options)[SubOptionCode.RADIUS_ATTRIBUTES]


def test_nothing_is_asked_of_servers_before_aaa() -> None:
    bench = FirstBench()
    effects = bench.hear(DISCOVER)
    assert len(only(Authenticate, effects)) == 1
    assert asked(effects) == []
    assert "attached" in names(effects)
