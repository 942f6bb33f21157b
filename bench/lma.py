"""The LMA as it is shipped: ``twistd pmip-lma`` with its TUN device, its journal and a file of mobile nodes."""

import sys
from pathlib import Path

from bench.generator import Clients
from bench.nodes import REALM, write_nodes
from bench.probing import Probe
from bench.server import Server
from bench.world import Place, add_address, address, mags_of
from pmip_tw.addresses import ipv4_text
from pmip_tw.mobility.tunnels import SIGNALLING_PORT

PROVIDER = "tun"
"""The packet plane's, which holds an entry for each binding and carries packets."""

_POOLS = ("10.0.0.0/9", "10.128.0.0/9")
"""Of server 0 and 1: eight million home addresses each."""


class Lma:
    """Server ``number`` of the world, which knows ``nodes`` mobile nodes; ``durable``: with its journal on the disk.

    ``settings``: further lines of its [lma] table.
    """

    def __init__(self, place: Place, number: int, nodes: int, *, durable: bool, settings: str = "") -> None:
        self.durable = durable
        self.name = f"lma-{'durable' if durable else 'memory'}-{number}"
        self.address = address(number)
        self.mags = mags_of(number)
        self.directory = place.directory / self.name
        self.directory.mkdir()
        self.journal.parent.mkdir(mode=0o700)
        self._core = place.cores.server
        for one in (self.address, *self.mags):
            add_address(one)
        self._number = number
        self.configure(settings)
        self.know(nodes)
        self._server: Server | None = None
        self.probe = Probe(self.directory / "probe")

    def configure(self, settings: str) -> None:
        """From its next start on; ``settings``: as at the first one."""
        number = self._number
        (self.directory / "lma.toml").write_text(
            f"[lma]\n"
            f'address = "{ipv4_text(self.address)}"\n'
            f'identity = "{self.name}"\n'
            f'device = "mip{number}"\n'
            f'control = "{self.control}"\n'
            f'mobile_nodes_file = "nodes.csv"\n'
            # A few nodes are moved again before a second is over.
            f"handover_min_interval = 0.0\n"
            f'store = "{self.journal if self.durable else ""}"\n'
            f"{settings}"
            f"[[lma.pools]]\n"
            f'prefix = "{_POOLS[number]}"\n'
            f'realms = ["{REALM}"]\n'
        )

    @property
    def journal(self) -> Path:
        return self.directory / "journal" / "lma"

    @property
    def control(self) -> Path:
        return self.directory / "control"

    def journal_octets(self) -> int:
        return sum(file.stat().st_size for file in self.journal.parent.iterdir())

    def forget_everything(self) -> None:
        """Begin the journal anew; the LMA does not run."""
        for file in self.journal.parent.iterdir():
            file.unlink()

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server

    def know(self, nodes: int) -> None:
        """Which mobile nodes it has keys of, from its next start on."""
        write_nodes(self.directory / "nodes.csv", range(nodes))

    def start(self, *, within: float = 120) -> None:
        """ServerError: it does not come up."""
        log = self.directory / "log"
        for left_over in (log, self.directory / "probe"):
            left_over.unlink(missing_ok=True)
        command = [
            "twisted.scripts.twistd:run",
            "-n",
            "--pidfile=",
            "pmip-lma",
            "--config",
            str(self.directory / "lma.toml"),
        ]
        probed = [sys.executable, "-m", "bench.probe", str(self.directory / "probe"), *command]
        self._server = Server(self.name, probed, log=log, core=self._core)
        self._server.wait_until_said("is ready", within)

    def clients(self, size: int) -> Clients:
        """A socket for each MAG, on the port to which revocations are sent; ``size``: octets of a request."""
        return Clients(self.mags, self.address, SIGNALLING_PORT, own_port=SIGNALLING_PORT, size=size)
