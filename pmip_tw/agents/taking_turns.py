"""What is due at an engine is done thing by thing (``mobility/due.py``)."""

from collections.abc import Iterable
from typing import TypeVar

from twisted.logger import Logger

from pmip_tw.mobility.due import PUT_OFF, Due

EffectT = TypeVar("EffectT")


def each_in_turn(due: Iterable[Due[EffectT]], log: Logger) -> list[EffectT]:
    """What follows from one after the other; of what met a defect, which is told to ``log``, as far as it came."""
    effects: list[EffectT] = []
    try:
        for one in due:
            try:
                # One by one: what was decided before a defect stays.
                for effect in one.act():
                    effects.append(effect)
            except Exception:
                log.failure(
                    "what was due for {about} met a defect, and is tried again in {seconds:g} s",
                    about=str(one.about),
                    seconds=PUT_OFF,
                )
                one.put_off()
    except Exception:
        log.failure("a wake-up met a defect")
    return effects
