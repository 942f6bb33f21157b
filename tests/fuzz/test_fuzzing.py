"""A bounded run of every target, the same each time: some three seconds each."""

from pathlib import Path

import pytest

from tests.fuzz.fuzzing import UNAVAILABLE, fuzz
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.skipif(bool(UNAVAILABLE), reason=UNAVAILABLE)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_nothing_is_found(target: Target, tmp_path: Path) -> None:
    result = fuzz(target, "-seed=1", f"-runs={target.runs}", folder=tmp_path, seeds=False)
    assert result.finding is None, f"stored as {result.finding}\n{result.output[-4000:]}"
    assert result.status == 0, result.output[-4000:]
    assert result.inputs >= target.runs
    assert result.places > 0, "nothing is instrumented"
