"""Whom an access point has let in is let in after a restart as well, asleep or not (AA27, decision 22).

station        access point        MAG             AAA
   |                |---------------->|-------------->|
   |                |<-----Accept-----|<--------------|
   |   sleeps       |                 | * killed, and another process begins
   |---a frame----------------------->|==registration, and nobody is asked
"""

import pytest

from pmip_tw.aaa.dynamic_authorization import Change, Done, Refused, Selection
from pmip_tw.aaa.examined import Examined
from pmip_tw.addresses import mac_text
from pmip_tw.mag.authentication.access_policy import AccessPolicy
from pmip_tw.mag.authentication.admissions import BELIEVED_FOR, MOST_AT_ONCE
from pmip_tw.mag.effects import Authenticate, Expel, Save
from pmip_tw.mag.journal.records import Admitted, Withdrawn
from pmip_tw.mobility.tunnels import AccessKey
from tests.agents.world import PORT, Station
from tests.conformance import covers
from tests.mag.bench import ADDRESS, only, requests
from tests.mag.test_allowing import GUESTS
from tests.mag.test_elsewhere import KEY, OTHER_PORT, STATION, STRANGER, BehindAccessPoints

pytestmark = covers("AA27")


class Kept(BehindAccessPoints):
    """Stations bring their addresses, so that an Accept alone makes no visitor."""

    def __init__(self) -> None:
        super().__init__(dhcp="independent")

    def is_let_in(self, port: str = PORT) -> bool:
        """Whether its next frame begins a registration, without a word to anybody else."""
        effects = self.hear(STATION.data(ADDRESS), port)
        assert only(Authenticate, effects) == [] and only(Expel, effects) == []
        return bool(requests(effects))

    @property
    def written(self) -> list[Admitted | Withdrawn]:
        records = [record for saved in only(Save, self.effects) for record in saved.records]
        return [record for record in records if isinstance(record, Admitted | Withdrawn)]


@pytest.mark.parametrize("reboot", [False, True])
def test_who_sleeps_wakes_up_let_in(reboot: bool) -> None:
    bench = BehindAccessPoints()
    bench.serve()
    bench.hear(STATION.data(ADDRESS))
    bench.wait(2000)
    assert len(bench.engine.visitors) == 0
    bench.restart(downtime=60, reboot=reboot)
    effects = bench.hear(STATION.data(ADDRESS))
    assert len(requests(effects)) == 1 and only(Authenticate, effects) == []


def test_who_was_never_heard_is_let_in_as_it_was() -> None:
    bench = Kept()
    examined = Examined(by_eap=False, called_station=b"02-AA-00-00-00-01:campus")
    bench.let_in(examined=examined, session_timeout=5000, classes=(b"gold",), filter_ids=())
    bench.wait(0)
    bench.restart()
    assert bench.is_let_in()
    visitor = bench.visitor
    assert visitor.profile is not None
    assert (visitor.examined, visitor.profile.classes, visitor.session_ends) == (
        examined,
        (b"gold",),
        bench.at + 5000,
    )
    assert visitor.profile.mn_ha is not None


def test_it_is_written_anew_before_the_journal_forgets_it() -> None:
    """And says nothing in between, however long it sleeps."""
    bench = Kept()
    bench.let_in()
    bench.wait(10 * BELIEVED_FOR)
    assert 10 <= len(bench.written) <= 21
    bench.journal = bench.journal[-1:]
    bench.restart(downtime=BELIEVED_FOR / 2 - 1)
    bench.wait(2)
    bench.journal = bench.journal[-1:]
    bench.restart(downtime=BELIEVED_FOR - 2)
    assert bench.is_let_in()


def test_a_journal_that_is_too_old_is_not_believed() -> None:
    bench = Kept()
    bench.let_in()
    bench.wait(0)
    bench.restart(downtime=BELIEVED_FOR + 1)
    assert not bench.is_let_in()


def test_its_time_ends_while_nobody_is_here() -> None:
    bench = Kept()
    bench.let_in(session_timeout=100)
    bench.wait(0)
    bench.restart(downtime=101)
    assert not bench.is_let_in()


def test_who_has_left_stays_away() -> None:
    bench = Kept()
    bench.let_in()
    bench.wait(0)
    bench.gone()
    bench.wait(0)
    assert isinstance(bench.written[-1], Withdrawn)
    bench.restart()
    assert not bench.is_let_in()


def test_who_left_before_it_was_written_down_leaves_no_trace() -> None:
    bench = Kept()
    bench.let_in()
    bench.gone()
    bench.wait(BELIEVED_FOR)
    assert bench.written == []


def test_who_has_gone_to_another_interface_is_let_in_there_alone() -> None:
    bench = Kept()
    bench.let_in()
    bench.wait(0)
    bench.let_in(AccessKey(OTHER_PORT, STATION.mac))
    bench.wait(0)
    bench.restart()
    assert not bench.is_let_in(PORT)
    assert bench.is_let_in(OTHER_PORT)


