"""The laboratory's world: hosts, links and servers, each part started and stopped by itself.

    MN --- switch --- MAG 1 ---+
             |                 +--- core ---+--- LMA --- correspondent
             +------- MAG 2 ---+            +--- AAA

It is made inside the private world of ``isolation``, by a scenario that may leave parts out, restart them or give
them wrong settings.
"""

import asyncio
import contextlib
import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from pmip_tw.addresses import Mac, Prefix, ipv4, mac, mac_text, prefix
from pmip_tw.errors import PmipError
from pmip_tw.lab.capture import Capture, Tap
from pmip_tw.lab.freeradius import PROGRAM as FREERADIUS
from pmip_tw.lab.freeradius import FreeRadius, RadiusUser
from pmip_tw.lab.heard import Listener
from pmip_tw.lab.programs import Program, ProgramError, available, eventually, run
from pmip_tw.lab.topology import Cells, Namespace, Network

HOME: Final = prefix("10.1.0.0/24")
LMA_ADDRESS: Final = "198.51.100.1"
MAG_ADDRESSES: Final = {"mag1": "198.51.100.11", "mag2": "198.51.100.12"}
AAA_ADDRESS: Final = "198.51.100.53"
CORRESPONDENT: Final = "203.0.113.9"
LANES: Final = {
    ipv4("198.51.100.11"): 1,
    ipv4("198.51.100.12"): 2,
    ipv4(LMA_ADDRESS): 3,
    ipv4(AAA_ADDRESS): 4,
}
"""The ladder's lane of each address; everything else is the mobile node's."""

SECRET: Final = "laboratory-radius-secret"
READY_SECONDS: Final = 15


@attrs.frozen(slots=True, kw_only=True)
class Subscriber:
    """A mobile node's identity, as AAA and LMA know it. ``key_text``: its MN-HA key."""

    mac: Mac
    nai: str
    spi: int
    key_text: str = attrs.field(repr=False)


SUBSCRIBER: Final = Subscriber(
    mac=mac("02:00:00:00:00:01"), nai="mn1@lab.example", spi=4096, key_text="0123456789abcdef"
)


def _beside_python(program: str) -> str:
    """A console script of the environment we run in."""
    beside = Path(sys.executable).with_name(program)
    found = str(beside) if beside.exists() else shutil.which(program)
    if found is None:
        raise ProgramError(f"{program} is not installed in {Path(sys.executable).parent}; run: make setup")
    return found


