"""docs/conformance.md says of every rule what became of it, and the tests that it names are there."""

from pathlib import Path

import pytest

from tests.conformance.page import PAGE, problems
from tests.conformance.proofs import proofs
from tests.conformance.rules import REQUIREMENTS, rules
from tests.conformance.statuses import TABLE, declared

TESTS = Path(__file__).resolve().parents[1]


def test_the_page_is_complete_and_true() -> None:
    known, statuses = rules(REQUIREMENTS.read_text()), declared(TABLE.read_text())
    wrong = list(problems(known, statuses, proofs(TESTS), PAGE.read_text()))
    assert wrong == [], "\n".join(wrong)


def test_the_tests_that_are_named_are_those_that_pytest_marks(request: pytest.FixtureRequest) -> None:
    """What is found in the text is what runs: no mark is lost, none is invented."""
    collected: dict[Path, set[tuple[str, str]]] = {}
    for item in request.session.items:
        marks = {name for mark in item.iter_markers("covers") for name in mark.args}
        collected.setdefault(item.path, set()).update(
            (name, item.location[2].partition("[")[0]) for name in marks
        )
    named: dict[Path, set[tuple[str, str]]] = {path: set() for path in collected}
    for name, some in proofs(TESTS).items():
        for proof in some:
            path = TESTS / proof.path
            if path in named:
                named[path].add((name, proof.name.replace("::", ".")))
    for path, marked in collected.items():
        for name, test in marked:
            assert any(
                which == name and (not proof or test == proof or test.startswith(f"{proof}."))
                for which, proof in named[path]
            ), f"{path}: {test} is marked with {name}, and the page would not say so"
        for name, proof in named[path]:
            assert any(
                which == name and (not proof or test == proof or test.startswith(f"{proof}."))
                for which, test in marked
            ), f"{path}: {proof} should be marked with {name}, and pytest does not know it"
