"""AAA acts on visitors (RFC 5176, AA15-AA18): Disconnect ends the visit at once, a change applies at once.

AAA                 MAG                    LMA
 | disconnect(mn1) -> |                      |
 |                    | Remove, Departed     |
 |                    | --- lifetime 0 ----> |
 | <----------- Done -|                      |
"""

import attrs
import pytest

from pmip_tw.aaa.accounting.records import TerminateCause, common_id
from pmip_tw.aaa.dynamic_authorization import Change, Done, ErrorCause, Outcome, Refused, Selection
from pmip_tw.aaa.verdicts import AuthorizeOnly, Reject
from pmip_tw.addresses import mac_text
from pmip_tw.mag.effects import Authenticate, Expel, MagEffect, Save, SessionOver
from pmip_tw.mag.journal.records import Departed, Visiting
from pmip_tw.mag.session.accounted import session_of
from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.mobility.filter_grammar import filter_rule
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.mobility.tunnels import AccessEntry
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import GATEWAY_MAC, PORT, Station
from tests.conformance import covers
from tests.mag.bench import ADDRESS, Bench, accept, names, note, only, order, reply, requests
from tests.mag.supplicants import FAILURE, EapBench, said
from tests.mag.test_elsewhere import KEY, BehindAccessPoints
from tests.mag.test_restart import portrait

GUESTS = PacketFilter("guests", (filter_rule("permit both udp 10.9.0.53 port 53"),))
QUIET = PacketFilter("quiet", (filter_rule("deny both tcp any port 25"),), permits_others=True)
FILTERS = {one.name: one for one in (GUESTS, QUIET)}

WHO = Selection(user_name="mn1@example.net")
SECOND = Station(2)


def disconnect(bench: Bench, selection: Selection = WHO) -> tuple[Outcome, list[MagEffect]]:
    outcome, effects = bench.engine.sessions.disconnect(selection, bench.now)
    return outcome, bench.take(effects)


def change(bench: Bench, selection: Selection = WHO, **what: object) -> tuple[Outcome, list[MagEffect]]:
    outcome, effects = bench.engine.sessions.change(selection, Change(**what), bench.now)  # type: ignore[arg-type]
    return outcome, bench.take(effects)


def entries(effects: list[MagEffect]) -> list[AccessEntry]:
    return [install.entry for install in only(Install, effects) if isinstance(install.entry, AccessEntry)]


