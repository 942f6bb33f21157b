"""pmip-lab's own behavior: what it prints where, and how it ends. No scenario is run here."""

import errno
import json
import os
from pathlib import Path

import attrs
import pytest

from pmip_tw.lab import command
from pmip_tw.lab.isolation import NotIsolated
from pmip_tw.lab.programs import ProgramError
from pmip_tw.lab.report import Goal, Result
from pmip_tw.lab.scenarios import Outcome, scenarios
from pmip_tw.lab.screen import progress, summary
from pmip_tw.lab.terminal import WIDEST, Style, style_for

ROAM = scenarios()["roam"]


def _result() -> Result:
    result = Result(scenario="roam", notes=["dhclient is not installed"])
    result.check("one", True, "as it should be")
    result.check("other", False, "it was not, and this is a long explanation of why " * 3)
    result.goals.append(Goal(name="handover_gap_ms", at_most=50, unit="ms", measured=61.5))
    result.measurements |= {"handover_gap_ms": 61.5, "pings_lost": None}
    return result


def test_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(["list"])
    assert end.value.code == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(scenarios())


def test_an_unknown_scenario_is_one_json_object_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(["run", "raom", "--json"])
    assert end.value.code == 2
    found = json.loads(capsys.readouterr().out)
    assert (found["scenario"], found["passed"]) == ("raom", False)
    assert "roam" in found["checks"][0]["detail"]


def test_a_machine_without_tun_is_told_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "TUN", str(tmp_path / "no-tun"))
    with pytest.raises(SystemExit) as end:
        command.main(["run", "roam", "--json", "--output", str(tmp_path)])
    assert end.value.code == 1
    shown = capsys.readouterr()
    assert "modprobe tun" in json.loads(shown.out)["checks"][0]["detail"]
    assert "modprobe tun" in shown.err


def test_json_has_exactly_the_promised_shape() -> None:
    found = json.loads(_result().as_json())
    assert set(found) == {"scenario", "passed", "checks", "goals", "measurements"}
    assert found["passed"] is False
    assert all(set(check) == {"name", "passed", "detail"} for check in found["checks"])
    assert found["goals"] == [{"name": "handover_gap_ms", "goal": "<= 50", "measured": 61.5, "met": False}]


def test_goals_do_not_decide_and_no_checks_prove_nothing() -> None:
    result = Result(scenario="roam")
    assert not result.passed
    result.check("one", True, "")
    result.goals.append(Goal(name="gap", at_most=1, unit="ms", measured=None))
    assert result.passed


def test_the_summary_tells_failures_notes_and_missed_goals(tmp_path: Path) -> None:
    shown = summary(ROAM, Outcome(_result()), tmp_path, Style())
    assert "FAILED" in shown
    assert "✓ one: as it should be" in shown
    assert "✗ other: it was not" in shown
    assert "! dhclient is not installed" in shown
    assert "handover_gap_ms 61.5 (goal ≤ 50: not met)" in shown
    assert "pings_lost not measured" in shown
    assert str(tmp_path) in shown
    assert "\x1b" not in shown


def test_the_summary_fits_a_narrow_terminal_and_tells_what_was_lost(tmp_path: Path) -> None:
    result = _result()
    result.measurements |= {"pings_lost": 3, "lost_up": 1, "lost_down": 2, "pings_sent": 1914}
    result.parts["pings_lost"] = {"requests": "lost_up", "replies": "lost_down"}
    outcome = Outcome(result, capture=tmp_path / "capture.pcapng")
    shown = summary(ROAM, outcome, tmp_path, Style(width=80))
    assert all(len(line) <= 80 for line in shown.splitlines() if str(tmp_path) not in line)
    assert "pings_lost 3 (requests 1, replies 2)" in shown
    assert "lost_up" not in shown
    assert "tshark -r" in shown
    assert shown.endswith("docs/scenarios.md#roam")


def test_progress_is_broken_between_words_and_stays_beside_its_time() -> None:
    assert progress(6.44, "the trace says: no answer", Style(width=27)).splitlines() == [
        "   6.4 s  the trace says:",
        "          no answer",
    ]


