"""DHCP method "server": the table of docs/requirements.md row by row (P60, P66, D19-D24)."""

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.mag.effects import Authenticate, Forward, Transmit
from pmip_tw.mobility.effects import Install
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import GATEWAY, Station
from tests.conformance import covers
from tests.mag.bench import ADDRESS, Bench, note, only, order, reply, requests, told

STATION = Station(1)
OTHER = ipv4("10.1.0.44")
FOREIGN_SERVER = ipv4("10.1.0.200")


class TestDhcp:
    """The table of the DHCP server that a registration feeds."""

    def ask(self, bench: Bench, kind: MessageType, **fields: object) -> list[MessageType | None]:
        effects = bench.hear(STATION.dhcp(kind, **fields))  # type: ignore[arg-type]
        return [message.message_type for message in told(effects)]

    @covers("D23", "P60")
    def test_discover_is_answered_when_the_registration_is_accepted_and_not_before(self) -> None:
        bench = Bench()
        request = bench.begin()
        assert told(bench.effects) == []
        [offer] = told(bench.arrive(reply(request)))
        assert (offer.message_type, offer.yiaddr, offer.server_identifier) == (
            MessageType.OFFER,
            ADDRESS,
            GATEWAY,
        )

    def test_after_four_seconds_the_retransmission_is_answered_instead(self) -> None:
        bench = Bench()
        [*_, last] = [bench.begin(), *requests(bench.wait(4.5))]
        assert told(bench.arrive(reply(last))) == []
        assert self.ask(bench, MessageType.DISCOVER) == [MessageType.OFFER]

    @covers("P60", "D35")
    def test_registered(self) -> None:
        bench = Bench()
        bench.register()
        ask, kind = self.ask, MessageType
        assert ask(bench, kind.DISCOVER) == [kind.OFFER]
        assert ask(bench, kind.REQUEST, requested=ADDRESS, server=GATEWAY) == [kind.ACK]
        assert ask(bench, kind.REQUEST, requested=OTHER, server=GATEWAY) == [kind.NAK]
        assert ask(bench, kind.REQUEST, requested=ADDRESS) == [kind.ACK]
        assert ask(bench, kind.REQUEST, requested=OTHER) == [kind.NAK]
        assert ask(bench, kind.REQUEST, ciaddr=ADDRESS) == [kind.ACK]
        assert ask(bench, kind.REQUEST, ciaddr=ADDRESS, server=GATEWAY) == [kind.ACK]
        assert ask(bench, kind.REQUEST, ciaddr=OTHER) == [kind.NAK]
        assert ask(bench, kind.INFORM, ciaddr=ADDRESS) == [kind.ACK]
        assert ask(bench, kind.RELEASE, ciaddr=OTHER, server=GATEWAY) == []
        assert bench.visitor.state.value == "registered"

    @covers("P60")
    @pytest.mark.parametrize(("requested", "kind"), [(ADDRESS, MessageType.ACK), (OTHER, MessageType.NAK)])
    def test_init_reboot_elsewhere(self, requested: int, kind: MessageType) -> None:
        bench = Bench()
        request = bench.begin(STATION.dhcp(MessageType.REQUEST, requested=requested))  # type: ignore[arg-type]
        assert [answer.message_type for answer in told(bench.arrive(reply(request)))] == [kind]

    def test_an_lma_that_is_silent_leaves_the_node_its_address(self) -> None:
        bench = Bench(attach_probe_max_age=1000.0)
        bench.begin(STATION.dhcp(MessageType.REQUEST, requested=ADDRESS))
        assert told(bench.wait(70)) == []

    @covers("P21", "P60")
    @pytest.mark.parametrize(
        ("frame", "why"),
        [
            (STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY), "released"),
            (STATION.dhcp(MessageType.DECLINE, requested=ADDRESS, server=GATEWAY), "declined"),
        ],
    )
    def test_release_and_decline_deregister(self, frame: bytes, why: str) -> None:
        bench = Bench()
        bench.register()
        effects = bench.hear(frame)
        assert [request.lifetime for request in requests(effects)] == [0]
        assert why in note("visitor-left", effects).cause

    @covers("P15")
    @pytest.mark.parametrize(
        "last", [STATION.data(ADDRESS), STATION.arp(ADDRESS, GATEWAY)], ids=["packet", "arp"]
    )
    def test_what_was_under_way_before_a_release_brings_nobody_back(self, last: bytes) -> None:
        """A DHCP client says that it goes, and takes the address away a moment later; programs go on sending."""
        bench = Bench()
        bench.register()
        [farewell] = requests(bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY)))
        assert bench.hear(last) == []
        bench.arrive(reply(farewell))
        bench.wait(0.5)
        assert bench.hear(last) == []
        assert list(bench.engine.visitors) == []
        assert only(Authenticate, bench.hear(STATION.data(OTHER)))

    @covers("P15")
    @pytest.mark.parametrize(
        ("frame", "after"),
        [(STATION.dhcp(MessageType.DISCOVER), 0.1), (STATION.data(ADDRESS), 1.1)],
        ids=["DHCP", "packet"],
    )
    def test_who_released_its_address_may_come_back(self, frame: bytes, after: float) -> None:
        """By DHCP at once; one that goes on with the address all the same is served as well."""
        bench = Bench()
        bench.register()
        [farewell] = requests(bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY)))
        bench.arrive(reply(farewell))
        bench.wait(after)
        assert only(Authenticate, bench.hear(frame))

    def test_who_came_back_by_dhcp_is_here_again(self) -> None:
        """What claims to be it on another port, or takes it there, is no last packet."""
        bench = Bench()
        bench.register()
        [farewell] = requests(bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY)))
        bench.arrive(reply(farewell))
        bench.hear(STATION.dhcp(MessageType.DISCOVER))
        effects = bench.hear(STATION.data(ADDRESS), port="acc1")
        assert note("frame-dropped", effects).reason == "duplicate-mac"

    @covers("P21")
    def test_released_while_registering_is_not_forgotten_however_late_the_lma_answers(self) -> None:
        bench = Bench()
        bench.begin(STATION.data(ADDRESS))
        bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY))
        [*_, last] = requests(bench.wait(8))
        effects = bench.arrive(reply(last))
        assert [request.lifetime for request in requests(effects)] == [0]
        assert order(effects, Install, Forward) == []

    @covers("D20", "P15")
    def test_a_renewal_of_the_lease_shows_that_the_node_is_there(self) -> None:
        """Nothing else was heard of it, and nobody looks for it."""
        bench = Bench()
        visitor = bench.register()
        assert visitor.grant is not None
        bench.wait(visitor.grant.renew_at - bench.at - 1)
        assert self.ask(bench, MessageType.REQUEST, ciaddr=ADDRESS, server=GATEWAY) == [MessageType.ACK]
        effects = bench.wait(1.1)
        assert len(requests(effects)) == 1
        assert only(Transmit, effects) == []

    def test_another_server_chosen(self) -> None:
        bench = Bench()
        bench.register()
        self.ask(bench, MessageType.REQUEST, requested=OTHER, server=FOREIGN_SERVER)
        assert requests(bench.wait(9.9)) == []
        effects = bench.wait(0.2)
        assert [request.lifetime for request in requests(effects)] == [0]
        assert "another DHCP server" in note("visitor-left", effects).cause

    @covers("D35")
    def test_giving_back_another_servers_address_ends_nothing(self) -> None:
        bench = Bench()
        bench.register()
        self.ask(bench, MessageType.DECLINE, requested=OTHER, server=FOREIGN_SERVER)
        assert requests(bench.wait(60)) == []

    @covers("D19", "D22", "P60")
    def test_a_lease_that_ran_out_with_its_grace_ends_the_visit(self) -> None:
        """D22: a lease of 60 s at least, and a tenth more."""
        bench = Bench(attach_probe_max_age=1e6)
        bench.register(lifetime=30)
        assert self.ask(bench, MessageType.REQUEST, ciaddr=ADDRESS) == [MessageType.ACK]
        ended_at = 0.0
        for _ in range(300):
            for request in requests(bench.wait(0.25)):
                if request.lifetime == 0:
                    ended_at = bench.at
                else:
                    bench.arrive(reply(request, lifetime=30))
            if ended_at:
                break
        assert ended_at - 1000 == pytest.approx(66, abs=0.5)
        assert note("visitor-left", bench.effects).cause == "DHCP lease expired"

    @covers("P60")
    @pytest.mark.parametrize("code", [1, 129])
    def test_a_node_that_never_comes_back_after_its_nak_does_not_stay_registered(self, code: int) -> None:
        """INIT-REBOOT with an address that the LMA replaces (1) or refuses, and then assigns another (129)."""
        bench = Bench(attach_probe_max_age=1e6)
        effects = bench.arrive(reply(bench.begin(STATION.dhcp(MessageType.REQUEST, requested=OTHER)), code))
        assert [answer.message_type for answer in told(effects)] == [MessageType.NAK]
        for request in requests(effects):
            bench.arrive(reply(request))
        assert bench.visitor.state.value == "registered"
        assert requests(bench.wait(59)) == []
        effects = bench.wait(2)
        assert [request.lifetime for request in requests(effects)] == [0]
        assert "refused by DHCP" in note("visitor-left", effects).cause

    @covers("P60")
    def test_a_node_that_begins_again_after_its_nak_stays(self) -> None:
        bench = Bench(attach_probe_max_age=1e6)
        bench.arrive(reply(bench.begin(STATION.dhcp(MessageType.REQUEST, requested=OTHER))))
        bench.wait(50)
        assert self.ask(bench, MessageType.DISCOVER) == [MessageType.OFFER]
        assert self.ask(bench, MessageType.REQUEST, requested=ADDRESS, server=GATEWAY) == [MessageType.ACK]
        assert [request.lifetime for request in requests(bench.wait(600))] == []

    @covers("P60", "P66")
    def test_a_new_mag_renews_a_lease_that_another_one_gave(self) -> None:
        """In the middle of its lease the node moved: its data, then its unicast renewal to the common server."""
        bench = Bench()
        bench.register(STATION.data(ADDRESS))
        assert self.ask(bench, MessageType.REQUEST, ciaddr=ADDRESS, server=GATEWAY) == [MessageType.ACK]
        assert told(bench.effects)[-1].server_identifier == GATEWAY

    @covers("P60")
    def test_a_lease_that_a_new_mag_knows_nothing_of_ends_nothing(self) -> None:
        """Until the node renews, its presence decides."""
        bench = Bench()
        bench.register(STATION.data(ADDRESS))
        bench.arrive(reply(bench.renew()))
        assert bench.visitor.state.value == "registered"
