"""Diameter towards the network: a TCP or TLS connection for each peer, one timer, and the node's machine behind them.

With TLS a peer counts as connected when the handshake is over, so that nothing is said to somebody else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import attrs
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHandshakeListener,
    INegotiated,
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IReactorTime,
    IStreamClientEndpoint,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.node import (
    DiameterNode,
    Effect,
    Finished,
    Outcome,
    Requested,
    Unanswered,
)
from pmip_tw.aaa.diameter.peer_effects import Connect, PeerPolicy, Transmit
from pmip_tw.aaa.diameter.refusals import refusal
from pmip_tw.interfaces import IClock, IDiameterClient, IObserver
from pmip_tw.mobility.effects import Observe
from pmip_tw.net.tls_names import why_not
from pmip_tw.wire.diameter.codes import Result
from pmip_tw.wire.diameter.message import Message

LONGEST_SLEEP: Final = 30.0
"""Seconds; a wake-up is a hint, and a clock that jumps is noticed after so long."""

PATIENCE: Final = 5.0
"""Seconds in which a connection that we end may still take what we have said."""

CarryOut = Callable[[Message], "Deferred[Message]"]


@implementer(IHandshakeListener)
class Link(Protocol):
    """A connection to the peer ``name``, or the attempt at one, until it is let go."""

    transport: ITCPTransport | None

    def __init__(self, client: "DiameterClient", name: str, policy: PeerPolicy | None = None) -> None:
        self.name = name
        self.policy = policy
        """Of whoever has connected to us; None: the connection is ours."""
        self.attempt: Deferred[IProtocol] | None = None
        self._client = client
        self._ending: IDelayedCall | None = None

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.setTcpNoDelay(True)
        if not INegotiated.providedBy(self.transport):  # of a TLS connection
            self._client.opened(self)

    def handshakeCompleted(self) -> None:
        self._client.opened(self)

    def dataReceived(self, data: bytes) -> None:
        self._client.received(self, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._ending is not None and self._ending.active():
            self._ending.cancel()
        self._client.lost(self, reason)

    def send(self, octets: bytes) -> None:
        if self.transport is not None:
            self.transport.write(octets)

    def end(self, reactor: IReactorTime, *, gently: bool) -> None:
        if self.transport is None:
            if self.attempt is not None:
                self.attempt.cancel()
            return
        if gently:
            self.transport.loseConnection()
        # Not at once: TLS may be in the middle of handing us what it has received.
        self._ending = reactor.callLater(PATIENCE if gently else 0, self.transport.abortConnection)


class _Links(Factory):
    noisy = False

    def __init__(self, make: Callable[[], Link]) -> None:
        self._make = make

    def buildProtocol(self, addr: IAddress | None) -> Link:
        return self._make()


@attrs.frozen(slots=True)
class Way:
    """Where a peer is; ``tls``: how it proves that it is the one, None for TCP alone."""

    endpoint: IStreamClientEndpoint
    tls: IOpenSSLClientConnectionCreator | None = None

    def connect(self, links: Factory, reactor: IReactorTime) -> "Deferred[IProtocol]":
        # Not wrapClientTLS: that would write when the process's reactor turns, whatever reactor this is.
        factory = links if self.tls is None else TLSMemoryBIOFactory(self.tls, True, links, reactor)
        connecting: Deferred[IProtocol] = self.endpoint.connect(factory)
        return connecting


@implementer(IDiameterClient)
class DiameterClient:
    """``peers``: by identity, in the order of preference; ``ways``: where each of them is.

    ``clock`` is read and never armed: its one wake-up belongs to the agent. ``timeout``: seconds that a request has.
    """

    _log = Logger(namespace="pmip.diameter")

    def __init__(
        self,
        reactor: IReactorTime,
        clock: IClock,
        observer: IObserver,
        identity: Identity,
        peers: Mapping[str, PeerPolicy],
        ways: Mapping[str, Way],
        *,
        timeout: float = 10.0,
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._observer = observer
        self._ways = ways
        self._served: dict[int, CarryOut] = {}
        self._node = DiameterNode(identity, peers, clock.now(), timeout=timeout, served=self._served.keys())
        self._links: dict[str, Link] = {}
        self._pending: dict[int, Deferred[Outcome]] = {}
        self._timer: IDelayedCall | None = None
        self._armed: float | None = None
        self._stopping: Deferred[None] | None = None
        self._ended = False

    @property
    def identity(self) -> Identity:
        return self._node.identity

    def new_session_id(self) -> str:
        return self._node.new_session_id()

    def ask(self, request: Message, subject: str = "") -> "Deferred[Outcome]":
        if self._stopping is not None:
            return succeed(Unanswered("Diameter is stopped"))
        number, effects = self._node.ask(request, self._clock.now(), subject)
        outcome: Deferred[Outcome] = Deferred()
        self._pending[number] = outcome
        self._run(effects)
        return outcome

    def serve(self, command: int, carry_out: CarryOut) -> None:
        self._served[command] = carry_out

    def peers(self) -> Sequence[Mapping[str, object]]:
        return [
            {
                "peer": peer.host or peer.name,
                "state": peer.state.value,
                "health": "" if peer.health is None else peer.health.value,
                "realm": "" if peer.capabilities is None else peer.capabilities.realm,
                "keys": peer.policy.keys,
                "outstanding": self._node.outstanding(peer.name),
                "cause": peer.cause,
            }
            for peer in self._node.peers.values()
        ]

    def start(self) -> None:
        self._run(self._node.start(self._clock.now()))

    def stop(self) -> "Deferred[None]":
        if self._stopping is None:
            self._stopping = Deferred()
            self._run(self._node.stop(self._clock.now()))
        waiting: Deferred[None] = Deferred()
        self._stopping.addCallback(waiting.callback)
        return waiting

    # --- connections ------------------------------------------------------------------------------------

    def acceptor(self, policy: PeerPolicy) -> Factory:
        """For a port on which others connect to us."""
        numbers = iter(range(1, 1 << 62))
        return _Links(lambda: Link(self, f"connection {next(numbers)}", policy))

    def opened(self, link: Link) -> None:
        now = self._clock.now()
        if link.policy is not None:
            self._links[link.name] = link
            self._run(self._node.accepted(link.name, link.policy, now))
        elif self._links.get(link.name) is link:
            self._run(self._node.connected(link.name, now))

    def received(self, link: Link, octets: bytes) -> None:
        if self._links.get(link.name) is link:
            self._run(self._node.octets_received(link.name, octets, self._clock.now()))

    def lost(self, link: Link, reason: Failure) -> None:
        """The connection is over, or there will be none; nothing is to be done if we have let it go."""
        if self._links.get(link.name) is link:
            del self._links[link.name]
            self._run(self._node.connection_lost(link.name, _cause(reason), self._clock.now()))

    def _connect(self, name: str) -> None:
        link = self._links[name] = Link(self, name)
        link.attempt = self._ways[name].connect(_Links(lambda: link), self._reactor)
        link.attempt.addErrback(lambda reason: self.lost(link, reason))

    def _disconnect(self, name: str, *, gently: bool) -> None:
        link = self._links.pop(name, None)
        if link is not None:
            link.end(self._reactor, gently=gently)

    # --- the machine ------------------------------------------------------------------------------------

    def _carry_out(self, peer: str, request: Message) -> None:
        def answered(answer: Message) -> None:
            self._run(self._node.respond(peer, answer))

        def defect(failure: Failure) -> Message:
            self._log.failure("{name} met a defect", failure, name=request.name)
            return refusal(self.identity, request, Result.UNABLE_TO_COMPLY, "a defect, which our log shows")

        carried_out = maybeDeferred(self._served[request.header.command], request)
        carried_out.addErrback(defect)
        carried_out.addCallback(answered)

    def _wake(self) -> None:
        self._timer = self._armed = None
        self._run(self._node.wake(self._clock.now()))

    def _run(self, effects: Iterable[Effect]) -> None:
        # All of them before the first is carried out: whoever is told something may ask for something at once.
        for effect in list(effects):
            if isinstance(effect, Observe):
                self._observer.observe(effect.observation, self._clock.now())
            elif isinstance(effect, Transmit):
                link = self._links.get(effect.peer)
                if link is not None:
                    link.send(effect.octets)
            elif isinstance(effect, Finished):
                self._pending.pop(effect.request).callback(effect.outcome)
            elif isinstance(effect, Requested):
                self._carry_out(effect.peer, effect.message)
            elif isinstance(effect, Connect):
                self._connect(effect.peer)
            else:
                self._disconnect(effect.peer, gently=effect.gently)
        self._arm(self._node.next_deadline())
        if self._stopping is not None and not self._ended and self._node.closed:
            self._ended = True
            # Whoever waits may end the reactor, and we may be in the middle of a connection's octets.
            self._reactor.callLater(0, self._stopping.callback, None)

    def _arm(self, deadline: float | None) -> None:
        if deadline == self._armed:
            return
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer, self._armed = None, deadline
        if deadline is not None:
            delay = deadline - self._clock.now().monotonic
            self._timer = self._reactor.callLater(min(max(0.0, delay), LONGEST_SLEEP), self._wake)


def _cause(reason: Failure) -> str:
    """In words: a certificate that is not to be trusted is told as such."""
    if reason.check(ConnectionDone):
        return "it has closed the connection"
    if reason.check(ConnectionLost):
        return "the connection was lost"
    assert reason.value is not None
    return why_not(reason.value)
