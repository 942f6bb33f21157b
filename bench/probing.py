"""The other end of ``bench.probe``."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Probe:
    """What a server at whose unix socket ``path`` the probe answers finds out about itself."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def watching(self, what: str) -> Iterator[dict[str, Any]]:
        """``timers``, ``turns`` or ``garbage`` meanwhile; the dictionary is filled at the end."""
        found: dict[str, Any] = {}
        self._ask(f"start {what}")
        yield found
        found.update(self._ask(f"stop {what}"))

    def _ask(self, words: str) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as asking:
            self._connect(asking)
            asking.settimeout(60)
            asking.sendall(words.encode() + b"\n")
            answer: dict[str, Any] = json.loads(asking.makefile("rb").readline())
            return answer

    def _connect(self, asking: socket.socket) -> None:
        deadline = time.monotonic() + 10
        while True:
            try:
                asking.connect(str(self._path))
                return
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