class TestDisconnect:
    """AA17."""

    @covers("AA17")
    def test_it_deregisters_and_ends_access_at_once(self) -> None:
        bench = Bench()
        visitor = bench.register()
        outcome, effects = disconnect(bench)
        assert outcome == Done(1)
        assert order(effects, Remove, Send) == ["Remove", "Send"]
        [request] = requests(effects)
        assert (request.lifetime, request.home_address) == (0, ADDRESS)
        assert only(SessionOver, effects) == [
            SessionOver(visitor.accounting_id, TerminateCause.ADMIN_RESET, False)
        ]
        assert note("visitor-left", effects).cause == "disconnected by AAA"

    @covers("AA17")
    def test_it_does_not_come_back_at_once(self) -> None:
        """AAA may have nothing against a MAC that it is asked about in the next second."""
        bench = Bench(reject_hold=30.0)
        bench.register()
        _, effects = disconnect(bench)
        bench.arrive(reply(requests(effects)[0]))
        discover = bench.station.dhcp(MessageType.DISCOVER)
        assert only(Authenticate, bench.hear(discover)) == []
        bench.wait(29)
        assert only(Authenticate, bench.hear(discover)) == []
        bench.wait(2)
        assert len(only(Authenticate, bench.hear(discover))) == 1

    @covers("AA17")
    def test_who_is_being_registered_is_disconnected_as_well(self) -> None:
        """Its request may have been accepted: it is given up with it."""
        bench = Bench()
        bench.begin()
        outcome, effects = disconnect(bench)
        assert outcome == Done(1)
        [request] = requests(effects)
        assert request.lifetime == 0

    @covers("AA17")
    def test_it_stays_ended_over_a_restart(self) -> None:
        bench = Bench()
        bench.register()
        _, effects = disconnect(bench)
        bench.restart()
        assert len(bench.engine.visitors) == 0
        assert "visitor-left" in names(effects)

    @covers("AA15")
    def test_everything_that_accounting_has_said_of_it_is_true_of_it(self) -> None:
        bench = Bench()
        visitor = bench.register()
        told = session_of(visitor)
        selection = Selection(
            user_name=told.nai.decode(),
            calling_station=told.mac,
            called_station=mac_text(GATEWAY_MAC, "-").upper(),
            home_address=told.home_address,
            port=told.port,
            accounting_session=told.id,
            multi_session=told.multi_id,
        )
        other = attrs.evolve(selection, called_station="02-00-00-00-00-77")
        assert isinstance(disconnect(bench, other)[0], Refused)
        assert disconnect(bench, selection)[0] == Done(1)

    @covers("AA15")
    def test_whoever_is_not_there_is_not_found(self) -> None:
        bench = Bench()
        bench.attach()  # nobody knows who it is yet
        for selection in (WHO, Selection(calling_station=mac_text(bench.station.mac)), Selection()):
            outcome, effects = disconnect(bench, selection)
            assert isinstance(outcome, Refused) and outcome.cause is ErrorCause.SESSION_CONTEXT_NOT_FOUND
            assert effects == []

    @covers("AA15")
    def test_who_is_leaving_is_not_there(self) -> None:
        bench = Bench()
        bench.register()
        disconnect(bench)
        outcome, effects = disconnect(bench)
        assert isinstance(outcome, Refused)
        assert effects == []

    @covers("AA15")
    @pytest.mark.parametrize(
        "named",
        [
            "user_name",
            "letters",
            "mac",
            "calling_station",
            "home_address",
            "port",
            "accounting",
            "multi",
            "aaa",
        ],
    )
    def test_it_is_named_by_whatever_is_known_of_it(self, named: str) -> None:
        bench = Bench()
        bench.profile = {"chargeable_identity": b"cui", "aaa_session_id": b"s", "correlation_id": b"c"}
        visitor = bench.register()
        bench.profile = {}
        bench.register(station=SECOND, home=ADDRESS + 1)
        selection = {
            "user_name": Selection(user_name=visitor.nai),
            "letters": Selection(user_name=visitor.nai.upper()),
            "mac": Selection(user_name=mac_text(visitor.mac, "-")),
            "calling_station": Selection(calling_station=mac_text(visitor.mac, "-").upper()),
            "home_address": Selection(home_address=ADDRESS),
            "port": Selection(port=visitor.key.port, home_address=ADDRESS),
            "accounting": Selection(accounting_session=visitor.accounting_id),
            "multi": Selection(multi_session=common_id(visitor.nai.encode(), ADDRESS)),
            "aaa": Selection(chargeable_identity=b"cui", aaa_session=b"s", correlation=b"c"),
        }[named]
        outcome, _ = disconnect(bench, selection)
        assert outcome == Done(1)
        assert bench.engine.visitors.with_nai(SECOND.nai) is not None
        assert visitor.state.value == "leaving"

    @covers("AA15")
    def test_several_are_ended_together(self) -> None:
        bench = Bench()
        bench.register()
        bench.register(station=SECOND, home=ADDRESS + 1)
        outcome, effects = disconnect(bench, Selection(port=PORT))
        assert outcome == Done(2)
        assert len(requests(effects)) == 2


