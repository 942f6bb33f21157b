"""The ways that DHCP takes between an LMA and its edge: in one process, or through a worker's pipe."""

from collections.abc import Callable

import attrs
from msgspec import Struct

from pmip_tw.addresses import Endpoint, Mac
from pmip_tw.agents.dhcp_at_lma import IDhcpHearer
from pmip_tw.agents.dhcp_edge import DhcpEdge
from pmip_tw.agents.workers.messages import (
    DhcpAnswered,
    DhcpDown,
    DhcpExpected,
    DhcpForgotten,
    DhcpFromHome,
    DhcpGranted,
    DhcpToServer,
    DhcpUp,
)
from pmip_tw.dhcp.relay import ToServer
from pmip_tw.interfaces import IPacketReceiver
from pmip_tw.mobility.effects import Send
from pmip_tw.mobility.tunnels import Tunnel


class AtTheEdge:
    """The LMA, or worker 0 of it, is where the ``edge`` is."""

    def __init__(self, edge: DhcpEdge) -> None:
        self._edge = edge

    @property
    def receiver(self) -> IPacketReceiver:
        return self._edge

    def start(self, hearer: IDhcpHearer) -> None:
        self._edge.start()
        self._edge.hear(0, hearer)

    def stop(self) -> None:
        self._edge.stop()

    def expect(self, tunnel: Tunnel, mac: Mac | None) -> None:
        self._edge.expect(0, tunnel, mac)

    def grant(self, tunnel: Tunnel, mac: Mac | None, answer: Send) -> None:
        self._edge.grant(0, tunnel, mac, answer)

    def forget(self, tunnel: Tunnel, mac: Mac | None) -> None:
        self._edge.forget(0, tunnel, mac)

    def send_through(self, tunnel: Tunnel, packet: bytes) -> None:
        self._edge.send_through(tunnel, packet)

    def ask(self, question: ToServer) -> None:
        self._edge.ask(0, question)


class ToTheEdge:
    """At another worker: ``tell`` takes what is for worker 0."""

    receiver: IPacketReceiver | None = None

    def __init__(self, tell: Callable[[Struct], None]) -> None:
        self._tell = tell
        self._hearer: IDhcpHearer | None = None

    def start(self, hearer: IDhcpHearer) -> None:
        self._hearer = hearer

    def stop(self) -> None:
        self._hearer = None

    def expect(self, tunnel: Tunnel, mac: Mac | None) -> None:
        self._tell(DhcpExpected(tunnel, mac))

    def grant(self, tunnel: Tunnel, mac: Mac | None, answer: Send) -> None:
        """Worker 0 gives the answer, which otherwise might be faster than what it says."""
        self._tell(DhcpGranted(tunnel, mac, answer))

    def forget(self, tunnel: Tunnel, mac: Mac | None) -> None:
        self._tell(DhcpForgotten(tunnel, mac))

    def send_through(self, tunnel: Tunnel, packet: bytes) -> None:
        self._tell(DhcpDown(tunnel, packet))

    def ask(self, question: ToServer) -> None:
        self._tell(DhcpToServer(question.payload, question.server, question.source))

    def heard(self, message: DhcpUp | DhcpAnswered | DhcpFromHome) -> None:
        """Worker 0 has something about a node of ours."""
        hearer = self._hearer
        if hearer is None:
            return
        if isinstance(message, DhcpUp):
            hearer.tunneled(same(message.tunnel), message.packet)
        elif isinstance(message, DhcpAnswered):
            hearer.answered(message.payload, message.source)
        else:
            hearer.from_home_address(message.payload, message.source, message.domain)


class ThroughPipe:
    """At worker 0: another worker as who hears of its nodes."""

    def __init__(self, tell: Callable[[Struct], None]) -> None:
        self._tell = tell

    def tunneled(self, tunnel: Tunnel, packet: bytes) -> None:
        self._tell(DhcpUp(tunnel, packet))

    def answered(self, payload: bytes, source: Endpoint) -> None:
        self._tell(DhcpAnswered(payload, source))

    def from_home_address(self, payload: bytes, source: Endpoint, domain: str) -> None:
        self._tell(DhcpFromHome(payload, source, domain))


def carry_out(
    edge: DhcpEdge,
    worker: int,
    message: DhcpExpected | DhcpGranted | DhcpForgotten | DhcpDown | DhcpToServer,
) -> None:
    """What another worker wants of the ``edge``."""
    if isinstance(message, DhcpDown):
        edge.send_through(same(message.tunnel), message.packet)
    elif isinstance(message, DhcpToServer):
        edge.ask(worker, ToServer(message.payload, message.server, message.source))
    elif isinstance(message, DhcpExpected):
        edge.expect(worker, same(message.tunnel), message.mac)
    elif isinstance(message, DhcpGranted):
        edge.grant(worker, same(message.tunnel), message.mac, message.answer)
    else:
        edge.forget(worker, same(message.tunnel), message.mac)


def same(tunnel: Tunnel) -> Tunnel:
    """Made anew: what comes out of a pipe has not been through its class, which remembers its hash."""
    return attrs.evolve(tunnel)
