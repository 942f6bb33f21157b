"""A thousand worlds keep their promises."""

import os

from tests.simulation.campaign import everything, explain

SEEDS = range(1000)


def test_a_thousand_seeds() -> None:
    found = everything(SEEDS, jobs=min(4, os.cpu_count() or 1))
    assert found.seeds == len(SEEDS)
    assert not found.failed, explain(found.failed[0])
