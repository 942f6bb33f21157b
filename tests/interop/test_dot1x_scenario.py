"""The scenario ``dot1x`` as a person runs it: each EAP method at the MAGs, and access points that ask them."""

import pytest

from tests.conformance import covers
from tests.interop.scenario import Outcome, assert_checks, assert_measured, assert_passed, outcome_of

PROGRAMS = ("freeradius", "radclient", "wpa_supplicant", "dhclient", "ping", "iperf3")
CHECKS = {
    "the node proves itself at every MAG, by itself",
    "nothing passes before the node has proven itself",
    "the proven identity is registered, not the one that everybody can read",
    "same address throughout",
    "exactly one MAG has the visitor",
    "no link event at the MN",
    "TCP session survives",
    "no packet outside the tunnel",
    "no echo request arrives twice",
    "CoA: a filter applies at once, and is taken away again",
    "Disconnect ends the session before it is answered",
    "one Start and one Stop for each session",
    "records say why a session was over",
    "one journey: the same Acct-Multi-Session-Id, and Class as AAA gave it",
    "accounts equal what nftables counted, within 0.1 %",
    "strangers at 802.1X: who is served does not notice",
    "without 802.1X nothing passes and nothing is answered",
    "forged CoA and Disconnect change nothing and get no answer",
    "tshark decodes every message",
    "no key in any log",
    "nothing is left",
}
AT_ACCESS_POINTS = {"no key and nothing of mobility goes to an access point"}
KINDS = {
    "ttls at the MAG": ("ttls", "mag"),
    "peap at the MAG": ("peap", "mag"),
    "tls at the MAG": ("tls", "mag"),
    "peap at hostapd": ("peap", "hostapd"),
}


@pytest.fixture(scope="module", params=sorted(KINDS))
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    method, point = KINDS[request.param]
    directory = tmp_path_factory.mktemp("dot1x")
    needs = (*PROGRAMS, *(["hostapd"] if point == "hostapd" else []))
    found = outcome_of("dot1x", directory, "--eap", method, "--ap", point, needs=needs)
    return {**found, "method": method, "point": point}


def test_it_has_exactly_these_checks(outcome: Outcome) -> None:
    assert_checks(outcome, CHECKS | (AT_ACCESS_POINTS if outcome["point"] == "hostapd" else set()))


@covers("AA2", "AA9", "AA10", "AA11", "AA17", "AA18", "AA20", "AA21", "AA25", "AA27")
def test_an_unmodified_host_is_served_by_802_1x_and_aaa_has_the_last_word(outcome: Outcome) -> None:
    assert_passed(outcome)


def test_every_figure_was_measured(outcome: Outcome) -> None:
    names = {
        f"attach_{outcome['method']}_ms",
        "reauth_full_ms",
        "reauth_resumed_ms",
        "handover_gap_full_ms",
        "handover_gap_resumed_ms",
        "accounting_records",
        "accounts_apart_percent",
    }
    goals = {"handover_gap_full_ms", "handover_gap_resumed_ms", "accounts_apart_percent"}
    assert_measured(outcome, names, goals)
