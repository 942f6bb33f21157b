"""A server under measurement: a child process on a core of its own, and what it has cost so far."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.cores import cpu_seconds
from pmip_tw.errors import PmipError


class ServerError(PmipError):
    """A server did not come up, or ended; the text has its last words."""


class Server:
    """``argv`` on ``core``; its output goes to ``log``. ``passing``: file descriptors that it has, too."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        core: int,
        environment: Mapping[str, str] | None = None,
        passing: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
                pass_fds=passing,
            )
        os.sched_setaffinity(self._process.pid, {core})

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """That of its exit, below 0 if a signal has ended it; None: it runs."""
        return self._process.poll()

    def cpu(self) -> float:
        """Seconds so far, user and system."""
        return cpu_seconds(self.pid)

    def said(self, words: str) -> int:
        """How often it has."""
        return self.log.read_text(errors="replace").count(words)

    def wait_until_said(self, words: str, within: float, *, times: int = 1) -> None:
        """ServerError: it has not said them so often in time."""
        deadline = time.monotonic() + within
        while self.said(words) < times:
            if self._process.poll() is not None:
                raise ServerError(f"{self.name} ended: {self._last_words()}")
            if time.monotonic() > deadline:
                raise ServerError(f"{self.name} was not ready within {within:g} s: {self._last_words()}")
            time.sleep(0.01)

    def written(self) -> int:
        """Octets that it has written to files so far."""
        counted = dict(line.split(": ") for line in Path(f"/proc/{self.pid}/io").read_text().splitlines())
        return int(counted["wchar"])

    def resident(self) -> int:
        """Octets of memory that it has now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stop(self, number: signal.Signals = signal.SIGTERM, *, within: float = 60) -> None:
        """End it, with all that it started. Idempotent."""
        self._process.send_signal(number)
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return " | ".join(lines[-3:])[-600:] or "it said nothing"
