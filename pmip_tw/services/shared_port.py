"""The signalling port of several workers: one socket for each, and all of them open for as long as any worker lives."""

import socket
import time
from collections.abc import Sequence

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import PortInUse
from pmip_tw.lma.workers.slices import PRE_TUNNEL
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.net.steering import shared_sockets

PATIENCE = 5.0
"""Seconds for which workers of a worker 0 that was killed may still have the port: they end by themselves."""

_LOOK_AGAIN = 0.1


class SharedPort:
    """``port`` is 434 but in tests. ``pre_tunnel``: the message type of requests for one."""

    def __init__(
        self,
        address: Ipv4,
        workers: int,
        port: int = SIGNALLING_PORT,
        *,
        patience: float = PATIENCE,
        pre_tunnel: int = PRE_TUNNEL,
    ) -> None:
        self._address = address
        self._workers = workers
        self._port = port
        self._patience = patience
        self._pre_tunnel = pre_tunnel
        self._sockets: Sequence[socket.socket] = ()

    def start(self) -> None:
        """PmipError: the port cannot be had. Nothing runs yet that could do something else meanwhile."""
        end = time.monotonic() + self._patience
        while not self._sockets:
            try:
                self._sockets = shared_sockets(self._address, self._port, self._workers, self._pre_tunnel)
            except PortInUse:
                if time.monotonic() > end:
                    raise
                time.sleep(_LOOK_AGAIN)

    def of_worker_0(self, address: Ipv4) -> socket.socket | None:
        """A duplicate of its socket, if ``address`` is the shared one."""
        return self._sockets[0].dup() if address == self._address else None

    @property
    def descriptors(self) -> list[int]:
        """Of all workers' sockets, in their order."""
        return [one.fileno() for one in self._sockets]

    def stop(self) -> None:
        for one in self._sockets:
            one.close()
