"""The simulation sees defects: what breaks a rule of the product breaks a promise."""

import re
from pathlib import Path

import pytest

from tests.simulation.defects import DEFECTS, Defect
from tests.simulation.drawing import draw
from tests.simulation.radius.defects import RADIUS_DEFECTS
from tests.simulation.run import run

ALL = (*DEFECTS, *RADIUS_DEFECTS)

ENOUGH = 120
"""Seeds within which a defect must have been seen."""


@pytest.mark.parametrize(
    "defect", ALL, ids=lambda defect: f"{defect.plant.__name__}-{defect.promise}-{defect.profile}"
)
def test_a_defect_is_seen(defect: Defect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others may be broken by it, too."""
    defect.plant(monkeypatch)
    broken = set()
    for seed in range(defect.first, defect.first + ENOUGH):
        broken.add(run(draw(seed, defect.profile)).promise)
        if defect.promise in broken:
            return
    raise AssertionError(f"{defect.promise!r} was kept, only these were not: {broken}")


def test_every_promise_is_seen_broken() -> None:
    """A promise that nothing breaks says nothing."""
    texts = [path.read_text() for path in sorted(Path(__file__).parent.rglob("*.py"))]
    promises = {found for text in texts for found in re.findall(r'Violation\(\s*"([^"]+)"', text)}
    assert promises - {defect.promise for defect in ALL} == set()
    assert len(promises) > 15
