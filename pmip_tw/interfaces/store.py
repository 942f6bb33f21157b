"""What outlives the process."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

from pmip_tw.errors import StoreError
from pmip_tw.mobility.records import Record, Superseded

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class IBindingStore(Interface):
    """What outlives the process: a journal of records that are appended and, once nothing in them matters, dropped."""

    keeps = Attribute("bool: whether anything is kept; if not, it need not be told what")

    def start() -> None:
        """Open or create it; a previous version's is migrated.

        StoreError: which file, what is wrong, what to do; nothing is destroyed.
        """

    def load(superseded: "Superseded | None" = None) -> "Iterator[tuple[float, Sequence[Record]]]":
        """Every row that may still matter, newest first: (shift, its records in the order they were appended).

        Rows that are ``superseded``, which is asked when their turn comes, are left out: most are, and are not read.

        ``shift``: seconds to add to a monotonic instant in them to get one of this process. It is 0 within one boot
        of the machine, unless it was suspended. Over a reboot the wall clock says how much time has passed; one that
        went back shortens nothing. StoreError: the file cannot be read on.
        """

    def append(records: "Sequence[Record]", done: "Callable[[StoreError | None], None]") -> None:
        """Save them after everything appended before, whole or not at all; they must not change any more.

        ``done(None)``, from the reactor or at once, when they are durable. A write that fails takes everything with
        it that waits behind: their ``done(StoreError)`` are called newest first, so that each can undo what it did;
        what is appended from then on is tried anew.
        """

    def stop() -> "Deferred[None] | None":
        """Write what is waiting, close; fires when that is done. Idempotent.

        What is appended after that is not saved, and nobody is told.
        """
