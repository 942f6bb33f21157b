"""What access points account for, and how they are told to throw a station off (AA27).

access point          MAG
     |--Start, Interim->|
     |<-------Response--|
     |--Stop----------->|   the visit ends
     |<--Disconnect-----|   the operator, or AAA, ends it
     |--Stop, ACK------>|
"""

import pytest

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.proxy.access_points import AccessPoint
from pmip_tw.aaa.proxy.effects import Ask, Disconnect, Dismiss, Reply
from pmip_tw.aaa.proxy.stations import Stations
from pmip_tw.aaa.radius.outcome import ACCOUNTING, Answered, Unanswered
from pmip_tw.addresses import Endpoint, Mac
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.testing.clock import START_WALL
from pmip_tw.wire.radius import Answer, Attribute, Attributes, AttributeType, Code, number
from tests.aaa.proxy.bench import (
    CIPHER,
    FIRST,
    KEY,
    OTHER_STATION,
    SECOND,
    SECOND_SECRET,
    STATION,
    Ap,
    Bench,
    notes,
    only,
    profile_attributes,
    reasons,
)
from tests.conformance import covers

pytestmark = covers("AA27")

STATE = (AttributeType.STATE.value, b"\0of the server")
CONTEXT_NOT_FOUND = Attributes([number(AttributeType.ERROR_CAUSE, 503)])
START, STOP, INTERIM, ON, OFF = 1, 2, 3, 7, 8


