"""The LMA as it is shipped, ``twistd pmip-lma``, as a child that is killed by signal 9: its page cache survives."""

import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.server import Server
from bench.world import Place, add_address, address, mags_of
from pmip_tw.addresses import Ipv4
from pmip_tw.manage import store_command
from pmip_tw.manage.client import DaemonError, ask
from tests.durability.child import Child
from tests.durability.seen import Row
from tests.durability.subject import configure, rows_of

TWISTD = (str(Path(sys.executable).parent / "twistd"),)


class LmaProcess(Child):
    """A ``Subject``: server ``number`` of the world. ``program``: what takes the arguments of twistd; ``settings``:
    further lines of its [lma] table; ``environment``: what it has besides ours.
    """

    ready_within = 60.0

    def __init__(
        self,
        place: Place,
        number: int,
        nodes: int,
        *,
        program: Sequence[str] = TWISTD,
        settings: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.address: Ipv4 = address(number)
        self.mags = mags_of(number)
        self._directory = place.directory / f"lma{number}"
        self._core = place.cores.server
        self.journal.parent.mkdir(parents=True, mode=0o700)
        for one in (self.address, *self.mags):
            add_address(one)
        self.settings = configure(
            self._directory,
            nodes,
            address=self.address,
            journal=self.journal,
            control=self.control,
            settings=settings,
        )
        self._argv = [*program, "-n", "--pidfile=", "pmip-lma", "--config", str(self.settings)]
        self._environment = environment
        self._server: Server | None = None

    @property
    def journal(self) -> Path:
        return self._directory / "journal" / "lma"

    @property
    def control(self) -> Path:
        return self._directory / "control"

    @property
    def log(self) -> Path:
        """What it has said since it was started last."""
        return self._directory / "log"

    def begin(self) -> Server:
        self.log.unlink(missing_ok=True)
        self._server = Server(
            "the LMA", self._argv, log=self.log, core=self._core, environment=self._environment
        )
        return self._server

    @property
    def server(self) -> Server:
        """The process that was started last."""
        assert self._server is not None
        return self._server

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.server.stop(number)

    @property
    def status(self) -> int | None:
        """That of its exit; None: it runs."""
        return None if self._server is None else self._server.status

    def bindings(self) -> list[Row]:
        shown = ask(str(self.control), {"command": "show", "what": "bindings"})
        return rows_of(shown["rows"], self.mags)

    def journals(self) -> list[str]:
        """Where they lie."""
        return [str(self.journal)]

    def check(self) -> str:
        try:
            for journal in self.journals():
                store_command.check(journal)
        except (store_command.Damaged, DaemonError) as error:
            return str(error)
        return ""

    def keep(self, where: Path) -> None:
        shutil.copytree(self.journal.parent, where)