class TestChange:
    """AA18."""

    @covers("AA18", "AA25")
    def test_a_filter_applies_at_once(self) -> None:
        bench = Bench(filters=FILTERS)
        bench.register()
        outcome, effects = change(bench, filter_ids=("guests",))
        assert outcome == Done(1)
        [entry] = entries(effects)
        assert entry.filters == (GUESTS,)
        assert entry.upstream
        assert note("authorization-changed", effects).details["filter_ids"] == "guests"

    @covers("AA18", "AA25")
    def test_it_stays_over_renewals_and_a_restart(self) -> None:
        bench = Bench(filters=FILTERS)
        bench.register()
        change(bench, filter_ids=("guests",))
        [renewed] = entries(bench.arrive(reply(bench.renew())))
        assert renewed.filters == (GUESTS,)
        before = portrait(bench.visitor)
        [restored] = entries(bench.restart())
        assert restored.filters == (GUESTS,)
        assert portrait(bench.visitor) == before

    @covers("AA25")
    def test_an_unknown_filter_changes_nothing_at_all(self) -> None:
        bench = Bench(filters=FILTERS, ignores_unknown_filters=True)
        bench.register()
        before = portrait(bench.visitor)
        outcome, effects = change(bench, filter_ids=("guests", "unheard-of"), session_timeout=5)
        assert isinstance(outcome, Refused) and outcome.cause is ErrorCause.INVALID_ATTRIBUTE_VALUE
        assert "unheard-of" in outcome.why
        assert (effects, portrait(bench.visitor)) == ([], before)

    @covers("AA18")
    def test_a_session_timeout_counts_from_now(self) -> None:
        bench = Bench()
        bench.profile = {"session_timeout": 5000}
        bench.register()
        bench.wait(300)
        _, effects = change(bench, session_timeout=60)
        [saved] = [record for save in only(Save, effects) for record in save.records]
        assert isinstance(saved, Visiting) and saved.session_ends == bench.at + 60
        assert only(SessionOver, bench.wait(59)) == []
        [over] = only(SessionOver, bench.wait(2))
        assert over.terminate_cause is TerminateCause.SESSION_TIMEOUT

    @covers("AA18")
    def test_no_session_timeout_any_more(self) -> None:
        bench = Bench()
        bench.profile = {"session_timeout": 60}
        bench.register()
        change(bench, session_timeout=0)
        assert only(SessionOver, bench.wait(61)) == []

    @covers("AA18")
    def test_a_session_timeout_stays_over_a_restart(self) -> None:
        bench = Bench()
        bench.register()
        change(bench, session_timeout=60)
        bench.restart(downtime=20)
        assert only(SessionOver, bench.wait(39)) == []
        assert len(only(SessionOver, bench.wait(2))) == 1

    @covers("AA18")
    def test_an_interim_interval_is_what_aaa_said_last(self) -> None:
        bench = Bench()
        bench.profile = {"interim_interval": 600}
        bench.register()
        change(bench, interim_interval=60)
        profile = bench.visitor.profile
        assert profile is not None and profile.interim_interval == 60

    @covers("AA18")
    def test_what_is_not_said_stays(self) -> None:
        bench = Bench(filters=FILTERS)
        bench.profile = {"session_timeout": 5000, "idle_timeout": 900, "filter_ids": ("quiet",)}
        bench.register()
        before = bench.visitor.profile
        assert before is not None
        ends = bench.visitor.session_ends
        _, effects = change(bench, idle_timeout=300)
        assert bench.visitor.profile == attrs.evolve(before, idle_timeout=300)
        assert bench.visitor.session_ends == ends
        assert entries(effects) == [], "the packet plane need not hear of it"

    @covers("AA18", "AA25")
    def test_who_is_being_registered_gets_it_too(self) -> None:
        """What comes early for it (P77) passes the filter already, and what is registered has it."""
        bench = Bench(filters=FILTERS)
        station = bench.station
        request = bench.begin(station.data(ADDRESS))
        _, effects = change(bench, filter_ids=("guests",))
        [provisional] = entries(effects)
        assert (provisional.filters, provisional.upstream) == ((GUESTS,), False)
        [final] = entries(bench.arrive(reply(request)))
        assert (final.filters, final.upstream) == ((GUESTS,), True)

    def test_all_of_several_or_none(self) -> None:
        bench = Bench(filters=FILTERS)
        bench.register()
        bench.register(station=SECOND, home=ADDRESS + 1)
        outcome, effects = change(bench, Selection(port=PORT), filter_ids=("quiet",))
        assert outcome == Done(2)
        assert [entry.filters for entry in entries(effects)] == [(QUIET,), (QUIET,)]


def test_a_departure_is_written_down_before_anything_is_sent() -> None:
    """A crash in between: the LMA still has the binding, and the node does not come back by itself."""
    bench = Bench()
    bench.register()
    _, effects = bench.engine.sessions.disconnect(WHO, bench.now)
    [save] = [effect for effect in effects if getattr(effect, "records", ())]
    assert isinstance(save.records[0], Departed)
    assert only(Send, save.then)


