"""The book of accounting sessions, which is worker 0's, as another worker has it: through the pipe."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from msgspec import Struct

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.agents.session_book import SessionBook
from pmip_tw.agents.workers.messages import SessionEnded, SessionsBack, SessionServed, SessionToWorker0
from pmip_tw.lma.accounted import Stay
from pmip_tw.mobility.tunnels import AnchorKey, Counters

MOST_TOGETHER = 256
"""Of those who are back, in one message: worker 0 has others to serve."""


class RemotePages:
    """At another worker (IPages). ``tell``: puts a message into the pipe."""

    def __init__(self, tell: Callable[[Struct], None]) -> None:
        self._tell = tell

    def start(self) -> None:
        """Worker 0 has read what there is."""

    def back(self, stays: Iterable[Stay]) -> None:
        for some in _some_at_a_time(iter(stays)):
            self._tell(SessionsBack(some))
        self._tell(SessionsBack([], last=True))

    def serves(self, stay: Stay) -> None:
        self._tell(SessionServed(stay))

    def over(self, key: AnchorKey, terminate_cause: TerminateCause) -> None:
        self._tell(SessionEnded(key, terminate_cause))

    def removed(self, key: AnchorKey, counters: Counters) -> None:
        """Worker 0 has counted, and knows."""

    def stop(self, *, survive: bool) -> None:
        """Worker 0 writes it down."""


def hear(book: SessionBook, worker: int, message: SessionToWorker0) -> None:
    """At worker 0: what another has said of its nodes."""
    if isinstance(message, SessionServed):
        book.serves(worker, message.stay)
    elif isinstance(message, SessionEnded):
        book.over(worker, message.key, message.terminate_cause)
    else:
        book.back(worker, message.stays, last=message.last)


def _some_at_a_time(stays: Iterator[Stay]) -> Iterator[list[Stay]]:
    while some := list(islice(stays, MOST_TOGETHER)):
        yield some
