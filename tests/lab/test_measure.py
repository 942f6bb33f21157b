"""Figures from frames made here: gaps around a move, and what became of each echo request."""

from pmip_tw.lab.measure import Move, delivery, handover_gaps, longest_gap, milliseconds, octets_seen, stalls
from pmip_tw.lab.pcapng import Packet
from pmip_tw.lab.sites import HOME as HOME_PREFIX
from tests.lab.frames import MS, NODE, echo, heard, segment
from tests.lab.test_heard import LISTENER

ACCESS = ("mag1-access", "mag2-access")


def _trip(
    number: int, ms: float, *, access: str = "mag1-access", arrivals: int = 1, answered: bool = True
) -> list[Packet]:
    """One echo request with everything that becomes of it; ``access`` "" is lost on the air."""
    found = [heard("mn", ms, echo(number), inbound=False, source=NODE)]
    if access:
        found.append(heard(access, ms + 0.1, echo(number), source=NODE))
        found += [heard("correspondent", ms + 0.2 + copy / 100, echo(number)) for copy in range(arrivals)]
    if answered:
        found.append(heard("mn", ms + 0.5, echo(number, reply=True)))
    return found


def test_longest_gap_looks_only_where_it_is_told() -> None:
    times = [0, 100, 110, 150, 160, 400]
    assert longest_gap(times, 105, 155) == (110, 150)
    assert longest_gap(times, 105, 170) == (160, 400)
    assert longest_gap([5], 0, 10) is None


def test_the_gap_of_a_move_is_between_the_answers_around_it() -> None:
    packets = [
        packet
        for number in range(40)
        for packet in _trip(number, 5.0 * number, answered=not 10 <= number < 14)
    ]
    move = Move(began_ns=52 * MS, ended_ns=53 * MS, to="mag2")
    ((before, after),) = (gap for gap in handover_gaps(LISTENER.hear(packets), [move], "mn", 100 * MS) if gap)
    assert milliseconds(after - before) == 25.0


def test_a_node_that_gets_no_answer_any_more_has_no_gap() -> None:
    packets = _trip(1, 1) + _trip(2, 100, answered=False)
    move = Move(began_ns=50 * MS, ended_ns=51 * MS, to="mag2")
    assert handover_gaps(LISTENER.hear(packets), [move], "mn", 1000 * MS) == [None]


def _delivery(*trips: list[Packet]) -> tuple[bool, int, int, int, int]:
    found = delivery(
        LISTENER.hear([packet for trip in trips for packet in trip]),
        node="mn",
        access=ACCESS,
        correspondent="correspondent",
    )
    counts = (found.lost_on_air, len(found.lost_behind_mag), len(found.duplicated), found.unanswered)
    return (found.exactly_once, *counts)


def test_exactly_once() -> None:
    assert _delivery(_trip(1, 1), _trip(2, 6, access="mag2-access")) == (True, 0, 0, 0, 0)


def test_twice_is_not_exactly_once() -> None:
    assert _delivery(_trip(1, 1, arrivals=2)) == (False, 0, 0, 1, 0)


def test_lost_behind_a_mag_is_not_exactly_once() -> None:
    assert _delivery(_trip(1, 1), _trip(2, 6, arrivals=0, answered=False)) == (False, 0, 1, 0, 1)


def test_what_reached_no_mag_was_lost_on_the_air() -> None:
    assert _delivery(_trip(1, 1), _trip(2, 6, access="", answered=False)) == (True, 1, 0, 0, 1)


def test_a_lost_answer_is_a_lost_ping_but_the_request_arrived() -> None:
    assert _delivery(_trip(1, 1, answered=False)) == (True, 0, 0, 0, 1)


def test_nothing_sent_proves_nothing() -> None:
    assert _delivery() == (False, 0, 0, 0, 0)


def test_tcp_stalls_and_octets_are_those_of_data_that_arrives() -> None:
    packets = [heard("correspondent", ms, segment(1000)) for ms in (1, 2, 40, 41)]
    packets.append(heard("correspondent", 20, segment(0)))
    found = LISTENER.hear(packets)
    move = Move(began_ns=2 * MS, ended_ns=3 * MS, to="mag2")
    assert stalls(found, [move], "correspondent", HOME_PREFIX, 100 * MS) == [(2 * MS, 40 * MS)]
    assert octets_seen(found, "correspondent", HOME_PREFIX, 3 * MS, 41 * MS) == 1000
