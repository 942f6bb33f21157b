"""conf/pmip-lease-ended: what DHCP servers call (P38); with a pmipctl that writes down how it was called."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance import covers

SCRIPT = Path(__file__).parents[2] / "conf" / "pmip-lease-ended"
DNSMASQ_DEL = ("del", "02:00:00:00:00:01", "10.1.0.40", "node")


def calls(directory: Path, *arguments: str, status: int = 0, **environment: str) -> list[str]:
    """The arguments with which the script called pmipctl, which ends with ``status``."""
    pmipctl, said = directory / "pmipctl", directory / "said"
    pmipctl.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >{said}\nexit {status}\n")
    pmipctl.chmod(0o755)
    said.write_text("")
    subprocess.run(
        [SCRIPT, *arguments], env={**os.environ, "PMIPCTL": str(pmipctl), **environment}, check=True
    )
    return said.read_text().splitlines()


@covers("P38")
def test_dnsmasq_says_that_a_lease_is_over(tmp_path: Path) -> None:
    assert calls(tmp_path, *DNSMASQ_DEL) == ["revoke", "10.1.0.40"]
    assert calls(tmp_path, *DNSMASQ_DEL, PMIP_DOMAIN="blue") == ["revoke", "10.1.0.40 in blue"]


@covers("P38")
@pytest.mark.parametrize("hook", ["lease4_release", "lease4_expire"])
def test_kea_says_that_a_lease_is_over(tmp_path: Path, hook: str) -> None:
    assert calls(tmp_path, hook, LEASE4_ADDRESS="10.1.0.40") == ["revoke", "10.1.0.40"]


@pytest.mark.parametrize("event", ["add", "old", "init", "tftp", "leases4_committed", ""])
def test_everything_else_ends_nothing(tmp_path: Path, event: str) -> None:
    assert calls(tmp_path, event, *DNSMASQ_DEL[1:], LEASE4_ADDRESS="10.1.0.40") == []


def test_that_nobody_is_registered_is_no_failure(tmp_path: Path) -> None:
    assert calls(tmp_path, *DNSMASQ_DEL, status=1) == ["revoke", "10.1.0.40"]
