"""Where others ask us by RADIUS: a UDP socket, and a machine behind it that says of each datagram whether it is proven.

When more arrives than can be handled, who has proven himself lately is heard first, as on the signalling port: it takes
no secret to fill a socket.
"""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from twisted.logger import Logger

from pmip_tw.aaa.radius.received import Received
from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.interfaces import Datagram, IClock, Unreachable
from pmip_tw.mobility.clock import Now
from pmip_tw.net.overload import Proven
from pmip_tw.net.reactor import Reactor
from pmip_tw.net.udp import UdpSocket

MAXIMUM_BATCH = 16
"""Datagrams per wake-up of the reactor: each takes long enough that packets must not wait for many of them."""

EffectT = TypeVar("EffectT")


class RadiusPort(Generic[EffectT]):
    """Bound to ``port`` of ``local``; PmipError says why it cannot be. ``hear`` is the machine, ``run`` carries out
    what it wants. ``proven``: who has proven himself, here or at another port of the same machine.
    """

    _log = Logger(namespace="pmip.aaa")

    def __init__(
        self,
        reactor: Reactor,
        clock: IClock,
        local: Ipv4,
        port: int,
        *,
        hear: Callable[[Datagram, Now], Received[EffectT]],
        run: Callable[[Iterable[EffectT]], None],
        proven: Proven | None = None,
    ) -> None:
        self._clock = clock
        self._hear = hear
        self._run = run
        self._proven = Proven() if proven is None else proven
        self._socket = UdpSocket(
            reactor,
            local,
            port,
            deliver=self._datagrams_received,
            report=self._peer_unreachable,
            batch=MAXIMUM_BATCH,
            proven=self._proven,
            tells_local=True,
        )

    def start(self) -> None:
        self._socket.start_reading()

    def send(self, datagram: bytes, destination: Endpoint, source: Ipv4) -> None:
        """An answer, from the address that was asked; lost if it cannot be sent, as it may be in the network."""
        self._socket.send(datagram, destination, source=source)

    def close(self) -> None:
        self._socket.close()

    def _datagrams_received(self, batch: list[Datagram]) -> None:
        self._proven.handled(len(batch))
        for one in batch:
            try:
                received = self._hear(one, self._clock.now())
                if received.proven:
                    self._proven.note((one.source,))
                self._run(received.effects)
            except Exception:
                # A defect of ours costs one datagram, not those behind it.
                self._log.failure("a request from {source} met a defect", source=str(one.source))

    def _peer_unreachable(self, report: Unreachable) -> None:
        """Whoever has asked does not listen any more: it asks again, or it does not."""
