"""A MAG as the RADIUS server of access points: an unmodified hostapd, supplicant, DHCP client and FreeRADIUS (AA27)."""

from typing import Any

import pytest

from tests.conformance import covers
from tests.interop.private_story import seen_of
from tests.programs import require

pytestmark = covers("AA27")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run, for all tests that look at it."""
    require("hostapd", "wpa_supplicant", "freeradius", "radclient", "dhclient", "ip", "nft", "ping")
    return seen_of("tests.interop.radius_proxy", tmp_path_factory.mktemp("radius-proxy"), timeout=300)


def names(trace: list[dict[str, Any]]) -> list[str]:
    return [entry["name"] for entry in trace]


def of_visits(trace: list[dict[str, Any]]) -> list[str]:
    """Without what is said to servers and access points, whose answers may come later."""
    return [name for name in names(trace) if not name.startswith(("radius-", "access-point-"))]


def test_nobody_is_served_before_he_has_proven_himself(seen: dict[str, Any]) -> None:
    assert seen["asked in vain"] and seen["nobody"] == []
    assert seen["refused frames"] >= 1


def test_an_accept_is_an_attachment(seen: dict[str, Any]) -> None:
    """EAP-TTLS goes through the MAG, which registers the node before the access point hears of the Accept."""
    assert seen["served"] is not None and seen["reaches"]
    assert (seen["visitor"]["nai"], seen["visitor"]["method"]) == ("mn1@lab.example", "access-point")
    told = names(seen["mag1"])
    assert told.index("registration-sent") < len(told) - told[::-1].index("access-point-answer")
    assert told.index("registration-accepted") < told.index("dhcp-offer")
    assert {entry["details"]["code"] for entry in seen["mag1"] if entry["name"] == "access-point-answer"} == {
        "access-challenge",
        "access-accept",
    }


def test_the_access_point_is_known_by_its_stations(seen: dict[str, Any]) -> None:
    assert seen["access points"] == [
        {
            "access_point": "198.51.100.31",
            "interface": "acc0",
            "stations": 1,
            "waiting": 0,
            "signs": True,
        }
    ]


def test_an_accept_at_another_mag_is_a_handover(seen: dict[str, Any]) -> None:
    """The node has its address, and had not sent anything there when it was served."""
    assert seen["moved"] is not None and seen["reaches after the move"]
    assert not seen["left behind"] and seen["bindings"] == [seen["address"]]
    assert of_visits(seen["mag1"])[-1] == "revocation-received"


def test_the_operator_has_it_thrown_off_and_it_comes_back(seen: dict[str, Any]) -> None:
    assert seen["thrown off"] and seen["no service"]
    assert seen["back"] is not None and seen["reaches again"]


@covers("AA17")
def test_so_has_aaa_by_the_name_that_it_heard(seen: dict[str, Any]) -> None:
    """AAA asks the MAG, as which the station was asked about, and the MAG asks the access point."""
    assert seen["answer to AAA"] == "Disconnect-ACK" and seen["thrown off by AAA"]
    assert seen["told to throw off"] == 2
    assert seen["back once more"] is not None


def test_nobody_waits_for_ever_for_a_mag_that_has_forgotten_him(seen: dict[str, Any]) -> None:
    """Its access point believes that it was let in, and is told otherwise."""
    assert seen["forgotten"] == [] and seen["thrown off as forgotten"]
    assert seen["back after all"] is not None


def test_the_end_of_an_access_point_ends_visits(seen: dict[str, Any]) -> None:
    """hostapd accounts for the end of each session, and for its own."""
    assert seen["ended with its access point"]
    assert of_visits(seen["mag2"])[-3:] == ["visitor-left", "deregistration-sent", "deregistered"]
    assert seen["counts"]["mag2"]["access-point-restarted "] == 1


def test_what_access_points_account_for_is_the_server_s(seen: dict[str, Any]) -> None:
    """forward_accounting: as they have said it, under their own names; every session begins and ends once."""
    of_the_first = [one for one in seen["accounts"] if one["NAS-Identifier"] == ["ap1.lab.example"]]
    assert [one["Acct-Status-Type"] for one in of_the_first[:2]] == [["Accounting-On"], ["Start"]]
    assert of_the_first[1]["Calling-Station-Id"] == ["02-00-00-00-00-01"]
    said = [
        (one["Acct-Status-Type"][0], one["Acct-Session-Id"][0], *one["Event-Timestamp"])
        for one in seen["accounts"]
    ]
    assert len(set(said)) == len(said), "a record was passed on twice"


def test_nothing_was_lost_on_the_way(seen: dict[str, Any]) -> None:
    assert seen["tracebacks"] == []
    for counts in seen["counts"].values():
        wrong = [
            name for name in counts if name.startswith(("access-point-request-discarded", "access-point-un"))
        ]
        assert wrong == []