def test_a_terminal_says_how_wide_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "91")
    assert style_for(True, "utf-8", "xterm").width == 91
    assert style_for(False, "utf-8", "xterm").width == WIDEST
    monkeypatch.setenv("COLUMNS", "300")
    assert style_for(True, "utf-8", "xterm").width == WIDEST


def test_a_pipe_gets_no_colors_and_an_old_terminal_no_line_drawing(tmp_path: Path) -> None:
    assert style_for(False, "utf-8", "xterm") == Style()
    assert style_for(True, "utf-8", "xterm").colour
    assert not style_for(True, "utf-8", "dumb").colour
    assert summary(ROAM, Outcome(_result()), tmp_path, style_for(False, "latin-1", "")).isascii()


def test_old_runs_are_removed_but_the_last_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab-output" / "other-1").mkdir(parents=True)
    for age in range(8):
        old = tmp_path / "lab-output" / f"roam-{age}"
        old.mkdir()
        os.utime(old, (age, age))
    made = command._directory("roam", None)
    command._remove_older("roam")
    left = {path.name for path in (tmp_path / "lab-output").iterdir()}
    assert left == {"other-1", "roam-4", "roam-5", "roam-6", "roam-7", made.name}


def test_a_run_that_is_refused_leaves_no_directory_and_removes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> int:
        raise NotIsolated("no namespaces here")

    monkeypatch.chdir(tmp_path)
    for number in range(6):
        (tmp_path / "lab-output" / f"roam-{number}").mkdir(parents=True)
    before = set((tmp_path / "lab-output").iterdir())
    monkeypatch.setattr(command, "TUN", "/dev/null")
    monkeypatch.setattr(command, "run_isolated", refuse)
    monkeypatch.setattr(command, "scenarios", lambda: {"roam": attrs.evolve(ROAM, programs=())})
    with pytest.raises(SystemExit) as end:
        command.main(["run", "roam"])
    assert end.value.code == 1
    assert "no namespaces here" in capsys.readouterr().err
    assert set((tmp_path / "lab-output").iterdir()) == before


def test_a_tun_device_that_may_not_be_opened_is_told_from_a_missing_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    device = tmp_path / "tun"
    device.touch(mode=0o600)
    monkeypatch.setattr(command, "TUN", str(device))
    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(NotIsolated, match=r"permission denied, its mode is 0600; as root: chmod 666 .*/tun"):
        command._need_tun()


def test_missing_programs_are_named_all_at_once() -> None:
    wanting = attrs.evolve(ROAM, programs=("sh", "no-such-program", "nor-this-one"))
    with pytest.raises(
        ProgramError, match="not installed: no-such-program, nor-this-one; as root, make setup"
    ):
        wanting.need_programs({})


def test_what_is_chosen_is_what_the_scenario_knows() -> None:
    choosing = attrs.evolve(
        ROAM, programs=(), choices={"dhcp-server": {"kea": "no-such-program", "other": "sh"}}
    )
    assert choosing.choose({"dhcp-server": None, "dhcp-client": None}) == {"dhcp-server": "kea"}
    assert choosing.choose({"dhcp-server": "other"}) == {"dhcp-server": "other"}
    choosing.need_programs({"dhcp-server": "other"})
    with pytest.raises(ProgramError, match="not installed: no-such-program"):
        choosing.need_programs({"dhcp-server": "kea"})
    with pytest.raises(ValueError, match="unknown --dhcp-server 'isc'; there are: kea, other"):
        choosing.choose({"dhcp-server": "isc"})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["roam", "--dhcp-server", "kea"], "roam has no choice of --dhcp-server; it is for nat"),
        (["nat", "--dhcp-client", "dhcpcd"], "unknown --dhcp-client 'dhcpcd'; there are: dhclient, udhcpc"),
        (["dot1x", "--eap", "md5"], "unknown --eap 'md5'; there are: ttls, peap, tls"),
    ],
)
def test_a_choice_that_there_is_not_is_wrong_usage(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(["run", *arguments, "--json"])
    assert end.value.code == 2
    said = capsys.readouterr()
    assert said.err == f"pmip-lab: {told}\n"
    assert json.loads(said.out)["passed"] is False
