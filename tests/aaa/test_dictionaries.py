"""Our small dictionaries beside the large ones, and beside what docs/radius.md says of them."""

import re
from pathlib import Path

import pytest

from pmip_tw.aaa.dictionaries.dictionary import Dictionary, Kind
from pmip_tw.aaa.dictionaries.of_3gpp2 import THREEGPP2
from pmip_tw.aaa.dictionaries.standard import STANDARD
from pmip_tw.aaa.dictionaries.wimax import WIMAX

FREERADIUS = Path("/usr/share/freeradius")
LINE = re.compile(r"^ATTRIBUTE\s+(\S+)[ \t]+(\d+)[ \t]+(\S+)(?:[ \t]+(\S+))?", re.MULTILINE)
KINDS = {
    "string": {Kind.TEXT, Kind.OCTETS},
    "octets": {Kind.OCTETS, Kind.SUB_ATTRIBUTES},
    "integer": {Kind.NUMBER},
    "ipaddr": {Kind.ADDRESS},
    "combo-ip": {Kind.EITHER_ADDRESS},
    "tlv": {Kind.SUB_ATTRIBUTES},
}


@pytest.mark.skipif(not FREERADIUS.exists(), reason="FreeRADIUS's dictionaries are not installed")
@pytest.mark.parametrize(
    ("ours", "files"),
    [
        (THREEGPP2, ["dictionary.3gpp2"]),
        (WIMAX, ["dictionary.wimax"]),
        (STANDARD, ["dictionary.rfc2865", "dictionary.rfc2869", "dictionary.rfc4372"]),
    ],
    ids=["3GPP2", "WiMAX", "standard"],
)
def test_names_numbers_kinds_and_encryption_are_those_of_freeradius(
    ours: Dictionary, files: list[str]
) -> None:
    theirs = {
        int(number): (name, kind, flags)
        for file in files
        for name, number, kind, flags in LINE.findall((FREERADIUS / file).read_text())
    }
    assert [*ours]
    for attribute in ours:
        name, kind, flags = theirs[attribute.number]
        assert attribute.name == name
        assert attribute.kind in KINDS[kind], attribute
        assert attribute.hidden == ("encrypt=2" in flags), attribute


def test_a_number_is_defined_once() -> None:
    dictionary = Dictionary(1, "Vendor-")
    dictionary.define(1, "One", Kind.NUMBER)
    with pytest.raises(ValueError, match="Vendor-One has number 1 already"):
        dictionary.define(1, "Another", Kind.NUMBER)


def test_the_documentation_has_all_of_them_as_they_are() -> None:
    text = (Path(__file__).parents[2] / "docs" / "radius.md").read_text()
    for dictionary in (STANDARD, THREEGPP2, WIMAX):
        for attribute in dictionary:
            written = f"| {attribute.name} | {attribute.number} | {attribute.kind.value}"
            written += ", encrypted |" if attribute.hidden else " |"
            assert written in text, f"docs/radius.md lacks: {written}"
