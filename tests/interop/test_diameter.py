"""The scenario ``diameter`` as a person runs it: an unmodified freeDiameter between our MAGs and a Diameter server."""

from pathlib import Path

from tests.conformance import covers
from tests.interop.scenario import assert_checks, assert_measured, assert_passed, outcome_of

CHECKS = {
    "same address throughout",
    "exactly one MAG has the visitor",
    "no link event at the MN",
    "TCP session survives",
    "no packet outside the tunnel",
    "NASREQ and EAP let it in",
    "the LMA has the node's key from the server",
    "everything came through the relay",
    "each session ends with one STR",
    "ASR ends the session",
    "AAA brings registrations, and proves others (RFC 4004)",
    "ASR at the LMA and RAR at a MAG",
    "the relay may go and come back",
    "accounting by ACR, nothing missing or doubled",
    "no key in any packet",
    "nothing is left",
}
MEASUREMENTS = {"attach_ms", "handover_gap_ms", "abort_ms", "reconnect_ms"}


@covers("AA23")
def test_mags_ask_a_diameter_server_through_freediameter(tmp_path: Path) -> None:
    outcome = outcome_of("diameter", tmp_path)
    assert_passed(outcome)
    assert_checks(outcome, CHECKS)
    assert_measured(outcome, MEASUREMENTS, goals={"attach_ms"})
