"""What is due at an engine is done thing by thing (``mobility/due.py``)."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from twisted.logger import Logger

from pmip_tw.mobility.due import Due

EffectT = TypeVar("EffectT")

AT_MOST_EVERY = 1.0
"""Seconds between wake-ups while something that comes due by itself meets a defect: it is due all the time."""


class TakingTurns(Generic[EffectT]):
    """Of one agent, which tells defects to ``log``."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._rests_until = float("-inf")

    def take(self, due: Iterable[Due[EffectT]], monotonic: float) -> list[EffectT]:
        """What follows from one after the other; of what met a defect, as far as it came."""
        effects: list[EffectT] = []
        try:
            for one in due:
                try:
                    # One by one: what was decided before a defect stays.
                    for effect in one.act():
                        effects.append(effect)
                except Exception:
                    self._met_defect(one, monotonic)
        except Exception:
            self._log.failure("a wake-up met a defect")
            self._rests_until = monotonic + AT_MOST_EVERY
        return effects

    def no_sooner(self, deadline: float | None) -> float | None:
        """When to wake up for what is due at ``deadline``."""
        return None if deadline is None else max(deadline, self._rests_until)

    def _met_defect(self, one: Due[EffectT], monotonic: float) -> None:
        again = "again in a while"
        if one.put_off is None:
            again = "as soon as it is due"
            self._rests_until = monotonic + AT_MOST_EVERY
        self._log.failure(
            "what was due for {about} met a defect, and is tried {again}", about=str(one.about), again=again
        )
        if one.put_off is not None:
            one.put_off()