class TestAaaActs:
    """What AAA is answered rests on what the journal has: the process may end with the answer (AA17, AA18)."""

    @covers("AA17")
    @pytest.mark.parametrize(
        ("selection", "others"),
        [
            (Selection(user_name="MN1@example.net"), False),
            (Selection(calling_station=mac_text(STATION.mac, "-")), False),
            (Selection(port=PORT), True),
        ],
        ids=["name", "station", "port"],
    )
    def test_a_disconnect_reaches_who_sleeps(self, selection: Selection, others: bool) -> None:
        """Who wakes up is not served as if nothing had been said, after a restart neither."""
        bench = BehindAccessPoints()
        bench.serve()
        bench.let_in(AccessKey(PORT, STRANGER.mac), nai="mn2@example.net")
        bench.wait(2000)
        assert len(bench.engine.visitors) == 0
        outcome, effects = bench.engine.sessions.disconnect(selection, bench.now)
        bench.take(effects)
        assert outcome == Done(1 + others) and Expel(KEY) in effects
        bench.restart()
        assert requests(bench.hear(STATION.data(ADDRESS))) == []
        assert bool(requests(bench.hear(STRANGER.data(ADDRESS)))) == (not others)

    @covers("AA15")
    def test_whose_time_is_over_and_what_a_former_visit_was_called_is_not_found(self) -> None:
        bench = BehindAccessPoints()
        bench.serve(session_timeout=3000)
        former = bench.visitor.accounting_id
        bench.wait(2000)
        for selection in (
            Selection(user_name="mn1@example.net", accounting_session=former),
            Selection(user_name="mn1@example.net", home_address=ADDRESS),
            Selection(user_name="mn2@example.net"),
        ):
            assert isinstance(bench.engine.sessions.disconnect(selection, bench.now)[0], Refused)
        bench.wait(1001)
        mn1 = Selection(user_name="mn1@example.net")
        assert isinstance(bench.engine.sessions.disconnect(mn1, bench.now)[0], Refused)

    @covers("AA17")
    def test_who_was_disconnected_is_not_let_in_by_a_restart(self) -> None:
        bench = BehindAccessPoints()
        bench.serve()
        bench.wait(0)
        bench.take(bench.engine.sessions.disconnect(Selection(user_name="mn1@example.net"), bench.now)[1])
        bench.restart()
        assert requests(bench.hear(STATION.data(ADDRESS))) == []

    @covers("AA18")
    def test_what_was_changed_is_so_after_a_restart(self) -> None:
        bench = BehindAccessPoints(filters={"guests": GUESTS})
        bench.serve()
        bench.wait(0)
        change = Change(filter_ids=("guests",))
        bench.take(bench.engine.sessions.change(Selection(user_name="mn1@example.net"), change, bench.now)[1])
        bench.restart()
        bench.wait(2000)
        bench.hear(STATION.data(ADDRESS))
        assert bench.visitor.filters == (GUESTS,)


def test_what_aaa_has_changed_is_kept() -> None:
    bench = BehindAccessPoints()
    bench.serve(session_timeout=5000)
    bench.let_in(session_timeout=50)
    bench.wait(0)
    bench.restart(downtime=51)
    assert requests(bench.hear(STATION.data(ADDRESS))) == []


def test_where_no_access_points_are_any_more_nobody_is_let_in_by_them() -> None:
    bench = Kept()
    bench.let_in()
    bench.wait(0)
    bench.restart(access=AccessPolicy())
    assert len(only(Authenticate, bench.hear(STATION.data(ADDRESS)))) == 1


def test_who_could_not_be_served_as_aaa_says_is_examined_anew() -> None:
    bench = Kept()
    bench.restart(filters={"guests": GUESTS})
    bench.let_in(filter_ids=("guests",))
    bench.wait(0)
    bench.restart(filters={})
    assert not bench.is_let_in()


def test_a_crowd_is_written_down_a_part_at_a_time() -> None:
    bench = Kept()
    for number in range(3 * MOST_AT_ONCE):
        bench.let_in(AccessKey(PORT, Station(number).mac), nai=f"mn{number}@example.net")
    for _ in range(3):
        bench.wait(0)
    sizes = [len(saved.records) for saved in only(Save, bench.effects)]
    assert sum(sizes) == 3 * MOST_AT_ONCE and max(sizes) == MOST_AT_ONCE


def test_a_visitor_s_admission_is_written_once() -> None:
    """A restart with thousands of visitors begins with no thousands of records."""
    bench = BehindAccessPoints()
    bench.serve()
    bench.wait(0)
    before = len(bench.journal)
    bench.restart()
    bench.wait(0)
    assert len(bench.journal) == before
    assert KEY in {visitor.key for visitor in bench.engine.visitors}
