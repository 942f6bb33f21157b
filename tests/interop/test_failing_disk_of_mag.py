"""A MAG whose disk is full serves on: a promise to a node is kept, even if a restart would not know it."""

from typing import Any

import pytest

from tests.interop.private_story import seen_of
from tests.programs import require


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run, for all tests that look at it."""
    require("cc", "dhclient", "ip", "nft", "ping")
    return seen_of("tests.interop.failing_disk_of_mag", tmp_path_factory.mktemp("disk"), timeout=300)


def test_it_does_not_start_and_says_what_to_do(seen: dict[str, Any]) -> None:
    """Nothing is destroyed: who was saved is served when there is room again."""
    assert f"{seen['journal']}: the disk is full" in seen["refusal"]
    assert [row["state"] for row in seen["restored"]] == ["registered"]
    assert seen["restored"][0]["home_address"] == seen["address"]
    assert seen["served again"]


def test_a_node_that_comes_meanwhile_is_served(seen: dict[str, Any]) -> None:
    assert seen["address meanwhile"] == seen["address"]
    assert seen["served meanwhile"]
    assert f"{seen['journal']}: the disk is full" in seen["complaint"]
    assert "served on" in seen["complaint"]


def test_it_is_written_by_itself_when_there_is_room(seen: dict[str, Any]) -> None:
    before, after = seen["kept"]
    assert seen["works again"]
    assert [row["state"] for row in before] == ["registered"] and after == before
    assert seen["served at last"]
    assert seen["tracebacks"] == []
