"""The bare Twisted echo as a server under measurement."""

import sys

from bench.echo import READY
from bench.generator import Clients
from bench.probing import Probe
from bench.server import Server
from bench.world import Place, add_address, address, mags_of
from pmip_tw.addresses import ipv4_text

PORT = 7


class Echo:
    """Server ``number`` of the world."""

    name = "echo"

    def __init__(self, place: Place, number: int) -> None:
        self.address = address(number)
        self._clients = mags_of(number)[:1]
        self._place = place
        for one in (self.address, *self._clients):
            add_address(one)
        self.probe = Probe(place.directory / "echo-probe")
        self.server: Server

    def start(self) -> None:
        """ServerError: it does not come up."""
        probed = [sys.executable, "-m", "bench.probe", str(self._place.directory / "echo-probe")]
        self.server = Server(
            self.name,
            [*probed, "bench.echo:main", ipv4_text(self.address), str(PORT)],
            log=self._place.directory / "echo.log",
            core=self._place.cores.server,
        )
        self.server.wait_until_said(READY, within=30)

    def clients(self, size: int = 0) -> Clients:
        return Clients(self._clients, self.address, PORT, size=size)
