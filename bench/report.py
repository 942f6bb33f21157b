"""What a run found: the figures by the names they are known by, and everything needed to judge them."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

GOALS: Mapping[str, str] = {
    "renewal_vs_echo": ">= 0.40",
    "renewal_memory_vs_echo": ">= 0.48",
    "new_vs_renewal": ">= 0.6",
    "handover_vs_renewal": ">= 0.5",
    "durable_cost": "<= 1.35",
    "vs_freeradius": ">= 1.2",
    "vs_kea": ">= 2.5",
    "p50_ms": "",
    "timer_p99_ms_at_2x_overload": "<= 5 above the echo's",
    "goodput_at_2x_overload": ">= 0.95",
    "bytes_per_binding": "<= 800",
    "expiry_worst_turn_ms": "<= 10",
    "gc_worst_pause_ms": "<= 10",
    "restart_s": "<= 3",
    "workers_spread": "",
    "workers_2_cost": "",
    "workers_4_cost": "",
    "good_lost": "0",
    "good_unanswered": "0",
    "good_lost_strangers": "0",
    "good_lost_invented": "0",
    "good_lost_shared": "0",
    "bad_per_second": "",
    "good_per_second": "",
    "good_p50_ms": "",
    "good_p99_ms": "",
    "flood_timer_p99_ms": "",
    "auth_vs_radclient": "",
    "auth_us": "",
    "radclient_us": "",
    "auth_per_second": "",
    "radclient_per_second": "",
}

_BEGAN = time.monotonic()


class Report:
    """``keys``: the figures, None for what could not be measured; ``void``: what was measured and says nothing."""

    def __init__(self, keys: tuple[str, ...], machine: Mapping[str, object]) -> None:
        self.keys: dict[str, float | None] = dict.fromkeys(keys)
        self.raw: dict[str, object] = {"commit": commit(), "machine": dict(machine)}
        self.void: list[str] = []
        self.notes: list[str] = []

    def as_json(self) -> str:
        whole = {**self.keys, **self.raw, "void": self.void, "notes": self.notes}
        return json.dumps(_rounded(whole), indent=2)

    def as_text(self) -> str:
        width = max(map(len, self.keys))
        lines = [
            f"{name:{width}}  {'-' if value is None else _digits(value):>10}  {GOALS[name]}".rstrip()
            for name, value in self.keys.items()
        ]
        raw = [f"{name}: {_digits(value)}" for name, value in self.raw.items() if name != "rounds"]
        told = [f"void: {text}" for text in self.void] + [f"note: {text}" for text in self.notes]
        return "\n".join([*lines, "", *raw, *told])


def progress(text: str) -> None:
    """For whoever waits."""
    print(f"{time.monotonic() - _BEGAN:7.1f} s  {text}", file=sys.stderr, flush=True)


def commit() -> str:
    """Of the tree that is measured; with a + if it was changed since."""
    here = Path(__file__).parent
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"], cwd=here, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.stdout.strip()


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value


def _digits(value: object) -> str:
    value = _rounded(value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_digits(inner)}" for name, inner in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
