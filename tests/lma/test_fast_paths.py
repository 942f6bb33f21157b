"""Whatever happens to it, an LMA that knows requests by their octets does what one does that reads them all."""

from collections import Counter

import pytest

from tests.lma.fast_paths.comparing import difference, drawn
from tests.lma.fast_paths.courses import Course


@pytest.mark.parametrize("seed", range(60))
def test_nobody_can_tell_them_apart(seed: int) -> None:
    """Replies, revocations, observations, records, bindings, packet plane, and all that is remembered."""
    assert difference(*drawn(seed)) is None


def test_the_fast_paths_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else there would be nothing to compare."""
    taken = Counter[str]()
    for seed in range(40):
        config, course = drawn(seed)
        one = Course(config)
        engine = one.subject.engine
        for room in (engine._renewals, engine._newcomers):
            decide = room.decide

            def counted(
                *arguments: object, decide: object = decide, name: str = type(room).__name__
            ) -> object:
                found = decide(*arguments)  # type: ignore[operator]
                taken[name] += found is not None
                return found

            monkeypatch.setattr(room, "decide", counted)
        for step in course:
            one.take(step)
    assert min(taken["Renewals"], taken["Newcomers"]) > 50, taken
