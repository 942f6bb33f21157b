"""What the edges use of a Twisted reactor."""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall

from pmip_tw.descriptors import ReadReactor


class TimeReactor(Protocol):
    """Calls later."""

    def callLater(self, delay: float, callable: Callable[[], object]) -> IDelayedCall: ...


class Reactor(ReadReactor, TimeReactor, Protocol):
    """Both."""
