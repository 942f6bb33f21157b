"""A thousand worlds keep their promises, and so do those that once did not."""

import os

import pytest

from tests.conformance import covers
from tests.simulation.campaign import everything, explain
from tests.simulation.drawing import draw
from tests.simulation.regressions import REGRESSIONS, Regression
from tests.simulation.run import run

SEEDS = range(1000)


@covers(
    "D23", "I6", "I8", "I9", "L3", "L6", "M5", "M8", "P15", "P37", "P44", "P45", "P48", "P51", "P79", "P80"
)
@covers("RV6", "RV26")
def test_a_thousand_seeds() -> None:
    found = everything(SEEDS, jobs=min(4, os.cpu_count() or 1))
    assert found.seeds == len(SEEDS)
    assert not found.failed, explain(found.failed[0])


@pytest.mark.parametrize("regression", REGRESSIONS, ids=lambda found: f"{found.profile}-{found.seed}")
def test_a_seed_that_found_something(regression: Regression) -> None:
    outcome = run(draw(regression.seed, regression.profile))
    assert not outcome.failed, f"{regression.defect}\n{explain(outcome)}"
