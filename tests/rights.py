"""What this thread may do, for a while less than it could."""

import ctypes
import struct
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_rights() -> Iterator[None]:
    """As ``twistd --uid`` leaves it after the start: capset(2) with nothing in effect."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, before = struct.pack("Ii", 0x20080522, 0), ctypes.create_string_buffer(24)
    assert libc.capget(header, before) == 0
    permitted = struct.unpack("6I", before.raw)
    assert libc.capset(header, struct.pack("6I", 0, *permitted[1:3], 0, *permitted[4:])) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before.raw) == 0
