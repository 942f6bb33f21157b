"""Programs that a test needs."""

import os
import shutil

import pytest

PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def require(*programs: str) -> None:
    """Skip, naming what is missing, unless all are installed."""
    missing = [program for program in programs if shutil.which(program, path=PATH) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def require_tun() -> None:
    """Skip unless this user may make TUN devices in a network of its own."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("there is no /dev/net/tun, or not for this user")
