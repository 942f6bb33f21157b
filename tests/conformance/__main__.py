"""Writes docs/conformance.md: ``python -m tests.conformance``."""

import sys

from tests.conformance.page import PAGE, problems, written
from tests.conformance.proofs import Misplaced, proofs
from tests.conformance.rules import REQUIREMENTS, ROOT, rules
from tests.conformance.statuses import TABLE, Undeclarable, declared


def main() -> int:
    """0 if the page is written and nothing is wrong with what it says; else 1, with each mistake in a line."""
    try:
        known, statuses, found = (
            rules(REQUIREMENTS.read_text()),
            declared(TABLE.read_text()),
            proofs(ROOT / "tests"),
        )
    except (Misplaced, Undeclarable, ValueError) as mistake:
        print(mistake, file=sys.stderr)
        return 1
    page = written(known, statuses, found)
    PAGE.write_text(page)
    wrong = list(problems(known, statuses, found, page))
    print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
