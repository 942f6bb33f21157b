"""Which tests prove which rule: the marker that says so. docs/requirements.md explains the rules by their ids.

    @covers("P34", "L3")
    def test_a_handover_moves_the_binding() -> None: ...

on a function or a class, or ``pytestmark = covers("RV23")`` for a whole module. Name a rule only where breaking it
would make the test fail.
"""

import pytest

from tests.conformance.families import is_id


def covers(*ids: str) -> pytest.MarkDecorator:
    """The marker for a test that fails if one of these rules is broken.

    Args:
        ids: requirement ids, as "P34"; at least one, each of a known family and in its range.

    Raises:
        ValueError: something is no requirement id.
    """
    unknown = [name for name in ids if not is_id(name)]
    if unknown or not ids:
        raise ValueError(f"no requirement ids: {unknown or 'none given'}; see docs/requirements.md")
    return pytest.mark.covers(*ids)
