"""What journals hold, sorted out for another number of workers."""

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.lma.journal.records import LMA_JOURNAL, Bound, LeaseEnded, Spent, Unbound
from pmip_tw.lma.workers.reslicing import resliced
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.store.rows import RowCodec
from tests.lma.anchor import MAG1, MAG2, Anchor, nai, reply_in

FIRST = ipv4("10.1.0.2")


def bound(owner: bytes, at: float, home_address: int = FIRST) -> Bound:
    return Bound(
        owner=owner, request=b"", home_address=home_address, domain="", source_address=1, source_port=434,
        remote=1, remote_port=0, encapsulation=4, key_in=None, key_out=None, lifetime=600, deadline=at + 600,
        moved_at=at, own_timestamp=None, inform=False,
    )  # fmt: skip


def unbound(owner: bytes, at: float, home_address: int = FIRST) -> Unbound:
    return Unbound(owner=owner, home_address=home_address, domain="", ended_at=at, identification=1)


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_everybody_is_where_his_requests_will_be(workers: int) -> None:
    owners = [b"mn%d@example.net" % number for number in range(100)]
    rows = [
        (0.0, [bound(owner, 5.0) for owner in owners[50:]]),
        (0.0, [Spent(owner, 1, 2.0) for owner in owners]),
    ]
    slices = resliced([rows], workers, by_technology=False)
    assert sum(map(len, slices)) == 150
    for worker, records in enumerate(slices):
        assert all(worker_of_nai(record.owner, workers) == worker for record in records)  # type: ignore[attr-defined]


def test_an_owner_that_has_a_technology_in_it_is_his_nodes() -> None:
    owner = b"mn1@example.net\x04"
    slices = resliced([[(0.0, [bound(owner, 1.0)])]], 4, by_technology=True)
    assert slices[worker_of_nai(b"mn1@example.net", 4)] == [bound(owner, 1.0)]


def test_only_the_newest_binding_of_an_owner_goes_on() -> None:
    """Rows come newest first, and what was put right afterwards may be older by its instants."""
    rows = [(0.0, [bound(b"a@b", 1.0)]), (0.0, [bound(b"a@b", 9.0)])]
    assert resliced([rows], 1, by_technology=False) == [[bound(b"a@b", 1.0)]]
    rows = [(0.0, [unbound(b"a@b", 9.5)]), (0.0, [bound(b"a@b", 9.0)])]
    assert resliced([rows], 1, by_technology=False) == [[unbound(b"a@b", 9.5)]]


def test_what_happened_to_an_address_in_two_journals_is_told_in_order_of_time() -> None:
    """It was given back in one and has been given away in the other."""
    one, other = [(0.0, [unbound(b"a@b", 5.0)])], [(0.0, [bound(b"c@d", 7.0)])]
    for journals in ([one, other], [other, one]):
        assert resliced(journals, 1, by_technology=False) == [[unbound(b"a@b", 5.0), bound(b"c@d", 7.0)]]


def test_instants_are_those_of_this_process() -> None:
    """Each journal has a clock of its own if the machine was started in between."""
    one, other = [(100.0, [unbound(b"a@b", 5.0)])], [(0.0, [bound(b"c@d", 7.0)])]
    (records,) = resliced([one, other], 1, by_technology=False)
    assert records == [bound(b"c@d", 7.0), unbound(b"a@b", 105.0)]


def test_an_end_of_a_lease_reaches_whoever_has_had_the_address() -> None:
    ended = LeaseEnded(FIRST, "", 3.0)
    assert resliced([[(0.0, [ended])]], 3, by_technology=False) == [[ended]] * 3


def test_an_lma_goes_on_from_what_was_sorted_out() -> None:
    """Bindings, holds and replay floors of one process, as two have them."""
    before = Anchor(home="10.1.0.0/24")
    had = {node: before.accept(node, MAG1).home_address for node in range(1, 7)}
    before.accept(2, MAG2)
    before.release(3, MAG1)
    captured = before.datagram(1)
    before.hear(captured)
    codec = RowCodec(LMA_JOURNAL)
    rows = [(0.0, codec.decode(row)) for row in reversed(before.journal)]
    for worker, records in enumerate(resliced([rows], 2, by_technology=False)):
        after = Anchor(home="10.1.0.0/24")
        after.clock, after._asked = before.clock, before._asked
        after._run(after.engine.restore([(0.0, records)], after.clock.now()))
        own = {node for node in had if worker_of_nai(nai(node), 2) == worker}
        assert {binding.nai for binding in after.engine.bindings} == {nai(node) for node in own - {3}}
        for node in own:
            assert after.accept(node, MAG2 if node == 2 else MAG1).home_address == had[node]
        if 1 in own:
            (refused,) = after.hear(captured)
            assert reply_in(refused, 1).code == 133
