"""Tests that take long are begun first, and those that want to be alone last."""

from pathlib import Path

from tests.order import ALONE, LONGEST, place

ROOT = Path(__file__).parents[2]


def test_what_is_named_is_there() -> None:
    assert [name for name in (*LONGEST, *ALONE) if not (ROOT / name).exists()] == []


def test_a_folder_is_what_is_not_named_elsewhere() -> None:
    files = (
        "tests/interop/test_nat.py",
        "tests/interop/test_killed.py",
        "tests/wire/test_dhcp.py",
        "tests/interop/test_adversity.py",
    )
    assert sorted(files, key=place) == list(files)
