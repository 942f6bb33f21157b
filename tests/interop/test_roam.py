"""The main job, with unmodified programs: dhclient, ping, iperf3 and FreeRADIUS around real daemons."""

from pathlib import Path

from tests.conformance import covers
from tests.interop.scenario import assert_checks, assert_measured, assert_passed, outcome_of

CHECKS = {
    "same address throughout",
    "exactly one MAG has the visitor",
    "no link event at the MN",
    "TCP session survives",
    "no packet outside the tunnel",
    "echo requests arrive exactly once",
    "tshark decodes every message",
    "nothing is left",
}
MEASUREMENTS = {
    "attach_ms",
    "handover_gap_ms",
    "handover_gap_worst_ms",
    "pings_lost",
    "tcp_stalled_ms",
    "tcp_mbit_s",
}


@covers("P34", "P40")
def test_a_host_keeps_its_session_while_it_moves(tmp_path: Path) -> None:
    outcome = outcome_of("roam", tmp_path)
    assert_passed(outcome)
    assert_checks(outcome, CHECKS, authenticated=True)
    assert_measured(outcome, MEASUREMENTS, goals={"handover_gap_ms"})
    assert (tmp_path / "capture.pcapng").stat().st_size > 100_000
