"""LMAs as they must not be, so that it is seen that the trials notice.

``python -m tests.durability.careless hasty ARGUMENT ...`` is twistd with a journal that answers before it has saved;
``unsynchronized`` with one that does not wait for the disk. ``forgetful`` numbers revocations by the seconds since its
own first registration, and does not recall which identifiers it has used.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence

from twisted.scripts import twistd

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import StoreError
from pmip_tw.lma.revocation.revoking import Revoker
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.records import Record
from pmip_tw.store.database import Database
from pmip_tw.store.journal import SqliteJournal

_DISK_SECONDS = 0.02
"""What a commit takes at least, as on a slow disk: so much is always on its way."""


def hasty() -> None:
    append, write = SqliteJournal.append, Database.write

    def answered_at_once(
        self: SqliteJournal, records: Sequence[Record], done: Callable[[StoreError | None], None]
    ) -> None:
        append(self, records, lambda error: None)
        done(None)

    def slow(self: Database, records: Sequence[Record]) -> None:
        time.sleep(_DISK_SECONDS)
        write(self, records)

    SqliteJournal.append = answered_at_once  # type: ignore[method-assign]
    Database.write = slow  # type: ignore[method-assign]


def unsynchronized() -> None:
    require = Database._require

    def without_waiting(self: Database, name: str, value: str, expected: object) -> None:
        if name == "synchronous":
            value, expected = "OFF", 0
        require(self, name, value, expected)

    Database._require = without_waiting  # type: ignore[method-assign]


def forgetful() -> None:
    timestamp_for = Revoker.timestamp_for
    began: list[float] = []

    def forget(*arguments: object) -> None: ...

    def counted(self: Revoker, home_address: Ipv4, peer: Ipv4, now: Now) -> int:
        if not began:
            began.append(now.monotonic)
        since = now.monotonic - began[0]
        return timestamp_for(self, home_address, peer, Now(now.monotonic, since, now.entropy))

    Revoker.recall_identifier = forget  # type: ignore[method-assign]
    Revoker.timestamp_for = counted  # type: ignore[method-assign]


WAYS: Mapping[str, Callable[[], None]] = {
    "hasty": hasty,
    "unsynchronized": unsynchronized,
    "forgetful": forgetful,
}


def program(way: str) -> tuple[str, ...]:
    """Takes the arguments of twistd."""
    assert way in WAYS
    return (sys.executable, "-m", "tests.durability.careless", way)


if __name__ == "__main__":
    name, way, *arguments = sys.argv
    WAYS[way]()
    sys.argv = [name, *arguments]
    twistd.run()
