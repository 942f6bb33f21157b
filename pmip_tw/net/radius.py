"""RADIUS towards the network: one UDP socket for all servers, one timer, and the exchange machine behind them.

The socket is not connected: one socket serves every server, and a report from the error queue names its peer.
"""

from collections.abc import Iterable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from zope.interface import implementer

from pmip_tw.aaa.radius_exchange import Effect, Finished, RadiusExchanges, Transmit
from pmip_tw.aaa.radius_servers import RadiusSettings
from pmip_tw.aaa.verdicts import Credential, MacCredential, Unavailable, Verdict
from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import Datagram, IAuthenticator, IClock, IObserver, Unreachable
from pmip_tw.mobility.effects import Observe
from pmip_tw.net.reactor import Reactor
from pmip_tw.net.udp import UdpSocket

MAXIMUM_BATCH = 8
"""Datagrams per wake-up of the reactor: answers take long enough that packets must not wait for many of them."""

LONGEST_SLEEP = 30.0
"""Seconds; a wake-up is a hint, and a clock that jumps is noticed after so long."""


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
        self._socket: UdpSocket | None = None
        self._timer: IDelayedCall | None = None
        self._armed: float | None = None
        self._stopped = False

    def authenticate(self, credential: Credential) -> Deferred[Verdict]:
        if self._stopped:
            return succeed(Unavailable("RADIUS is stopped"))
        if not isinstance(credential, MacCredential):
            return succeed(Unavailable("only MAC authentication is asked of RADIUS here"))
        try:
            self._open()
        except PmipError as error:
            return succeed(Unavailable(f"RADIUS has no socket: {error}"))
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
            self._socket = UdpSocket(
                self._reactor,
                self._local,
                0,
                deliver=self._datagrams_received,
                report=self._peer_unreachable,
                batch=MAXIMUM_BATCH,
            )
            self._socket.start_reading()

    def _datagrams_received(self, batch: list[Datagram]) -> None:
        for datagram in batch:
            self._run(self._machine.datagram_received(datagram.payload, datagram.source, self._clock.now()))

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
