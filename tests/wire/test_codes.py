"""Reply codes: numbers outside our list come in, too, and each is shown."""

import pytest

from pmip_tw.wire.codes import MEANINGS, Code, accepts, meaning


def test_every_code_that_we_name_has_a_meaning() -> None:
    assert [code for code in Code if code not in MEANINGS] == []


@pytest.mark.parametrize(
    ("code", "said"), [(129, "129 administratively prohibited"), (211, "211 unassigned code")]
)
def test_shown(code: int, said: str) -> None:
    assert meaning(code) == said


def test_who_speaks_is_said() -> None:
    """64-127 is a foreign agent, a gateway one included (RFC 5944 3.4); what is unreachable speaks for itself."""
    agents = {code: text for code, text in MEANINGS.items() if 64 <= code <= 127}
    assert [
        code for code, text in agents.items() if "foreign agent" not in text and "unreachable" not in text
    ] == []


def test_only_0_and_1_accept() -> None:
    """2 is a promise of RFC 6521, which nobody here asks for."""
    assert [code for code in range(256) if accepts(code)] == [0, 1]
