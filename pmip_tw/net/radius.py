"""RADIUS towards the network: one UDP socket for all servers, one timer, and the exchange machine behind them.

The socket is not connected: one socket serves every server, and a report from the error queue names its peer.
"""

import socket
from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from zope.interface import implementer

from pmip_tw.aaa.profile import MacCredential, Unavailable, Verdict
from pmip_tw.aaa.radius_exchange import Effect, Finished, RadiusExchanges, Transmit
from pmip_tw.aaa.radius_servers import RadiusSettings
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, ipv4, ipv4_text
from pmip_tw.descriptors import LastingReader
from pmip_tw.interfaces import IAuthenticator, IClock, IObserver, Unreachable
from pmip_tw.mobility.effects import Observe
from pmip_tw.net.error_queue import enable_error_queue, read_error_queue, unreachable_by_errno
from pmip_tw.net.reactor import Reactor
from pmip_tw.wire.radius import MAXIMUM_SIZE

MAXIMUM_BATCH = 8
"""Datagrams per wake-up of the reactor: answers take long enough that packets must not wait for many of them."""

LONGEST_SLEEP = 30.0
"""Seconds; a wake-up is a hint, and a clock that jumps is noticed after so long."""


class _Socket(LastingReader):
    """The UDP socket. Datagrams and ICMP reports go to the two callbacks."""

    def __init__(
        self,
        reactor: Reactor,
        local: Ipv4,
        datagram_received: Callable[[bytes, Endpoint], None],
        unreachable: Callable[[Unreachable], None],
    ) -> None:
        super().__init__(reactor)
        self._datagram_received = datagram_received
        self._unreachable = unreachable
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            enable_error_queue(self._socket)
            self._socket.bind((ipv4_text(local), 0))
        except OSError:
            self._socket.close()
            raise
        self.start_reading()

    def send(self, datagram: bytes, peer: Endpoint) -> None:
        """Send; what the kernel does not take is lost, as in a network; that there is no way is reported."""
        destination = (ipv4_text(peer.address), peer.port)
        for attempt in (1, 2):
            try:
                self._socket.sendto(datagram, destination)
            except BlockingIOError:
                return
            except OSError as error:
                # The first failure may be ICMP about an earlier datagram; reading it clears the socket's error.
                self.take_errors()
                report = unreachable_by_errno(peer, error)
                if attempt == 2 and report is not None:
                    self._unreachable(report)
            else:
                return

    def close(self) -> None:
        self.stop_reading()
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return "RADIUS"

    def doRead(self) -> None:
        self.take_errors()
        for _ in range(MAXIMUM_BATCH):
            if self._socket.fileno() < 0:
                return
            try:
                datagram, (address, port) = self._socket.recvfrom(MAXIMUM_SIZE + 1)
            except BlockingIOError:
                return
            except OSError:
                self.take_errors()
                continue
            self._datagram_received(datagram, Endpoint(ipv4(address), port))

    def take_errors(self) -> None:
        """Pass on what the error queue holds."""
        for report in read_error_queue(self._socket):
            self._unreachable(report)


@implementer(IAuthenticator)
class RadiusAuthenticator:
    """MAC authentication at RADIUS servers (AA24).

    ``clock`` is read and never armed: its one wake-up belongs to the agent. ``local``: the address to send from;
    the default leaves it to the routing table. The socket is opened with the first request.
    """

    def __init__(
        self,
        reactor: Reactor,
        clock: IClock,
        settings: RadiusSettings,
        observer: IObserver,
        local: Ipv4 = UNSPECIFIED,
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._observer = observer
        self._local = local
        self._machine = RadiusExchanges(settings, clock.now())
        self._pending: dict[int, Deferred[Verdict]] = {}
        self._socket: _Socket | None = None
        self._timer: IDelayedCall | None = None
        self._armed: float | None = None
        self._stopped = False

    def authenticate(self, credential: MacCredential) -> Deferred[Verdict]:
        if self._stopped:
            return succeed(Unavailable("RADIUS is stopped"))
        try:
            self._open()
        except OSError as error:
            return succeed(Unavailable(f"no RADIUS socket at {ipv4_text(self._local)}: {error.strerror}"))
        number, effects = self._machine.start(credential, self._clock.now())
        verdict: Deferred[Verdict] = Deferred()
        self._pending[number] = verdict
        self._run(effects)
        return verdict

    def stop(self) -> None:
        self._stopped = True
        self._arm(None)
        if self._socket is not None:
            self._socket.close()
        pending, self._pending = self._pending, {}
        for verdict in pending.values():
            verdict.callback(Unavailable("RADIUS was stopped before an answer came"))

    def _open(self) -> None:
        if self._socket is None:
            self._socket = _Socket(
                self._reactor, self._local, self._datagram_received, self._peer_unreachable
            )

    def _datagram_received(self, datagram: bytes, source: Endpoint) -> None:
        self._run(self._machine.datagram_received(datagram, source, self._clock.now()))

    def _peer_unreachable(self, report: Unreachable) -> None:
        self._run(self._machine.peer_unreachable(report.peer, report.code))

    def _wake(self) -> None:
        self._timer = self._armed = None
        self._run(self._machine.wake(self._clock.now()))

    def _run(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Observe):
                self._observer.observe(effect.observation, self._clock.now())
            elif self._stopped or self._socket is None:
                continue  # a verdict's receiver may have stopped us
            elif isinstance(effect, Transmit):
                self._socket.send(effect.datagram, effect.destination)
            elif isinstance(effect, Finished):
                self._pending.pop(effect.exchange).callback(effect.verdict)
        self._arm(None if self._stopped else self._machine.next_deadline())

    def _arm(self, deadline: float | None) -> None:
        if deadline == self._armed:
            return
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer, self._armed = None, deadline
        if deadline is not None:
            delay = deadline - self._clock.now().monotonic
            self._timer = self._reactor.callLater(min(max(0.0, delay), LONGEST_SLEEP), self._wake)
