"""When something is due for a visitor: one wheel for all of them."""

from collections.abc import Iterator

from pmip_tw.mag.visitors import Visitor, VisitorList
from pmip_tw.mobility.due import PUT_OFF
from pmip_tw.mobility.timers import Wheel
from pmip_tw.mobility.tunnels import AccessKey

_GRANULARITY = 1 / 64


class Deadlines:
    """Asks each visitor of the list for its next instant."""

    def __init__(self, visitors: VisitorList) -> None:
        self._visitors = visitors
        self._wheel: Wheel[AccessKey] = Wheel(_GRANULARITY, self._deadline)

    def schedule(self, visitor: Visitor) -> None:
        """Another instant counts for ``visitor`` now."""
        deadline = visitor.next_deadline()
        if deadline is not None and self._visitors.get(visitor.key) is visitor:
            self._wheel.file(visitor.key, deadline)

    def put_off(self, visitor: Visitor, monotonic: float) -> None:
        """What is due for it now cannot be done: it comes due again in a while."""
        self._wheel.file(visitor.key, monotonic + PUT_OFF)

    def due(self, monotonic: float) -> Iterator[Visitor]:
        """Whose instant has come, one after the other; each is to be scheduled again."""
        for key in self._wheel.due(monotonic):
            visitor = self._visitors.get(key)
            if visitor is not None:
                yield visitor

    def next(self) -> float | None:
        """Monotonic; None: never."""
        return self._wheel.next_deadline()

    def _deadline(self, key: AccessKey) -> float | None:
        visitor = self._visitors.get(key)
        return None if visitor is None else visitor.next_deadline()
