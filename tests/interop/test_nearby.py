"""Local breakout (N58) by the daemon as it is shipped, with unmodified hosts at both ends."""

from typing import Any

import pytest

from tests.conformance import covers
from tests.interop.private_story import seen_of
from tests.programs import require

MAG, FIXED_HOST = "198.51.100.11", "198.51.100.53"


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run, for all tests that look at it."""
    require("ip", "nft")
    return seen_of("tests.interop.nearby", tmp_path_factory.mktemp("nearby"), timeout=120)


@covers("N58")
def test_with_the_mags_address_past_the_tunnel(seen: dict[str, Any]) -> None:
    assert seen["fixed host sees"] == MAG
    assert seen["correspondent sees"] == seen["address"]
    assert seen["counted"] > 3
    assert seen["node sees"] == "", "nobody there reaches the node"


@covers("N58")
def test_with_the_nodes_own_address_after_a_crash_and_in_the_other_mode(seen: dict[str, Any]) -> None:
    assert seen["restored"]
    assert seen["node sees then"] == FIXED_HOST
    assert seen["fixed host sees then"] == seen["address"]
    assert seen["during"]["proxies"].startswith(f"{seen['address']} dev core0 proxy")


@covers("N58")
def test_nothing_is_left(seen: dict[str, Any]) -> None:
    assert seen["before"] == seen["after"] == {"proxies": "", "routes": "", "tables": "", "device": ""}
