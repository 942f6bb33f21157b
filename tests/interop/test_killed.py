"""kill -9 of MAG and LMA under an unmodified host: its pings go on and its TCP session lives; nobody is asked again."""

from typing import Any

import pytest

from tests.conformance import covers
from tests.interop.private_story import seen_of
from tests.programs import require


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run, for all tests that look at it."""
    require("dhclient", "ip", "iperf3", "nft", "ping")
    return seen_of("tests.interop.killed", tmp_path_factory.mktemp("killed"), timeout=300)


@pytest.mark.parametrize("who", ["mag", "lma", "both"])
def test_the_host_goes_on_with_its_address(seen: dict[str, Any], who: str) -> None:
    assert seen[who]["answered"]
    assert seen[who]["addresses"] == [seen["address"]]


@pytest.mark.parametrize("who", ["mag", "lma", "both"])
def test_visitor_and_binding_are_what_they_were(seen: dict[str, Any], who: str) -> None:
    before, after = seen[who]["before"], seen[who]["after"]
    assert len(before["bindings"]) == len(before["visitors"]) == 1
    assert before["visitors"][0]["state"] == "registered"
    assert (after["bindings"], after["visitors"]) == (before["bindings"], before["visitors"])


def test_nobody_is_asked_before_its_time(seen: dict[str, Any]) -> None:
    """No Access-Request and no registration: the MAG knows what it needs."""
    assert seen["mag"]["after"]["registered"] == seen["mag"]["before"]["registered"] == 1
    assert seen["both"]["after"]["registered"] == 0
    asked = {
        seen[who][when]["authentications"] for who in ("mag", "lma", "both") for when in ("before", "after")
    }
    assert asked == ({1} if seen["aaa"] else {0})
    assert [entry["name"] for entry in seen["trace"]] == ["visitor-restored"]


@pytest.mark.parametrize("who", ["mag", "lma", "both"])
def test_the_tcp_session_lives(seen: dict[str, Any], who: str) -> None:
    assert seen[who]["TCP goes on"]


@covers("P40")
def test_what_a_dead_mag_leaves_in_the_kernel_is_taken_over(seen: dict[str, Any]) -> None:
    """The fence stays, so that the kernel does not route past the tunnels meanwhile; at the end nothing is left."""
    assert seen["mag"]["fence stayed"]
    assert seen["rules left"] == ""
    assert seen["tracebacks"] == []


@covers("P35", "RV21")
def test_who_moved_while_its_mag_was_dead_is_left_where_it_is(seen: dict[str, Any]) -> None:
    assert seen["moved"] == {
        "served": True,
        "gone": True,
        "answered": True,
        "bindings": ["198.51.100.12"],
    }
    assert seen["ended"]
