"""What mobile nodes use is told to AAA, and never lost on the way."""

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.defer import Deferred

    from pmip_tw.aaa.accounting import AccountingRecord
    from pmip_tw.aaa.verdicts import Unavailable


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
