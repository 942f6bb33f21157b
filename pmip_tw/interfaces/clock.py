"""Time, chance and wake-ups."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from pmip_tw.mobility.clock import Now


class IClock(Interface):
    """Time, chance and wake-ups."""

    def now() -> "Now":
        """This instant, monotonic and wall clock, with an entropy source."""

    def wake_at(deadline: float | None, callback: Callable[[], None]) -> None:
        """Call ``callback`` once at monotonic ``deadline`` or a little later; replaces the wake-up asked for before.

        None cancels it. A wake-up is a hint: it may come early, and the callee looks at the clock itself.
        """
