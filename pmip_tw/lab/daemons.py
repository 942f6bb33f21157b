"""Programs on the laboratory's hosts, our daemons with their configurations, and what is asked of these."""

import asyncio
import contextlib
import json
import re
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pmip_tw.addresses import Mac, Prefix, mac_text
from pmip_tw.errors import PmipError
from pmip_tw.lab.programs import Program, ProgramError, eventually, run
from pmip_tw.lab.sites import AAA_ADDRESS, CORRESPONDENT, HOME, LMA_ADDRESS, Sites
from pmip_tw.lab.subscribers import Subscriber
from pmip_tw.lab.topology import Namespace

SECRET: Final = "laboratory-radius-secret"
READY_SECONDS: Final = 15

Counts = Counter[tuple[str, str]]
"""How often, by name and reason."""


def _beside_python(program: str) -> str:
    """A console script of the environment we run in."""
    beside = Path(sys.executable).with_name(program)
    found = str(beside) if beside.exists() else shutil.which(program)
    if found is None:
        raise ProgramError(f"{program} is not installed in {Path(sys.executable).parent}; run: make setup")
    return found


class Daemons:
    """``directory`` takes configurations and logs. ``lma`` and ``mags``: the hosts that the daemons run on.

    ``ahead``: MAGs and LMA come before everything else on this machine, as they would on machines of their own.
    ``by_radius``: MAGs authenticate by RADIUS, and from a file of users if not.
    """

    lma: Namespace
    mags: Mapping[str, Namespace]

    def __init__(self, directory: Path, subscribers: tuple[Subscriber, ...], sites: Sites) -> None:
        self.directory = directory
        self.subscribers = subscribers
        self.sites = sites
        self.ahead = False
        self.by_radius = False
        self._programs: dict[str, Program] = {}
        self._logs_kept: Counter[str] = Counter()

    # --- programs ---------------------------------------------------------------------------------------

    async def start(self, name: str, host: Namespace, *argv: str) -> Program:
        """A program on a host; ``close`` will stop it. Its output is in NAME.log."""
        program = await Program.start(name, host.command(*argv), self.directory / f"{name}.log")
        self._programs[name] = program
        return program

    async def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop what was started under that name; its exit status."""
        return await self._programs.pop(name).stop(number)

    def keep_log(self, name: str) -> None:
        """A program that is started again begins its log anew: what it said before stays under another name."""
        log = self.directory / f"{name}.log"
        if log.exists():
            self._logs_kept[name] += 1
            log.rename(log.with_name(f"{name}-{self._logs_kept[name]}.log"))

    def tracebacks(self, *names: str) -> list[str]:
        """Logs of these daemons, of every run, that have a traceback in them."""
        logs = [path for name in names for path in self.directory.glob(f"{name}*.log")]
        return sorted(path.name for path in logs if "Traceback" in path.read_text())

    def runs(self, name: str) -> bool:
        """Whether something was started under that name, and not stopped."""
        return name in self._programs

    def pid(self, name: str) -> int:
        """The process id of what runs under that name."""
        return self._programs[name].pid

    # --- our daemons ------------------------------------------------------------------------------------

    async def start_lma(
        self,
        extra: str = "",
        *,
        pool: Prefix = HOME,
        pool_extra: str = "",
        subscribers: Sequence[Subscriber] | None = None,
    ) -> Program:
        """The LMA. ``extra``: more settings of its [lma] table, as lines of TOML, ``pool_extra``: of its pool.
        ``subscribers``: whom it knows, if not the same as AAA."""
        nodes = "".join(
            f'[[lma.mobile_nodes]]\nnai = "{subscriber.nai}"\nspi = {subscriber.spi}\n'
            f'key = "text:{subscriber.key_text}"\n\n'
            for subscriber in (self.subscribers if subscribers is None else subscribers)
        )
        text = (
            f'[lma]\naddress = "{LMA_ADDRESS}"\nidentity = "lma.lab.example"\ncontrol = "{self.socket("lma")}"\n'
            f'store = "{self.journal("lma")}"\n{extra}\n[[lma.pools]]\nprefix = "{pool}"\n{pool_extra}\n{nodes}'
        )
        return await self._start_daemon("lma", "pmip-lma", self.lma, text)

    async def start_mag(
        self,
        name: str,
        extra: str = "",
        *,
        access: str = "",
        aaa: str = "",
        secret: str = SECRET,
        uplink: str = "",
    ) -> Program:
        """A MAG, by the name of its host. ``extra``: more settings of its [mag] table, ``access``: of its access
        interface. ``aaa``: tables that say whom it asks, in place of the usual. ``uplink``: the interface that tells
        its address, in place of the site."""
        if aaa:
            authentication = aaa
        elif self.by_radius:
            authentication = f'[[mag.radius.servers]]\naddress = "{AAA_ADDRESS}"\nsecret = "text:{secret}"\n'
        else:
            self._write_private("users.toml", self._users())
            authentication = '[mag.local]\nusers = "users.toml"\n'
        own = f'uplink = "{uplink}"' if uplink else f'address = "{self.sites[name].address}"'
        text = (
            f'[mag]\n{own}\nidentity = "{name}.lab.example"\n'
            f'control = "{self.socket(name)}"\nstore = "{self.journal(name)}"\n{extra}\n'
            f'[[mag.access]]\ninterface = "acc0"\n{access}\n'
            f'[[mag.home_prefixes]]\nprefix = "{HOME}"\ndns = ["{CORRESPONDENT}"]\n\n{authentication}'
        )
        return await self._start_daemon(name, "pmip-mag", self.mags[name], text)

    def _users(self) -> str:
        return "".join(
            f'[[users]]\nmac = "{mac_text(subscriber.mac)}"\nnai = "{subscriber.nai}"\nlma = "{LMA_ADDRESS}"\n'
            f'spi = {subscriber.spi}\nkey = "text:{subscriber.key_text}"\n\n'
            for subscriber in self.subscribers
        )

    async def _start_daemon(self, name: str, role: str, host: Namespace, text: str) -> Program:
        config = self._write_private(f"{name}.toml", text)
        command = [_beside_python("twistd"), "-n", "--pidfile=", role, "--config", str(config)]
        if self.ahead:
            command = ["nice", "-n", "-5", *command]
        program = await self.start(name, host, *command)

        async def answers_or_ended() -> bool:
            return not program.running or await self._answers(name)

        if not await eventually(answers_or_ended, within=READY_SECONDS) or not program.running:
            await program.stop()
            words = "\n".join(program.text.splitlines()[-6:])
            raise ProgramError(f"{role} on {host.name} does not answer on its control socket:\n{words}")
        return program

    async def _answers(self, name: str) -> bool:
        try:
            _, writer = await asyncio.open_unix_connection(self.socket(name))
        except OSError:
            return False
        writer.close()
        return True

    def _write_private(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    # --- asking -----------------------------------------------------------------------------------------

    @staticmethod
    def socket(name: str) -> str:
        """The control socket of a daemon; /run is ours, and short."""
        return f"/run/pmip-{name}.sock"

    @staticmethod
    def journal(name: str) -> str:
        """The journal of a daemon: it has keys, which are to go with the world."""
        return f"/run/pmip-{name}.journal"

    async def ask(self, name: str, *command: str) -> dict[str, Any]:
        """What ``pmipctl --json`` says about the daemon ``name``. PmipError for an error."""
        argv = [_beside_python("pmipctl"), "--json", "--socket", self.socket(name), *command]
        status, out, err = await run(argv)
        try:
            answer = json.loads(out)
        except ValueError:
            raise ProgramError(
                f"pmipctl {' '.join(command)} printed no JSON: {out[:200]}{err[:500]}"
            ) from None
        if status != 0 or not isinstance(answer, dict):
            raise ProgramError(f"pmipctl {' '.join(command)}: {answer}")
        return answer

    async def visitors(self, name: str) -> list[dict[str, Any]]:
        """The rows of a MAG's visitor list."""
        rows: list[dict[str, Any]] = (await self.ask(name, "show", "visitors"))["visitors"]
        return rows

    async def bindings(self) -> list[dict[str, Any]]:
        """The rows of the LMA's binding table."""
        rows: list[dict[str, Any]] = (await self.ask("lma", "show", "bindings"))["bindings"]
        return rows

    async def counts(self, name: str) -> Counts:
        """The counters of a daemon."""
        rows = (await self.ask(name, "show", "counters"))["counters"]
        return Counter({(row["name"], row["reason"]): row["count"] for row in rows})

    async def trace_says(
        self, name: str, key: str | Mac, pattern: str, since: float, *, within: float
    ) -> str:
        """The cause in a node's trace in which ``pattern`` is found, of what happened after ``since`` (Unix seconds);
        "" if none comes in time."""
        text = key if isinstance(key, str) else mac_text(key)
        found = ""

        async def said() -> bool:
            nonlocal found
            try:
                rows = (await self.ask(name, "trace", text))["trace"]
            except PmipError:
                return False  # nothing is known of it yet
            causes = [row["cause"] for row in rows if row.get("last_time", row["time"]) >= since]
            found = next((cause for cause in causes if re.search(pattern, cause)), "")
            return bool(found)

        await eventually(said, within=within, pause=0.1)
        return found

    async def save_tables(self) -> None:
        """Counters and tables of every daemon that runs, as files for whoever wants to know more."""
        tables = dict.fromkeys(self.mags, ("visitors", "tunnels", "counters"))
        tables["lma"] = ("bindings", "tunnels", "counters")
        for name, wanted in tables.items():
            if name in self._programs:
                found: dict[str, Any] = {}
                for table in wanted:
                    found |= await self.ask(name, "show", table)
                (self.directory / f"{name}-tables.json").write_text(json.dumps(found, indent=2) + "\n")

    # --- the end ----------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Stop everything that still runs, the latest first."""
        for name in reversed(list(self._programs)):
            with contextlib.suppress(PmipError):
                await self.stop(name)
