"""What is wrong with a page is found: each mistake alone, on a page that is right without it."""

from collections.abc import Iterable

import attrs
import pytest

from tests.conformance.families import all_ids
from tests.conformance.page import Proofs, Rules, Statuses, problems, written
from tests.conformance.proofs import Proof
from tests.conformance.rules import Rule, rules
from tests.conformance.statuses import Status

MOVES = Proof("lma/test_moves.py", "TestHandover::test_keeps_the_address")
MODULE = Proof("mag/test_quick.py", "")


@attrs.define(slots=True)
class Made:
    """All that a page is made of: P1 is proven by two, P32 is declared, everything else by one."""

    rules: Rules = attrs.Factory(
        lambda: {name: Rule(text=f"what {name} asks", source="ours") for name in all_ids()}
    )
    statuses: Statuses = attrs.Factory(lambda: {"P32": Status("not implemented", "no text defines it")})
    proofs: Proofs = attrs.Factory(
        lambda: {name: (MOVES,) for name in all_ids() if name != "P32"} | {"P1": (MOVES, MODULE)}
    )

    def page(self) -> str:
        return written(self.rules, self.statuses, self.proofs)

    def wrong(self, page: str | None = None) -> list[str]:
        return list(problems(self.rules, self.statuses, self.proofs, self.page() if page is None else page))


def without(mapping: dict, *names: str) -> dict:
    return {name: value for name, value in mapping.items() if name not in names}


def about(name: str, wrong: Iterable[str]) -> list[str]:
    return [line for line in wrong if line.startswith(f"{name}: ")]


def test_nothing_is_wrong_with_a_page_that_was_just_written() -> None:
    assert Made().wrong() == []


def test_an_id_without_rule() -> None:
    for rules_ in (without(Made().rules, "RV16"), Made().rules | {"RV16": Rule(text="-", source="ours")}):
        [line] = Made(rules=rules_).wrong()
        assert line == "RV16: docs/requirements.md does not say what it asks for"


def test_an_implemented_id_without_test() -> None:
    [line] = Made(proofs=without(Made().proofs, "H6")).wrong()
    assert "H6: no test proves it" in line and "@covers" in line


def test_declared_not_implemented_but_proven() -> None:
    [line] = Made(proofs=Made().proofs | {"P32": (MOVES,)}).wrong()
    assert line.startswith("P32: declared not implemented, but tests/lma/test_moves.py::")


def test_later_may_be_tested_already() -> None:
    made = Made(statuses=Made().statuses | {"N1": Status("later", "NAT")})
    assert made.wrong() == []
    [row] = [line for line in made.page().splitlines() if line.startswith("| N1 |")]
    assert "| later: NAT |" in row and "test_keeps_the_address" in row


def test_an_id_that_the_page_lacks() -> None:
    page = "\n".join(line for line in Made().page().splitlines() if not line.startswith("| L3 |"))
    assert about("L3", Made().wrong(page)) == [
        "L3: docs/conformance.md has no row for it; run: python -m tests.conformance"
    ]


@pytest.mark.parametrize(
    ("there", "gone"),
    [
        ("TestHandover::test_keeps_the_address", "TestHandover::test_lost"),
        ("lma/test_moves.py", "lma/test_lost.py"),
    ],
)
def test_a_test_that_does_not_exist(there: str, gone: str) -> None:
    wrong = Made().wrong(Made().page().replace(there, gone))
    assert "which is no marked test" in about("P34", wrong)[0] and gone in about("P34", wrong)[0]


def test_a_page_of_yesterday() -> None:
    """A test that was marked since, a rule in other words, a status that changed."""
    yesterday = Made().page()
    for made in (
        Made(proofs=Made().proofs | {"P2": (MOVES, Proof("lma/test_new.py", "test_new"))}),
        Made(rules=Made().rules | {"P2": Rule(text="in other words", source="ours")}),
        Made(statuses=Made().statuses | {"P2": Status("later", "AAA")}),
    ):
        assert made.wrong(yesterday) == [
            "docs/conformance.md is not what the tests say now; run: python -m tests.conformance"
        ]


def test_the_summary_counts() -> None:
    page = Made().page()
    assert "| **all** | 419 |  |  | 1 | 420 |" in page
    assert "\nLater: NAT 0, AAA 0, PPP 0, FA 0, VPN 0. 2 tests name a rule.\n" in page


def test_a_whole_module_is_named_by_its_file() -> None:
    assert "[mag/test_quick.py](../tests/mag/test_quick.py) |" in Made().page()


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("| P1 | a rule | ours |\n| P1 | another | ours |\n", "P1 has two rows"),
        ("| P99 | a rule | ours |\n", "P99 is of no family"),
    ],
)
def test_a_table_of_rules_with_a_mistake(page: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        rules(page)
