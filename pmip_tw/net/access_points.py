"""Where access points reach us: two UDP sockets, the proxy that judges what comes, the servers it asks (AA27)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from zope.interface import implementer

from pmip_tw.aaa.proxy.access_points import ProxySettings
from pmip_tw.aaa.proxy.admitting import Reading
from pmip_tw.aaa.proxy.effects import Admit, Ask, Disconnect, Dismiss, Effect, Reply
from pmip_tw.aaa.proxy.machine import RadiusProxy
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION, Answered, RadiusOutcome
from pmip_tw.aaa.radius.received import Received
from pmip_tw.aaa.verdicts import Verdict
from pmip_tw.addresses import Ipv4, Mac
from pmip_tw.interfaces import (
    Datagram,
    IAccessPoints,
    IAccessPointsReceiver,
    IClock,
    IObserver,
    IRadiusClient,
)
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.net.overload import Proven
from pmip_tw.net.radius_port import RadiusPort
from pmip_tw.net.reactor import Reactor


@implementer(IAccessPoints)
class RadiusAccessPoints:
    """Listens on ``ports`` of ``local``, for authentication and for accounting.

    ``servers``: who is asked; somebody else stops it. ``access_points``: as servers of what they are told to do (RFC
    5176), each in a group with the name of its endpoint; it is stopped with us. ``read``: how an Access-Accept is
    understood. ``address``: ours at the moment, as AAA is to know it, if it may change (P82). ``clock`` is read and
    never armed: its one wake-up belongs to the agent.
    """

    def __init__(
        self,
        reactor: Reactor,
        clock: IClock,
        settings: ProxySettings,
        observer: IObserver,
        *,
        servers: IRadiusClient,
        access_points: IRadiusClient,
        read: Reading,
        local: Ipv4,
        ports: tuple[int, int],
        address: Callable[[], Ipv4] | None = None,
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._observer = observer
        self._servers = servers
        self._access_points = access_points
        self._read = read
        self._local = local
        self._address = address
        self._ports = dict(zip((AUTHENTICATION, ACCOUNTING), ports, strict=True))
        self._proxy = RadiusProxy(settings, self._judged, clock.now())
        self._sockets: dict[str, RadiusPort[Effect]] = {}
        self._proven = Proven()
        self._receiver: IAccessPointsReceiver | None = None

    def start(self, receiver: IAccessPointsReceiver) -> None:
        self._receiver = receiver
        try:
            for group, port in self._ports.items():
                self._sockets[group] = RadiusPort(
                    self._reactor,
                    self._clock,
                    self._local,
                    port,
                    hear=partial(self._heard, group),
                    run=self._run,
                    proven=self._proven,
                )
        except BaseException:
            self.stop()
            raise
        for socket in self._sockets.values():
            socket.start()

    def expel(self, key: AccessKey) -> None:
        self._run(self._proxy.expel(key, self._clock.now()))

    def stop(self) -> None:
        """What is asked is asked, and nobody is told."""
        self._receiver = None
        sockets, self._sockets = self._sockets, {}
        for socket in sockets.values():
            socket.close()
        self._access_points.stop()

    def rows(self) -> Sequence[Mapping[str, object]]:
        """The access points, for operators."""
        return self._proxy.rows()

    def _judged(self, station: Mac | None, outcome: Answered) -> Verdict:
        """Nobody is let in who would be thrown off next."""
        verdict = self._read(station, outcome)
        return verdict if self._receiver is None else self._receiver.judged(verdict)

    def _heard(self, group: str, one: Datagram, now: Now) -> Received[Effect]:
        if self._address is not None:
            self._proxy.use_address(self._address())
        return self._proxy.datagram_received(one.payload, one.source, group, now, one.local)

    def _run(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Observe():
                    self._observer.observe(effect.observation, self._clock.now())
                case ObserveAlike():
                    self._observer.observe_alike(effect.observations, self._clock.now())
                case Reply():
                    if effect.group in self._sockets:
                        self._sockets[effect.group].send(effect.datagram, effect.destination, effect.source)
                case Admit():
                    if self._receiver is not None:
                        self._receiver.attached_elsewhere(effect.key, effect.profile, effect.examined)
                case Dismiss():
                    if self._receiver is not None:
                        self._receiver.detached_elsewhere(effect.key, effect.why, effect.terminate_cause)
                case Ask():
                    self._ask(effect)
                case Disconnect():
                    self._disconnect(effect)

    def _ask(self, ask: Ask) -> None:
        def concluded(outcome: RadiusOutcome) -> None:
            self._run(self._proxy.answered(ask.exchange, outcome, self._clock.now()))

        outcome = self._servers.ask(
            ask.request, ask.group, pinned=ask.pinned, subject=ask.subject, flow=ask.flow
        )
        outcome.addCallback(concluded)

    def _disconnect(self, effect: Disconnect) -> None:
        group = str(effect.access_point)
        outcome = self._access_points.ask(effect.request, group, subject=str(effect.key))
        outcome.addCallback(lambda found: self._run(self._proxy.disconnected(effect, found)))
