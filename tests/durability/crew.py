"""An LMA with several workers, of which any may be killed: one of them, worker 0 without the others, or all at once."""

import os
import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from bench.workers import children
from bench.world import Place
from pmip_tw.store.slices import journal_path
from tests.durability.process import TWISTD, LmaProcess

_SERVE_WITHIN = 60.0
"""Seconds in which all workers are there again."""


class LmaCrew(LmaProcess):
    """A ``Subject`` of so many ``workers``, at least two. The others end without worker 0, in their own time: the next
    one has to wait for them.
    """

    def __init__(
        self, place: Place, number: int, nodes: int, *, workers: int, program: Sequence[str] = TWISTD
    ) -> None:
        super().__init__(place, number, nodes, program=program, settings=f"workers = {workers}\n")
        self._workers = workers
        self._all_serve = f"all {workers} workers serve"
        # How often all served before somebody was killed; None: worker 0 does not run.
        self._served: int | None = None

    def start(self) -> None:
        """Worker 0 starts whoever is missing, unless it is missing itself."""
        served, self._served = self._served, None
        if served is None:
            served = 0
            super().start()
        self.server.wait_until_said(self._all_serve, _SERVE_WITHIN, times=served + 1)

    def start_and_kill(self, after: float) -> None:
        if self._served is None:
            self.begin()
        time.sleep(after)
        self.kill()

    def strike(self, random: Random) -> None:
        others = children(self.server.pid)
        victim = random.choice(("one", "worker 0", "all"))
        if victim == "one" and others:
            self._served = self.server.said(self._all_serve)
            os.kill(random.choice(others), signal.SIGKILL)
        elif victim == "worker 0":
            self.stop(signal.SIGKILL)
        else:
            self.kill()

    def kill(self) -> None:
        self._served = None
        others = children(self.server.pid)
        self.stop(signal.SIGKILL)
        for process in others:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def journals(self) -> list[str]:
        return [journal_path(str(self.journal), worker, self._workers) for worker in range(self._workers)]

    def keep(self, where: Path) -> None:
        """Whoever lives writes on meanwhile: some of it may be gone when it is to be copied."""
        with suppress(shutil.Error):
            super().keep(where)
