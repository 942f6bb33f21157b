"""A table of statuses is read whole or refused with its mistake."""

import pytest

from tests.conformance.statuses import Status, Undeclarable, declared


def test_versions_ranges_and_reasons() -> None:
    found = declared(
        '[later]\nNAT = ["P61", "N1-N3"]\n["not applicable"]\nL7 = "there is no home link"\n'
        '["not implemented"]\nP32 = "no text defines it"\n'
    )
    assert found == {
        "P61": Status("later", "NAT"),
        **{f"N{number}": Status("later", "NAT") for number in (1, 2, 3)},
        "L7": Status("not applicable", "there is no home link"),
        "P32": Status("not implemented", "no text defines it"),
    }
    assert str(found["P61"]) == "later: NAT"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[soon]\nNAT = ["P61"]\n', "'soon' is no kind of status"),
        ('[later]\nIPV6 = ["P61"]\n', "is none of NAT, AAA, PPP, FA, VPN"),
        ('["not implemented"]\nP32 = ""\n', "say why for"),
        ('[later]\nNAT = ["N60"]\n', "no requirement ids: .*N60"),
        ('[later]\nNAT = ["N58-N60"]\n', "no requirement ids: .*N60"),
        ('[later]\nNAT = ["N1-N3", "N2"]\n', "N2 is declared twice"),
        ('[later]\nNAT = ["L7"]\n["not applicable"]\nL7 = "there is no home link"\n', "L7 is declared twice"),
    ],
)
def test_mistakes(text: str, expected: str) -> None:
    with pytest.raises(Undeclarable, match=expected):
        declared(text)
