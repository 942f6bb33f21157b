"""What journals hold, sorted out for another number of workers."""

from collections.abc import Iterable, Sequence

from pmip_tw.lma.journal.records import (
    Bound,
    Leased,
    LeaseEnded,
    RefusedAhead,
    RevocationOver,
    RevokedByMag,
    Revoking,
    Spent,
    Unbound,
    shifted,
)
from pmip_tw.lma.journal.restoring import Rows
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.mobility.records import Record


def resliced(journals: Iterable[Rows], workers: int, *, by_technology: bool) -> list[list[Record]]:
    """For each new worker the records that its journal begins with, oldest first, with instants of this process.

    Nobody's records are in two of ``journals``, whose rows come newest first. Of an owner's bindings only the newest
    says anything. ``by_technology``: owners end with an octet that is not of the NAI (``owners.py``).
    """
    found: list[tuple[float, Record]] = []
    for rows in journals:
        found += _of_one(rows)
    # Older than what? An address may have gone from one journal's node to another's, which is told by time alone.
    found.sort(key=lambda timed: timed[0])
    slices: list[list[Record]] = [[] for _ in range(workers)]
    for _, record in found:
        owner = _owner(record)
        if owner is None:
            for records in slices:
                records.append(record)
        else:
            nai = owner[:-1] if by_technology and not isinstance(record, Leased) else owner
            slices[worker_of_nai(nai, workers)].append(record)
    return slices


def _of_one(rows: Rows) -> Sequence[tuple[float, Record]]:
    """What may still say something, oldest first, with when it was so."""
    found: list[tuple[float, Record]] = []
    told: set[bytes] = set()
    for shift, records in rows:
        for record in reversed(records):
            if isinstance(record, Bound | Unbound):
                known = record.owner in told
                told.add(record.owner)
                if known and isinstance(record, Bound):
                    continue
            moved = shifted(record, shift) if shift else record
            found.append((_when(moved), moved))
    found.reverse()
    return found


def _when(record: Record) -> float:
    if isinstance(record, Bound):
        return record.deadline - record.lifetime
    if isinstance(record, Unbound | LeaseEnded):
        return record.ended_at
    if isinstance(record, Spent):
        return record.spent_at
    if isinstance(record, Leased):
        return record.saved_at
    if isinstance(record, Revoking | RevocationOver):
        return record.sent_at
    return float("-inf")  # its place among the others says nothing


def _owner(record: Record) -> bytes | None:
    """None: whoever has had the address must hear of it."""
    if isinstance(record, LeaseEnded):
        return None
    if isinstance(record, Leased):
        return record.nai
    assert isinstance(
        record, Bound | Unbound | Spent | RefusedAhead | Revoking | RevocationOver | RevokedByMag
    )
    return record.owner