class World:
    """``directory`` takes configurations, logs and captures; ``say`` is told what happens, for people.

    ``ahead``: MAGs and LMA come before everything else on this machine, as they would on machines of their own.
    """

    def __init__(
        self, directory: Path, say: Callable[[str], None], subscribers: tuple[Subscriber, ...] = (SUBSCRIBER,)
    ) -> None:
        self.directory = directory
        self.say = say
        self.subscribers = subscribers
        self.notes: list[str] = []
        self.ahead = False
        self.radius: FreeRadius | None = None
        self._programs: dict[str, Program] = {}
        self._capture: Capture | None = None

    # --- hosts and links --------------------------------------------------------------------------------

    def build(self) -> None:
        """All hosts and links, with addresses and routes, and nothing running. TopologyError if that fails."""
        network = self.network = Network()
        core = network.host("core")
        self.lma, self.aaa, self.correspondent = (
            network.host(name) for name in ("lma", "aaa", "correspondent")
        )
        self.mags: dict[str, Namespace] = {name: network.host(name) for name in MAG_ADDRESSES}
        self.switch = network.host("switch")
        addresses = {self.lma: LMA_ADDRESS, self.aaa: AAA_ADDRESS}
        addresses |= {self.mags[name]: address for name, address in MAG_ADDRESSES.items()}
        for host, address in addresses.items():
            network.link(host, "core0", core, f"to-{host.name}")
            host.ip(f"address add {address}/24 dev core0")
        network.bridge(core, "bridge", [f"to-{host.name}" for host in addresses])

        network.link(self.lma, "net0", self.correspondent, "eth0")
        self.lma.ip("address add 203.0.113.1/24 dev net0")
        self.correspondent.ip(f"address add {CORRESPONDENT}/24 dev eth0", "route add default via 203.0.113.1")
        # As an operator would have it on any router.
        self.lma.set_sysctl({"net/ipv4/ip_forward": "1"})

        self.cells = Cells(network, self.switch)
        for name, host in self.mags.items():
            host.set_sysctl({"net/ipv4/ip_forward": "1"})
            self.cells.add_cell(f"cell-{name}", host, "acc0")
        # An unmodified host keeps IPv6 on, and so does ours.
        self.mn = network.host("mn", ipv6=True)
        self.cells.add_node(self.mn, "eth0", mac_text(self.subscribers[0].mac), "cell-mag1")

    def taps(self) -> list[Tap]:
        """Where a capture listens: at both ends, and on both sides of each MAG."""
        taps = [
            Tap(name="mn", namespace="mn", interface="eth0"),
            Tap(name="correspondent", namespace="correspondent", interface="eth0"),
        ]
        for name in self.mags:
            taps.append(Tap(name=f"{name}-access", namespace=name, interface="acc0"))
            taps.append(Tap(name=f"{name}-core", namespace=name, interface="core0"))
        return taps

    def listener(self) -> Listener:
        """What reads the capture of ``taps``. DHCP is heard at the mobile node's own tap and at the MAGs'."""
        return Listener(
            access_taps=frozenset(f"{name}-access" for name in self.mags),
            core_taps=frozenset(f"{name}-core" for name in self.mags),
            home=HOME,
            nodes=frozenset(subscriber.mac for subscriber in self.subscribers),
        )

    async def start_capture(self) -> Capture:
        path = self.directory / "capture.pcapng"
        self._capture = await Capture.start(path, self.taps(), self.directory / "capture.log")
        return self._capture

    # --- programs ---------------------------------------------------------------------------------------

    async def start(self, name: str, host: Namespace, *argv: str) -> Program:
        """A program on a host; ``close`` will stop it. Its output is in NAME.log."""
        program = await Program.start(name, host.command(*argv), self.directory / f"{name}.log")
        self._programs[name] = program
        return program

    async def stop(self, name: str) -> int:
        """Stop what was started under that name; its exit status."""
        return await self._programs.pop(name).stop()

    def pid(self, name: str) -> int:
        """The process id of what runs under that name."""
        return self._programs[name].pid

    async def start_aaa(self, *, reject_delay: float = 0, secret: str = SECRET, behind: bool = False) -> None:
        """FreeRADIUS; without it nothing, because each MAG then has a file of users.

        ``behind``: it gives way to the other programs; a real one does its work on a machine of its own.
        """
        if not available(FREERADIUS):
            self.notes.append("FreeRADIUS is not installed: the MAGs authenticate from their own user file")
            return
        self.radius = FreeRadius(
            directory=self.directory / "freeradius",
            address=AAA_ADDRESS,
            port=1812,
            secret=secret,
            clients="198.51.100.0/24",
            users=[
                RadiusUser(
                    mac=subscriber.mac,
                    nai=subscriber.nai,
                    lma=ipv4(LMA_ADDRESS),
                    spi=subscriber.spi,
                    key_text=subscriber.key_text,
                )
                for subscriber in self.subscribers
            ],
            reject_delay=reject_delay,
        )
        self.radius.write()
        program = await self.start("freeradius", self.aaa, *(["nice"] if behind else []), *self.radius.argv())
        await program.said("Ready to process requests", within=READY_SECONDS)

    def radius_log(self) -> str:
        """What FreeRADIUS said so far."""
        return (self.directory / "freeradius.log").read_text()

    async def start_lma(
        self, extra: str = "", *, pool: Prefix = HOME, subscribers: Sequence[Subscriber] | None = None
    ) -> Program:
        """The LMA. ``extra``: more settings of its [lma] table, as lines of TOML. ``subscribers``: whom it knows,
        if not the same as AAA."""
        nodes = "".join(
            f'[[lma.mobile_nodes]]\nnai = "{subscriber.nai}"\nspi = {subscriber.spi}\n'
            f'key = "text:{subscriber.key_text}"\n\n'
            for subscriber in (self.subscribers if subscribers is None else subscribers)
        )
        text = (
            f'[lma]\naddress = "{LMA_ADDRESS}"\nidentity = "lma.lab.example"\ncontrol = "{self.socket("lma")}"\n'
            f'store = "{self.journal("lma")}"\n{extra}\n[[lma.pools]]\nprefix = "{pool}"\n\n{nodes}'
        )
        return await self._start_daemon("lma", "pmip-lma", self.lma, text)

    async def start_mag(self, name: str, extra: str = "", *, secret: str = SECRET) -> Program:
        """A MAG, by the name of its host. ``extra``: more settings of its [mag] table."""
        if self.radius is not None:
            authentication = f'[[mag.radius.servers]]\naddress = "{AAA_ADDRESS}"\nsecret = "text:{secret}"\n'
        else:
            self._write_private("users.toml", self._users())
            authentication = '[mag.local]\nusers = "users.toml"\n'
        text = (
            f'[mag]\naddress = "{MAG_ADDRESSES[name]}"\nidentity = "{name}.lab.example"\n'
            f'control = "{self.socket(name)}"\nstore = "{self.journal(name)}"\n{extra}\n'
            f'[[mag.access]]\ninterface = "acc0"\n\n'
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


@contextlib.asynccontextmanager
async def world(
    directory: Path, say: Callable[[str], None], subscribers: tuple[Subscriber, ...] = (SUBSCRIBER,)
) -> AsyncIterator[World]:
    """A world that is built, and taken down whatever happens."""
    made = World(directory, say, subscribers)
    try:
        made.build()
        yield made
    finally:
        await made.close()