class Serving(Bench):
    """``ap`` has let the station in, in session 5E55."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self.ap, self.other = Ap(), Ap(SECOND, SECOND_SECRET)
        self.let_in(self.ap)

    def let_in(self, ap: Ap, session: str = "5E55") -> None:
        self.hear(ap.ask(session=session), ap.source)
        self.accept(*profile_attributes())

    def account(self, ap: Ap, status: int, **said: object) -> list[AccessKey]:
        """Whom it costs the service; it is answered in any case."""
        effects = self.hear(ap.account(status, **said), ap.source, ACCOUNTING)  # type: ignore[arg-type]
        assert ap.read(effects).code is Code.ACCOUNTING_RESPONSE
        return [dismissed.key for dismissed in only(Dismiss, effects)]


def test_a_stop_ends_the_visit_and_says_why() -> None:
    bench = Serving()
    assert bench.account(bench.ap, START) == bench.account(bench.ap, INTERIM) == []
    stop = bench.ap.account(STOP, number(AttributeType.ACCT_TERMINATE_CAUSE, 2))
    [dismissed] = only(Dismiss, bench.hear(stop, bench.ap.source, ACCOUNTING))
    assert dismissed == Dismiss(KEY, "it has lost its carrier", TerminateCause.LOST_CARRIER)


@pytest.mark.parametrize("length", [0, 3, 5])
def test_a_cause_that_is_none_is_no_reason_to_keep_it(length: int) -> None:
    bench = Serving()
    stop = bench.ap.account(STOP, (AttributeType.ACCT_TERMINATE_CAUSE.value, bytes(length)))
    assert len(only(Dismiss, bench.hear(stop, bench.ap.source, ACCOUNTING))) == 1


def test_an_access_point_that_it_has_left_ends_nothing() -> None:
    """It went to the second one; the first notices when it is silent."""
    bench = Serving()
    bench.let_in(bench.other)
    assert bench.account(bench.ap, INTERIM) == []
    assert bench.account(bench.ap, STOP) == []
    assert bench.account(bench.other, STOP) == [KEY]


def test_the_end_of_its_former_session_ends_nothing() -> None:
    """It came anew before the access point had noticed that it was gone."""
    bench = Serving()
    bench.let_in(bench.ap, "5E56")
    assert bench.account(bench.ap, STOP, session="5E55") == []
    assert bench.account(bench.ap, STOP, session="5E56") == [KEY]


def test_nor_where_sessions_have_no_name_before_they_start() -> None:
    """Access points need not say Acct-Session-Id when they ask."""
    bench = Serving()
    bench.let_in(bench.ap, "")
    assert bench.account(bench.ap, STOP, session="5E55") == []
    assert bench.account(bench.ap, START, session="5E56") == []
    assert bench.account(bench.ap, STOP, session="5E56") == [KEY]


def test_after_a_restart_access_points_are_believed() -> None:
    """Who is where is learnt anew."""
    bench, ap, other = Bench(), Ap(), Ap(SECOND, SECOND_SECRET)
    bench.hear(ap.account(INTERIM), ap.source, ACCOUNTING)
    assert only(Dismiss, bench.hear(other.account(STOP), other.source, ACCOUNTING)) == []
    [dismissed] = only(Dismiss, bench.hear(ap.account(STOP), ap.source, ACCOUNTING))
    assert dismissed.key == KEY
    other_key = AccessKey("eth1", OTHER_STATION)
    stop = ap.account(STOP, station=OTHER_STATION)
    assert [dismissed.key for dismissed in only(Dismiss, bench.hear(stop, ap.source, ACCOUNTING))] == [
        other_key
    ]


@pytest.mark.parametrize("status", [ON, OFF])
def test_an_access_point_that_begins_or_ends_has_no_stations(status: int) -> None:
    bench = Serving()
    assert bench.account(bench.other, status, station=None) == []
    effects = bench.hear(bench.ap.account(status, station=None), bench.ap.source, ACCOUNTING)
    assert [dismissed.key for dismissed in only(Dismiss, effects)] == [KEY]
    [note] = notes(effects)
    assert (note.name, note.details["stations"]) == ("access-point-restarted", 1)
    assert [row["stations"] for row in bench.proxy.rows()] == [0, 0]


def test_what_was_recorded_is_answered_and_ends_nothing() -> None:
    """Somebody repeats the Accounting-On of this morning."""
    bench, ap = Bench(), Ap()
    on = ap.account(ON, station=None)
    [first] = only(Reply, bench.hear(on, ap.source, ACCOUNTING))
    bench.hear(ap.ask(), ap.source)
    bench.accept(*profile_attributes())
    bench.at += 10
    assert bench.hear(on, ap.source, ACCOUNTING) == [first]
    bench.at += 100
    again = bench.hear(on, ap.source, ACCOUNTING)
    assert only(Dismiss, again) == [] and len(only(Reply, again)) == 1


@pytest.mark.parametrize("status", [ON, OFF])
def test_nor_does_what_this_process_has_never_heard_if_its_access_point_has_said_newer_things(
    status: int,
) -> None:
    """A restart forgets what was recorded; access points say when they said it."""

    def at(seconds: float) -> Attribute:
        return number(AttributeType.EVENT_TIMESTAMP, int(START_WALL + seconds))

    bench = Serving()
    ahead = bench.ap.account(INTERIM, at(1e6))
    bench.hear(ahead, bench.ap.source, ACCOUNTING)
    bench.hear(bench.ap.account(INTERIM, at(0)), bench.ap.source, ACCOUNTING)
    effects = bench.hear(bench.ap.account(status, at(-3600), station=None), bench.ap.source, ACCOUNTING)
    assert only(Dismiss, effects) == [] and [note.reason for note in notes(effects)] == ["repeated"]
    assert bench.ap.read(effects).code is Code.ACCOUNTING_RESPONSE
    effects = bench.hear(bench.ap.account(status, at(-10), station=None), bench.ap.source, ACCOUNTING)
    assert [dismissed.key for dismissed in only(Dismiss, effects)] == [KEY]


def test_what_is_about_no_station_is_answered() -> None:
    bench = Serving()
    assert bench.account(bench.ap, STOP, station=None) == []
    assert bench.account(bench.ap, 99) == []


class TestPassedOn:
    """forward_accounting: the server has the last word."""

    def test_it_is_answered_when_the_server_has_answered(self) -> None:
        bench, ap = Bench(forward_accounting=True), Ap()
        effects = bench.hear(ap.account(START), ap.source, ACCOUNTING)
        [asked] = only(Ask, effects)
        assert only(Reply, effects) == [] and asked.group == ACCOUNTING
        assert asked.request.code is Code.ACCOUNTING_REQUEST
        assert asked.request.attributes.first(AttributeType.ACCT_SESSION_ID) == b"5E55"
        assert ap.read(bench.say(Code.ACCOUNTING_RESPONSE)).code is Code.ACCOUNTING_RESPONSE

    def test_until_then_the_access_point_tries_again_and_nothing_happens_twice(self) -> None:
        bench = Serving(forward_accounting=True)
        stop = bench.ap.account(STOP)
        assert len(only(Dismiss, bench.hear(stop, bench.ap.source, ACCOUNTING))) == 1
        assert bench.hear(stop, bench.ap.source, ACCOUNTING) == []
        assert reasons(bench.silence()) == ["no-answer"]
        bench.let_in(bench.ap)
        again = bench.hear(stop, bench.ap.source, ACCOUNTING)
        assert only(Dismiss, again) == [] and len(only(Ask, again)) == 1

    def test_what_the_server_has_recorded_it_is_not_told_again(self) -> None:
        """The access point missed the answer, or somebody repeats what he has heard, as often as he likes."""
        bench, ap = Bench(forward_accounting=True), Ap()
        start = ap.account(START)
        bench.hear(start, ap.source, ACCOUNTING)
        bench.say(Code.ACCOUNTING_RESPONSE)
        bench.at += 60
        again = bench.hear(start, ap.source, ACCOUNTING)
        assert only(Ask, again) == [] and ap.read(again).code is Code.ACCOUNTING_RESPONSE


class TestThrownOff:
    def test_its_access_point_is_told(self) -> None:
        bench = Serving()
        [disconnect] = only(Disconnect, bench.proxy.expel(KEY, bench.now))
        assert disconnect.access_point == Endpoint(FIRST, 3799)
        assert bench.proxy.rows()[0]["stations"] == 0
        assert dict(disconnect.request.attributes) == {
            AttributeType.CALLING_STATION_ID: b"02-00-00-00-00-01",
            AttributeType.EVENT_TIMESTAMP: int(START_WALL).to_bytes(4, "big"),
            AttributeType.ACCT_SESSION_ID: b"5E55",
        }
        assert disconnect.request.code is Code.DISCONNECT_REQUEST

    def test_no_other_is(self) -> None:
        bench = Serving()
        bench.let_in(bench.other)
        assert bench.proxy.expel(KEY, bench.now) == []  # that one takes no such requests

    def test_whoever_it_is_at_after_a_restart(self) -> None:
        bench = Bench()
        [disconnect] = only(Disconnect, bench.proxy.expel(KEY, bench.now))
        assert AttributeType.ACCT_SESSION_ID not in dict(disconnect.request.attributes)
        assert bench.proxy.expel(AccessKey("eth2", STATION), bench.now) == []

    def test_not_while_it_is_examined(self) -> None:
        """On a cable it may be heard before it was let in: whoever threw it off would never see the end of it."""
        bench, ap = Bench(), Ap()
        bench.hear(ap.ask(), ap.source)
        bench.say(Code.ACCESS_CHALLENGE, STATE)
        assert bench.proxy.expel(KEY, bench.now) == []
        bench.hear(ap.ask(STATE), ap.source)
        bench.say(Code.ACCESS_REJECT)
        assert len(only(Disconnect, bench.proxy.expel(KEY, bench.now))) == 1

    @pytest.mark.parametrize("code", [Code.DISCONNECT_ACK, Code.DISCONNECT_NAK, None])
    def test_how_that_ends_is_told(self, code: Code | None) -> None:
        bench = Serving()
        [disconnect] = only(Disconnect, bench.proxy.expel(KEY, bench.now))
        outcome = (
            Unanswered("10.77.0.2:3799: no answer in 3 tries")
            if code is None
            else Answered(
                answer=Answer(code=code, identifier=1, attributes=CONTEXT_NOT_FOUND, signed=True),
                cipher=CIPHER,
                server=disconnect.access_point,
            )
        )
        [note] = notes(bench.proxy.disconnected(disconnect, outcome))
        expected = "station-disconnected" if code is Code.DISCONNECT_ACK else "station-not-disconnected"
        assert (note.name, note.session) == (expected, str(KEY))
        assert ("does not know the station" in note.cause) == (code is Code.DISCONNECT_NAK)


def test_stations_are_remembered_within_bounds() -> None:
    stations = Stations(most=2)
    macs = [Mac(bytes((2, 0, 0, 0, 0, n))) for n in range(3)]
    for mac in macs:
        stations.accepted(mac, AccessPoint(address=FIRST, secret=SECOND_SECRET, port="eth1"), b"")
    assert len(stations) == 2 and stations.get(macs[0]) is None
