"""A bar on the error output, for whoever waits."""

import sys
import time

_BAR = 30
_LINES = 10


class Progress:
    """Of ``total`` steps, each a kill of what has the ``name``: a bar on a terminal, some lines elsewhere."""

    def __init__(self, total: int, name: str) -> None:
        self._total = total
        self._name = name
        self._began = time.monotonic()
        self._bar = sys.stderr.isatty()
        self._lines = 0

    def show(self, done: int) -> None:
        seconds = time.monotonic() - self._began
        known = min(done, self._total)
        if self._bar:
            full = _BAR * known // self._total
            left = seconds / done * (self._total - known)
            bar = f"[{'#' * full}{'.' * (_BAR - full)}] {done}/{self._total} kills, {self._name}"
            self._say(f"\r{bar}  {left:.0f} s left \033[K")
        elif known * _LINES // self._total > self._lines:
            self._lines = known * _LINES // self._total
            self._say(f"{done}/{self._total} kills, {self._name}, {seconds:.0f} s\n")

    def end(self) -> None:
        if self._bar:
            self._say("\n")

    def _say(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
