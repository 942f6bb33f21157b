"""What the project cites can be looked up by somebody who has nothing but this project."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.families import FAMILIES, is_id

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "requirements.md"

CITATION = re.compile(rf"(?<![\w-])({'|'.join(FAMILIES)})([1-9]\d?)[ab]?(?:-\1([1-9]\d?))?(?![\w%.]\w)(?!\w)")
"""N29, I6b, or a range as P5-P21; other letters with digits (MD5, B3) are no ids."""

ROW = re.compile(r"^\| ([A-Z]{1,2}\d+) \|(.*)\|(.*)\|$", re.M)
DOCUMENT = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)*(?:[\w-]+\.md|pmip-\w+\.service))\b")
"""A document that a text names; what is part of an address on the web is none."""


def texts(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".md", ".toml", ".json", ".service") and path != Path(__file__):
                yield path


def cited(text: str) -> set[str]:
    """Every id in ``text``, the ones inside a range as well."""
    found = set()
    for family, first, last in CITATION.findall(text):
        for number in range(int(first), int(last or first) + 1):
            if is_id(f"{family}{number}"):
                found.add(f"{family}{number}")
    return found


def rules() -> dict[str, tuple[str, str]]:
    """Id -> (rule, source), as the page has them."""
    rows = ROW.findall(PAGE.read_text())
    assert len({row[0] for row in rows}) == len(rows), "an id has two rows"
    return {row[0]: (row[1].strip(), row[2].strip()) for row in rows}


def test_citations_are_found() -> None:
    """Or the next test would pass on anything."""
    assert cited("(P34), rules M2-M4, I6b; MD5 P2P mn1 MN1 N999 H.264 T1_000") == {
        "P34",
        "M2",
        "M3",
        "M4",
        "I6",
    }


@pytest.mark.parametrize("folder", ["pmip_tw", "tests", "docs", "conf"])
def test_every_id_that_is_cited_is_explained(folder: str) -> None:
    known = rules()
    unknown = {
        str(path.relative_to(ROOT)): missing
        for path in texts(folder)
        if (missing := sorted(cited(path.read_text()) - known.keys()))
    }
    assert unknown == {}, "give each a row in docs/requirements.md"


def test_every_rule_says_something_and_where_it_is_from() -> None:
    known = rules()
    assert len(known) > 100
    assert [name for name, (rule, source) in known.items() if len(rule) < 10 or not source] == []


def test_every_document_that_is_named_exists() -> None:
    """Beside the file that names it, in docs/ or from the top of the project."""
    named = [*texts("pmip_tw", "tests", "docs", "conf"), *ROOT.glob("*.md"), ROOT / "Makefile"]
    lost = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in named
        for name in DOCUMENT.findall(re.sub(r"https?://\S+", "", path.read_text()))
        if not any((place / name).exists() for place in (path.parent, ROOT, ROOT / "docs", ROOT / "conf"))
    ]
    assert lost == []
