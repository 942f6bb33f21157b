"""No journal: what an operator gets who wants none. Bindings end with the process."""

from collections.abc import Callable, Iterator, Sequence

from zope.interface import implementer

from pmip_tw.errors import StoreError
from pmip_tw.interfaces import IBindingStore
from pmip_tw.mobility.records import Record, Superseded


@implementer(IBindingStore)
class Unsaved:
    """Answers at once and keeps nothing."""

    keeps = False

    def start(self) -> None:
        """Nothing to open."""

    def load(self, superseded: Superseded | None = None) -> Iterator[tuple[float, Sequence[Record]]]:
        return iter(())

    def append(self, records: Sequence[Record], done: Callable[[StoreError | None], None]) -> None:
        done(None)

    def stop(self) -> None:
        """Nothing to close."""
