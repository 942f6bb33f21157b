"""Where AAA reaches us (RFC 5176): a socket, the machine that judges what comes, and the sessions that it is about."""

from collections.abc import Callable, Iterable
from functools import partial

from twisted.internet.defer import Deferred

from pmip_tw.aaa.dynamic_authorization import Outcome
from pmip_tw.aaa.radius.authorization_server import (
    Ask,
    AuthorizationPolicy,
    AuthorizationServer,
    Effect,
    Reply,
)
from pmip_tw.aaa.radius.demands import ChangeOf, Disconnect, Reauthorize
from pmip_tw.aaa.radius.received import Received
from pmip_tw.addresses import Ipv4
from pmip_tw.interfaces import Datagram, IClock, IObserver, ISessions
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.net.radius_port import RadiusPort
from pmip_tw.net.reactor import Reactor


class DynamicAuthorization:
    """Listens on ``port`` of ``local``; ``address()`` is ours, as AAA knows it (P82).

    ``clock`` is read and never armed: its one wake-up belongs to the agent.
    """

    def __init__(
        self,
        reactor: Reactor,
        clock: IClock,
        policy: AuthorizationPolicy,
        sessions: ISessions,
        observer: IObserver,
        *,
        local: Ipv4,
        port: int,
        address: Callable[[], Ipv4],
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._sessions = sessions
        self._observer = observer
        self._local = local
        self._port = port
        self._address = address
        self._machine = AuthorizationServer(policy, clock.now())
        self._socket: RadiusPort[Effect] | None = None

    def start(self) -> None:
        """PmipError: the port cannot be bound, and why."""
        self._socket = RadiusPort(
            self._reactor, self._clock, self._local, self._port, hear=self._heard, run=self._run
        )
        self._socket.start()

    def stop(self) -> None:
        """What is being done is done, and nobody is told. Idempotent."""
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()

    def _heard(self, one: Datagram, now: Now) -> Received[Effect]:
        self._machine.use_address(self._address())
        return self._machine.datagram_received(one.payload, one.source, now, one.local)

    def _run(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Observe():
                    self._observer.observe(effect.observation, self._clock.now())
                case ObserveAlike():
                    self._observer.observe_alike(effect.observations, self._clock.now())
                case Reply():
                    if self._socket is not None:
                        self._socket.send(effect.datagram, effect.destination, effect.source)
                case Ask():
                    self._ask(effect).addCallback(partial(self._answered, effect.number))

    def _ask(self, ask: Ask) -> "Deferred[Outcome]":
        match ask.demand:
            case Disconnect(selection):
                return self._sessions.disconnect(selection)
            case ChangeOf(selection, change):
                return self._sessions.change(selection, change)
            case Reauthorize(selection, state):
                return self._sessions.reauthorize(selection, state)

    def _answered(self, number: int, outcome: Outcome) -> None:
        self._run(self._machine.answered(number, outcome))
