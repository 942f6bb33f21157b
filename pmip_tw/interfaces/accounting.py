"""What mobile nodes use is told to AAA, and never lost on the way."""

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.defer import Deferred

    from pmip_tw.aaa.accounting.records import AccountingRecord
    from pmip_tw.aaa.accounting.spool import SpoolChange, SpoolContents
    from pmip_tw.aaa.verdicts import Unavailable
    from pmip_tw.errors import StoreError


class IAccounting(Interface):
    """Whoever is told what mobile nodes use, and loses nothing of it: AAA hears it, perhaps much later (AA22)."""

    def start() -> None:
        """Find what a former process has left, and begin to tell AAA. StoreError: what is wrong with its file."""

    def left_open() -> "Sequence[AccountingRecord]":
        """The last that a former process has written down of each session that has no Stop yet; after ``start``."""

    def record(record: "AccountingRecord") -> None:
        """To be told to AAA, after everything before it of the same session: Start, Interim, Stop.

        An Interim that was not told yet is not told any more when a newer one comes.
        """

    def keep(record: "AccountingRecord") -> None:
        """Nobody is told, but if this process ends it is what a later one finds ``left_open``."""

    def stop() -> "Deferred[None] | None":
        """Write what is not on the disk yet, and close. Idempotent."""


class IAccountingServers(Interface):
    """The servers that take accounting records."""

    def submit(record: "AccountingRecord", delay: int) -> "Deferred[Unavailable | None]":
        """Tell them once, ``delay`` seconds after it happened. Fires with None when a server has it for good, else with
        why none has, which may be so all the same; never fails, always fires.
        """

    def stop() -> None:
        """What is outstanding fires as not taken. Idempotent."""


class ISpool(Interface):
    """What of accounting outlives the process: records that AAA has not, and the last that is known of open sessions.

    Both are octets; records have numbers, sessions their ids.
    """

    def start() -> "SpoolContents":
        """Open or create it, and read what is there. StoreError: which file, what is wrong; nothing is destroyed."""

    def write(change: "SpoolChange", done: "Callable[[StoreError | None], None]") -> None:
        """All of ``change`` or nothing; ``done``, from the reactor or at once, when it is durable, or why it is not.

        Only when no other is on its way.
        """

    def stop() -> "Deferred[None] | None":
        """Finish what is on its way, close; fires when that is done. Idempotent."""
