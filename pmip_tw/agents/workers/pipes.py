"""The way between worker 0 and another worker, as both ends see it."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct


class IPipe(Protocol):
    """One end. Messages arrive whole, in order and none is lost, until the other process ends."""

    @property
    def crowded(self) -> bool:
        """More waits than the other end takes: what may be lost should not be sent."""

    def start(self, heard: "Callable[[Struct], None]", lost: Callable[[], None]) -> None:
        """``heard`` is called for each message; ``lost`` once, when nobody is at the other end any more."""

    def send(self, message: Struct) -> None:
        """What is sent in one turn of the reactor leaves together; nothing happens if nobody is there."""

    def stop(self) -> None:
        """Close. Idempotent; ``lost`` is not called."""
