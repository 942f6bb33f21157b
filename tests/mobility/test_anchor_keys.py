"""How the name of a mobile node's entry at an LMA is written, and read again."""

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.mobility.tunnels import AnchorKey


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (AnchorKey(ipv4("10.1.0.2")), "10.1.0.2"),
        (AnchorKey(ipv4("10.1.0.2"), "blue"), "10.1.0.2 in blue"),
    ],
)
def test_it_is_read_as_it_is_written(key: AnchorKey, text: str) -> None:
    assert str(key) == text
    assert AnchorKey.read(text) == key


@pytest.mark.parametrize(
    "text", ["", "mn1@example.net", "10.1.0", "10.1.0.256", " in blue", "10.1.0.2in blue"]
)
def test_anything_else_is_none(text: str) -> None:
    assert AnchorKey.read(text) is None
