"""RADIUS towards the network: UDP sockets as many as identifiers need, TLS connections, one timer, and the machine.

Sockets are not connected: each serves every server, and a report from the error queue names its peer. Where an answer
comes from, and on which socket, is looked at before anything in it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from zope.interface import implementer

from pmip_tw.aaa.radius.configuration import RadiusSettings
from pmip_tw.aaa.radius.effects import Connect, Disconnect, Effect, Finished, Transmit
from pmip_tw.aaa.radius.exchanges import RadiusExchanges
from pmip_tw.aaa.radius.outcome import RadiusOutcome, Unanswered
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import Datagram, IClock, IObserver, IRadiusClient, Unreachable
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.net.radsec import RadsecLink
from pmip_tw.net.reactor import Reactor
from pmip_tw.net.udp import UdpSocket
from pmip_tw.wire.radius import Request

MAXIMUM_BATCH = 16
"""Datagrams per wake-up of the reactor: answers take long enough that packets must not wait for many of them."""

LONGEST_SLEEP = 30.0
"""Seconds; a wake-up is a hint, and a clock that jumps is noticed after so long."""


@implementer(IRadiusClient)
class RadiusClient:
    """Asks the servers of ``settings``; their answers are taken from nobody else.

    ``clock`` is read and never armed: its one wake-up belongs to the agent. ``local``: the address to send from; the
    default leaves it to the routing table. ``links``: how each TLS server is connected to. ``address``: ours at the
    moment, if it may change (P82). Sockets are opened with the first request.
    """

    def __init__(
        self,
        reactor: Reactor,
        clock: IClock,
        settings: RadiusSettings,
        observer: IObserver,
        local: Ipv4 = UNSPECIFIED,
        links: Mapping[Endpoint, RadsecLink] | None = None,
        address: Callable[[], Ipv4] | None = None,
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._observer = observer
        self._local = local
        self._address = address
        self._machine = RadiusExchanges(settings, clock.now())
        self._needs_socket = any(not server.tls for server in settings.servers())
        self._links = dict(links or {})
        self._sockets: dict[int, UdpSocket] = {}
        self._pending: dict[int, Deferred[RadiusOutcome]] = {}
        self._timer: IDelayedCall | None = None
        self._fires_at = 0.0
        self._stopped = False

    def ask(
        self,
        request: Request,
        group: str,
        pinned: Endpoint | None = None,
        subject: str = "",
        flow: str = "",
    ) -> Deferred[RadiusOutcome]:
        if self._stopped:
            return succeed(Unanswered("RADIUS is stopped"))
        try:
            if self._needs_socket:
                self._socket(0)
        except PmipError as error:
            return succeed(Unanswered(f"RADIUS has no socket: {error}"))
        self._look_at_address()
        now = self._clock.now()
        number, effects = self._machine.ask(request, group, now, pinned=pinned, subject=subject, flow=flow)
        outcome: Deferred[RadiusOutcome] = Deferred()
        self._pending[number] = outcome
        self._run(effects, now)
        self._arm(now)
        return outcome

    def servers(self) -> Sequence[Mapping[str, object]]:
        return self._machine.rows(self._clock.now().monotonic)

    def stop(self) -> None:
        self._stopped = True
        self._disarm()
        for socket in self._sockets.values():
            socket.close()
        self._sockets.clear()
        for link in self._links.values():
            link.stop()
        pending, self._pending = self._pending, {}
        for outcome in pending.values():
            outcome.callback(Unanswered("RADIUS was stopped before an answer came"))

    def link_received(self, server: Endpoint, packet: bytes) -> None:
        """A packet came on the connection to ``server``."""
        self._happened(lambda now: self._machine.datagram_received(packet, server, now))

    def link_up(self, server: Endpoint) -> None:
        self._happened(lambda now: self._machine.connected(server, now))

    def link_down(self, server: Endpoint, cause: str) -> None:
        self._happened(lambda now: self._machine.disconnected(server, cause, now))

    def _socket(self, number: int) -> UdpSocket:
        """PmipError: it cannot be opened."""
        socket = self._sockets.get(number)
        if socket is None:
            socket = self._sockets[number] = UdpSocket(
                self._reactor,
                self._local,
                0,
                deliver=partial(self._datagrams_received, number),
                report=self._peer_unreachable,
                batch=MAXIMUM_BATCH,
            )
            socket.start_reading()
        return socket

    def _datagrams_received(self, number: int, batch: list[Datagram]) -> None:
        now = self._clock.now()
        for datagram in batch:
            self._run(self._machine.datagram_received(datagram.payload, datagram.source, now, number), now)
        self._arm(now)

    def _peer_unreachable(self, report: Unreachable) -> None:
        self._happened(lambda now: self._machine.peer_unreachable(report.peer, report.code, now))

    def _happened(self, event: Callable[[Now], Iterable[Effect]]) -> None:
        if not self._stopped:
            now = self._clock.now()
            self._run(event(now), now)
            self._arm(now)

    def _run(self, effects: Iterable[Effect], now: Now) -> None:
        for effect in effects:
            if isinstance(effect, ObserveAlike):
                self._observer.observe_alike(effect.observations, now)
            elif isinstance(effect, Observe):
                self._observer.observe(effect.observation, now)
            elif self._stopped:
                continue  # an outcome's receiver may have stopped us
            elif isinstance(effect, Transmit):
                self._transmit(effect)
            elif isinstance(effect, Finished):
                self._pending.pop(effect.exchange).callback(effect.outcome)
            elif isinstance(effect, Connect):
                self._links[effect.server].connect(self)
            elif isinstance(effect, Disconnect):
                self._links[effect.server].disconnect()

    def _transmit(self, effect: Transmit) -> None:
        link = self._links.get(effect.destination)
        if link is not None:
            link.send(effect.datagram)
            return
        with suppress(PmipError):  # if there are no more sockets it is lost, and repeated in time
            self._socket(effect.socket).send(effect.datagram, effect.destination)

    def _look_at_address(self) -> None:
        if self._address is not None:
            self._machine.use_address(self._address())

    def _wake(self) -> None:
        self._timer = None
        self._look_at_address()
        self._happened(self._machine.wake)

    def _arm(self, now: Now) -> None:
        """A timer that comes too early finds nothing to do: cheaper than moving it at every message."""
        deadline = None if self._stopped else self._machine.next_deadline()
        if deadline is None:
            self._disarm()
        elif self._timer is None or deadline < self._fires_at:
            self._disarm()
            delay = min(max(0.0, deadline - now.monotonic), LONGEST_SLEEP)
            self._fires_at = now.monotonic + delay
            self._timer = self._reactor.callLater(delay, self._wake)

    def _disarm(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
