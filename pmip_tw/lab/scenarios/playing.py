"""The frame of a scenario: things happen while everything is captured, and are judged afterwards."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from pmip_tw.lab.capture import Capture
from pmip_tw.lab.report import Result
from pmip_tw.lab.scenarios import Outcome
from pmip_tw.lab.world import World


class Seen(Protocol):
    """What is noted while things happen. ``capture_lost``: packets that the capture missed."""

    capture_lost: int


async def play(
    name: str,
    made: World,
    seen: Seen,
    *,
    capture: Callable[[], Awaitable[Capture]],
    drive: Callable[[], Awaitable[None]],
    judge: Callable[[Capture, Result], Awaitable[Outcome]],
) -> Outcome:
    """The scenario of that ``name``: ``drive`` makes things happen, ``judge`` says what came of it."""
    result = Result(scenario=name, notes=made.notes)
    recording = await capture()
    try:
        await drive()
    finally:
        seen.capture_lost = await recording.stop()
    return await judge(recording, result)
