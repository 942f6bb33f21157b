"""Two LMAs, of which one reads everything, through the same course."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.lma.fast_paths.courses import Course, Step, steps
from tests.lma.fast_paths.subject import configuration


def drawn(seed: int, length: int = 60) -> tuple[dict[str, Any], list[Step]]:
    draw = random.Random(seed)
    return configuration(draw), steps(draw, length)


@contextmanager
def everything_is_read() -> Iterator[None]:
    """No request has the usual form, and no acknowledgment is known by its octets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pmip_tw.lma.revocation.revoking.acknowledged_in", lambda datagram: None)
        for where in (
            "registration.granting.form_of",
            "journal.former.form_of",
            "registration.proving.layout_of",
        ):
            patch.setattr(f"pmip_tw.lma.{where}", lambda datagram: None)
        yield


def difference(config: dict[str, Any], course: list[Step]) -> tuple[int, object] | None:
    """After which step the two can be told apart, and by what; None: never."""
    told = []
    for reads in (False, True):
        story: list[dict[str, object]] = []
        told.append(story)

        def follow(story: list[dict[str, object]] = story) -> None:
            one = Course(config)
            for step in course:
                subject = one.subject
                subject.sent.clear() if len(subject.sent) > 40 else None
                subject.notes.clear()
                sent = len(subject.sent)
                one.take(step)
                story.append(
                    {
                        "sent": [(s.datagram.hex(), s.destination, s.source) for s in subject.sent[sent:]],
                        "notes": list(subject.notes),
                        "journal": len(subject.journal),
                        "rows": subject.journal[-3:],
                        "inside": subject.inside(),
                    }
                )

        if reads:
            with everything_is_read():
                follow()
        else:
            follow()
    for number, (fast, slow) in enumerate(zip(*told, strict=True)):
        for name in fast:
            if fast[name] != slow[name]:
                if name == "inside":
                    pairs = zip(fast[name], slow[name], strict=True)  # type: ignore[call-overload]
                    return number, [pair for pair in pairs if pair[0] != pair[1]]
                return number, (name, fast[name], slow[name])
    return None


def smallest(config: dict[str, Any], course: list[Step]) -> list[Step]:
    """As few steps of it as still make a difference."""
    at = 0
    while at < len(course):
        shorter = course[:at] + course[at + 1 :]
        try:
            differs = difference(config, shorter) is not None
        except Exception:
            differs = False
        if differs:
            course = shorter
        else:
            at += 1
    return course