class TestBehindAnAccessPoint:
    """AA27: who was let in by one is expelled there, and its limits outlive the visit."""

    @covers("AA17", "AA27")
    def test_the_access_point_is_told(self) -> None:
        bench = BehindAccessPoints()
        [request] = requests(bench.let_in())
        bench.arrive(reply(request))
        _, effects = disconnect(bench)
        assert [expel.key for expel in only(Expel, effects)] == [KEY]
        assert bench.hear(bench.station.dhcp(MessageType.DISCOVER)) == []

    @covers("AA27")
    def test_what_aaa_says_when_it_is_asked_again_counts_there_too(self) -> None:
        """The session ends when its access point has not had it examined anew in time."""
        bench = BehindAccessPoints(filters=FILTERS)
        limits: dict[str, object] = {"session_timeout": 100, "reauthenticate": True}
        bench.serve(**limits)
        bench.wait(50)
        reauthorize(bench)
        [asked] = only(Authenticate, bench.wait(0.1))
        bench.decide(asked, accept(bench.station, filter_ids=("guests",), **limits))
        assert [one.name for one in bench.visitor.filters] == ["guests"]
        effects = bench.wait(131)
        assert note("visitor-left", effects).cause == "the session timeout that AAA set is over"

    @covers("AA18", "AA27")
    def test_a_change_counts_for_the_next_visit_too(self) -> None:
        """Its access point does not ask AAA again before that."""
        bench = BehindAccessPoints(filters=FILTERS)
        [request] = requests(bench.let_in())
        bench.arrive(reply(request))
        change(bench, filter_ids=("guests",), session_timeout=5000)
        ends = bench.at + 5000
        farewell = requests(bench.take(bench.wait(1000)))  # silent: it is de-registered
        bench.arrive(reply(farewell[-1]))
        bench.hear(bench.station.data(ADDRESS))
        assert bench.visitor.filters == (GUESTS,)
        assert bench.visitor.session_ends == ends

    @covers("AA25", "AA27")
    def test_an_unknown_filter_keeps_it_out(self) -> None:
        """Its access point is told Reject, as if AAA had said so."""
        bench = BehindAccessPoints(filters=FILTERS)
        verdict = bench.engine.judged(accept(bench.station, filter_ids=("unheard-of",)))
        assert isinstance(verdict, Reject) and "unheard-of" in verdict.cause
        fine = accept(bench.station, filter_ids=("guests",))
        assert bench.engine.judged(fine) is fine


class TestBy8021x:
    """The supplicant hears of it."""

    @covers("AA17")
    def test_a_failure_and_a_pause(self) -> None:
        bench = EapBench(reject_hold=30.0)
        bench.registered()
        outcome, effects = disconnect(bench)
        assert outcome == Done(1)
        assert [code for code, *_ in said(effects)] == [FAILURE]
        bench.arrive(reply(requests(effects)[0]))
        assert said(bench.start()) == [], "it is not heard at once"
        assert [kind for _, _, kind in said(bench.wait(31))][:1] == [1], "then it is asked who it is"

    @covers("AA16")
    def test_authorize_only_asks_aaa_while_the_session_goes_on(self) -> None:
        bench = EapBench()
        visitor = bench.registered()
        outcome, effects = reauthorize(bench)
        assert (outcome, only(Authenticate, effects)) == (Done(1), []), (
            "AAA hears first that it will be asked"
        )
        [asked] = only(Authenticate, bench.wait(0.1))
        assert asked.credential == AuthorizeOnly(
            mac=visitor.mac, port=visitor.key.port, nai=visitor.nai, state=b"as AAA said"
        )
        effects = bench.decide(asked, accept(bench.station, session_timeout=60))
        assert "reauthorized" in names(effects)
        assert only(Remove, effects) == [] and requests(effects) == []
        assert bench.visitor.session_ends == bench.at + 60

    @covers("AA16")
    def test_its_reject_ends_the_session(self) -> None:
        bench = EapBench()
        bench.registered()
        reauthorize(bench)
        [asked] = only(Authenticate, bench.wait(0.1))
        [over] = only(SessionOver, bench.decide(asked, Reject("not any more")))
        assert over.terminate_cause is TerminateCause.REAUTHENTICATION_FAILURE

    @covers("AA16", "AA25")
    def test_an_unknown_filter_is_a_reject_here_too(self) -> None:
        bench = Bench(filters=FILTERS)
        bench.register()
        reauthorize(bench)
        [asked] = only(Authenticate, bench.wait(0.1))
        assert only(SessionOver, bench.decide(asked, accept(bench.station, filter_ids=("unheard-of",))))

    @covers("AA25")
    def test_a_filter_of_a_new_verdict_applies_at_once(self) -> None:
        bench = Bench(filters=FILTERS)
        bench.register()
        reauthorize(bench)
        [asked] = only(Authenticate, bench.wait(0.1))
        [entry] = entries(bench.decide(asked, accept(bench.station, filter_ids=("quiet",))))
        assert (entry.filters, entry.upstream) == ((QUIET,), True)

    @covers("AA16")
    def test_the_state_is_shown_to_nobody(self) -> None:
        bench = Bench()
        bench.register()
        reauthorize(bench)
        assert "as AAA said" not in repr(bench.visitor)

    @covers("AA15")
    def test_of_nobody(self) -> None:
        outcome, effects = reauthorize(Bench())
        assert isinstance(outcome, Refused) and effects == []


def reauthorize(bench: Bench) -> tuple[Outcome, list[MagEffect]]:
    outcome, effects = bench.engine.sessions.reauthorize(WHO, b"as AAA said", bench.now)
    return outcome, bench.take(effects)
