"""A network of a test's own: an empty namespace with only loopback, entered by this thread and left again."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_NEWNET = 0x40000000  # linux/sched.h


@contextmanager
def private_network() -> Iterator[None]:
    """Inside, sockets and child processes see a loopback device and nothing else. Skips without the right to."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as before:
        if libc.unshare(_NEWNET):
            pytest.skip(f"no network namespace can be made here: {os.strerror(ctypes.get_errno())}")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            if libc.setns(before.fileno(), _NEWNET):
                pytest.exit("the test's network namespace cannot be left", returncode=3)
