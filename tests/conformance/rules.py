"""The rules themselves, as docs/requirements.md has them: the one place where they are written."""

import re
from pathlib import Path

import attrs

from tests.conformance.families import is_id

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "docs" / "requirements.md"

_ROW = re.compile(r"^\| ([A-Z]{1,2}\d+) \|(.*)\|(.*)\|$", re.M)


@attrs.frozen(slots=True, kw_only=True)
class Rule:
    """One row: what is asked for, in Markdown without a pipe, and which text asks for it."""

    text: str
    source: str


def rules(page: str) -> dict[str, Rule]:
    """Id -> rule.

    Raises:
        ValueError: an id has two rows, or a row has what is no id.
    """
    found: dict[str, Rule] = {}
    for name, text, source in _ROW.findall(page):
        if name in found:
            raise ValueError(f"{REQUIREMENTS.name}: {name} has two rows")
        if not is_id(name):
            raise ValueError(
                f"{REQUIREMENTS.name}: {name} is of no family that tests/conformance/families.py has"
            )
        found[name] = Rule(text=text.strip(), source=source.strip())
    return found
