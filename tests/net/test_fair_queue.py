"""Sources take turns, and nobody loses anything to somebody who wants more."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.interfaces import Datagram
from pmip_tw.net.fair_queue import FairQueue


def datagram(source: int, number: int = 0) -> Datagram:
    return Datagram(b"%d" % number, Endpoint(Ipv4(0x7F000001), source), Ipv4(0x7F000002))


def filled(*sources: int) -> FairQueue:
    """One datagram of each, numbered."""
    queue = FairQueue()
    for number, source in enumerate(sources):
        queue.put(datagram(source, number))
    return queue


def taken(queue: FairQueue, most: int = 1000) -> list[tuple[int, int]]:
    """(source, number) of each."""
    return [(one.source.port, int(one.payload)) for one in queue.take(most)]


def test_sources_take_turns_and_keep_their_order() -> None:
    assert taken(filled(1, 1, 1, 2, 3, 2)) == [(1, 0), (2, 3), (3, 4), (1, 1), (2, 5), (1, 2)]


def test_a_turn_that_is_over_goes_on_with_the_next_source() -> None:
    queue = filled(1, 1, 2, 2)
    assert taken(queue, 1) == [(1, 0)]
    queue.put(datagram(3, 4))
    assert taken(queue, 2) == [(2, 2), (1, 1)]
    assert taken(queue) == [(3, 4), (2, 3)]


def test_whoever_wants_most_gives_up_his_oldest() -> None:
    queue = filled(1, 2, 2, 2, 2, 3)
    assert queue.trim(4) == 2
    assert taken(queue) == [(1, 0), (2, 3), (3, 5), (2, 4)]


def test_of_more_sources_than_room_the_longest_waiting_go() -> None:
    queue = filled(1, 2, 3, 3, 4)
    assert queue.trim(2) == 3
    assert taken(queue) == [(3, 3), (4, 4)]
    assert 1 not in queue


def test_no_room_at_all() -> None:
    queue = filled(1, 1, 2)
    assert queue.trim(0) == 3
    assert (len(queue), taken(queue)) == (0, [])


@given(st.lists(st.integers(1, 8), max_size=60), st.integers(0, 40))
def test_the_room_is_shared_max_min_fairly(sources: list[int], room: int) -> None:
    """Who loses something keeps as much as anybody has; who wants no more than an equal share loses nothing."""
    queue, wanted = filled(*sources), Counter(sources)
    dropped = queue.trim(room)
    kept = Counter(source for source, _ in taken(queue))
    assert dropped == wanted.total() - kept.total()
    if wanted.total() <= room:
        assert dropped == 0
    elif len(wanted) > room:
        assert kept.total() == room and all(count == 1 for count in kept.values())
    else:
        share = max(kept.values())
        assert kept == {source: min(count, share) for source, count in wanted.items()}
        assert share >= room // len(wanted)
        assert 0 <= room - kept.total() < len(wanted)


@given(st.lists(st.one_of(st.integers(1, 5), st.none())))
def test_each_source_in_order_and_nothing_twice(steps: list[int | None]) -> None:
    """A number is put, None takes one."""
    queue, out, put = FairQueue(), [], Counter[int]()
    for step in steps:
        if step is None:
            out += taken(queue, 1)
        else:
            queue.put(datagram(step, put[step]))
            put[step] += 1
    out += taken(queue)
    for source, count in put.items():
        assert [number for one, number in out if one == source] == list(range(count))
    assert len(queue) == 0
