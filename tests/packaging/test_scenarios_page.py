"""docs/scenarios.md speaks of every scenario that the laboratory has, and of no other."""

import re
from pathlib import Path

from pmip_tw.lab.scenarios import scenarios

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scenarios.md"


def test_every_scenario_has_a_section() -> None:
    assert re.findall(r"^## (\S+)$", PAGE.read_text(), re.M) == list(scenarios())
