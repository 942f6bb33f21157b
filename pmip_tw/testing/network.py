"""A network in memory: datagrams between ISignalling twins, lost, late, doubled or overtaken as a seed says."""

import errno
import random
from collections import Counter
from collections.abc import Collection, Sequence
from heapq import heappop, heappush
from typing import Protocol

from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import (
    Datagram,
    ISignalling,
    ISignallingReceiver,
    ITunnelDataReceiver,
    Unreachable,
)
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.testing.clock import FakeClock
from pmip_tw.testing.nat import FakeNat, Site
from pmip_tw.wire.codes import MessageType

_PORT_UNREACHABLE = 3
_TUNNEL_DATA = bytes((MessageType.TUNNEL_DATA,))


class Host(Protocol):
    """A socket's twin, as the network sees it."""

    def arrive(self, datagram: Datagram) -> None: ...
    def report(self, unreachable: Unreachable) -> None: ...


class FakeNetwork:
    """Whatever a network may do to datagrams, as ``seed`` says and exactly repeatable. All of it may be set anew.

    ``loss``, ``duplication``: probabilities for each datagram. ``delay``: (shortest, longest) seconds on the way; what
    goes from one endpoint to another keeps its order, except that a datagram is held up with the probability
    ``reordering`` for up to ``held_up`` seconds, and overtaken. An address in ``silent`` swallows everything; see
    ``partition``, ``behind`` and ``connect`` for more. Who has no socket is answered for by ICMP, as a host that is up
    would do.

    With a ``clock`` datagrams arrive while it moves, one for each of its steps. Without one nothing moves and nothing
    takes time: ``deliver`` carries what is on its way, and what that causes, until all is quiet. ``carried``: every
    datagram that arrived, as (source, destination, payload).
    """

    def __init__(
        self,
        seed: int | str = 0,
        *,
        loss: float = 0.0,
        duplication: float = 0.0,
        reordering: float = 0.0,
        delay: tuple[float, float] = (0.0, 0.0),
        held_up: float = 1.0,
        clock: FakeClock | None = None,
    ) -> None:
        self.loss = loss
        self.duplication = duplication
        self.reordering = reordering
        self.delay = delay
        self.held_up = held_up
        self.silent: set[Ipv4] = set()
        self._nats: dict[Ipv4, FakeNat] = {}
        self._sites: dict[Ipv4, Site] = {}
        self.carried: list[tuple[Endpoint, Endpoint, bytes]] = []
        self._clock = clock
        self._random = random.Random(seed)
        self._groups: tuple[frozenset[Ipv4], ...] = ()
        self._hosts: dict[Endpoint, Host] = {}
        # (arrival, serial number, source, destination, payload): ties arrive in the order of sending.
        self._on_the_way: list[tuple[float, int, Endpoint, Endpoint, bytes]] = []
        self._sent = 0
        self._last_arrivals: dict[tuple[Endpoint, Endpoint], float] = {}

    def behind(self, nat: FakeNat) -> None:
        """Who is inside of ``nat`` reaches others through it only, and they him."""
        self._nats[nat.inside] = self._nats[nat.outside] = nat

    def connect(self, site: Site) -> None:
        """Who is at ``site`` reaches others, and what is sent to its NAT's address is the NAT's business."""
        self._sites[site.nat.outside] = site

    def send(self, source: Endpoint, destination: Endpoint, payload: bytes) -> None:
        nat = self._nats.get(source.address)
        if nat is not None:
            source = nat.outbound(source)
        if self._random.random() < self.loss:
            return
        copies = 2 if self._random.random() < self.duplication else 1
        for _ in range(copies):
            self._sent += 1
            arrival = self._arrival(source, destination)
            heappush(self._on_the_way, (arrival, self._sent, source, destination, payload))
        self._arm()

    def partition(self, *groups: Collection[Ipv4]) -> None:
        """Nothing arrives that goes from one of ``groups`` to another, until ``heal``; others are not affected."""
        self._groups = tuple(frozenset(group) for group in groups)

    def heal(self) -> None:
        """Everybody reaches everybody."""
        self._groups = ()

    def deliver(self) -> int:
        """Carry what has arrived by now, and what that causes; how many datagrams it was."""
        arrived = 0
        while self._on_the_way and (self._clock is None or self._on_the_way[0][0] <= self._clock.monotonic):
            arrived += self._arrive()
        return arrived

    def _arrival(self, source: Endpoint, destination: Endpoint) -> float:
        if self._clock is None:
            return 0.0
        arrival = self._clock.monotonic + self._random.uniform(*self.delay)
        if self.reordering and self._random.random() < self.reordering:
            return arrival + self._random.uniform(0.0, self.held_up)
        arrival = max(arrival, self._last_arrivals.get((source, destination), 0.0))
        self._last_arrivals[source, destination] = arrival
        return arrival

    def _arm(self) -> None:
        if self._clock is not None:
            first = self._on_the_way[0][0] if self._on_the_way else None
            self._clock.wake_at(first, self._wake)

    def _wake(self) -> None:
        self._arrive()

    def _arrive(self) -> bool:
        """The next datagram is at its destination; whether somebody takes it."""
        _, _, source, destination, payload = heappop(self._on_the_way)
        self._arm()  # first of all: a receiver may fail
        if self._is_cut(source.address, destination.address):
            return False
        taker = self._behind_nat(destination) if self._nats else destination
        if taker is None or taker.address in self.silent:
            return False
        found = self._host_at(taker)
        if found is None:
            sent_by = self._behind_nat(source) if self._nats else source
            sender = None if sent_by is None else self._host_at(sent_by)
            if sender is not None and taker.address not in self._sites:
                sender[0].report(Unreachable(destination, _PORT_UNREACHABLE))
            return False
        host, local = found
        self.carried.append((source, destination, payload))
        host.arrive(Datagram(payload, source, local))
        return True

    def _host_at(self, endpoint: Endpoint) -> tuple[Host, Ipv4] | None:
        """Whose socket that is, and the address that it has itself."""
        site = self._sites.get(endpoint.address)
        if site is not None:
            return site.taker(endpoint)
        host = self._hosts.get(endpoint)
        return None if host is None else (host, endpoint.address)

    def _behind_nat(self, endpoint: Endpoint) -> Endpoint | None:
        """Who ``endpoint`` is, as the world sees it; None: nobody."""
        nat = self._nats.get(endpoint.address)
        if nat is None:
            return endpoint
        return nat.inbound(endpoint) if endpoint.address == nat.outside else None

    def _is_cut(self, source: Ipv4, destination: Ipv4) -> bool:
        return any(
            source in one and destination in other
            for one in self._groups
            for other in self._groups
            if one is not other
        )

    def attach(self, endpoint: Endpoint, host: Host) -> None:
        if endpoint in self._hosts:
            raise PmipError(f"UDP {endpoint} cannot be bound: it is in use")
        self._hosts[endpoint] = host

    def detach(self, endpoint: Endpoint) -> None:
        self._hosts.pop(endpoint, None)


@implementer(ISignalling)
class FakeSignalling:
    """Port 434 of ``addresses`` on a FakeNetwork. ``authentic``: how many datagrams it was told were, by source.

    Nothing is ever too much for it.
    """

    def __init__(
        self, network: FakeNetwork, addresses: tuple[Ipv4, ...], port: int = SIGNALLING_PORT
    ) -> None:
        self.addresses = addresses
        self._network = network
        self.authentic: Counter[Endpoint] = Counter()
        self._port = port
        self._receiver: ISignallingReceiver | None = None
        self._tunnel_data: ITunnelDataReceiver | None = None

    def start(self, receiver: ISignallingReceiver, tunnel_data: ITunnelDataReceiver | None) -> None:
        attached: list[Endpoint] = []
        for address in self.addresses:
            endpoint = Endpoint(address, self._port)
            try:
                self._network.attach(endpoint, self)
            except PmipError:
                for other in attached:
                    self._network.detach(other)
                raise
            attached.append(endpoint)
        self._receiver, self._tunnel_data = receiver, tunnel_data

    def send(self, payload: bytes, destination: Endpoint, source: Ipv4, tos: int = 0) -> int:
        if self._receiver is None or source not in self.addresses:
            return errno.EADDRNOTAVAIL
        self._network.send(Endpoint(source, self._port), destination, payload)
        return 0

    def send_all(self, messages: Sequence[tuple[bytes, Endpoint]], source: Ipv4) -> None:
        for payload, destination in messages:
            self.send(payload, destination, source)

    def authenticated(self, sources: Collection[Endpoint]) -> None:
        self.authentic.update(sources)

    def drops(self) -> dict[str, int]:
        return {}

    def use_address(self, old: Ipv4, new: Ipv4) -> None:
        started = self._receiver is not None
        if started and new not in self.addresses:
            self._network.attach(Endpoint(new, self._port), self)
        self.addresses = tuple(dict.fromkeys(new if own == old else own for own in self.addresses))
        if started and old not in self.addresses:
            self._network.detach(Endpoint(old, self._port))

    def stop(self) -> None:
        if self._receiver is not None:
            for address in self.addresses:
                self._network.detach(Endpoint(address, self._port))
        self._receiver = self._tunnel_data = None

    def arrive(self, datagram: Datagram) -> None:
        """The network brings a datagram."""
        if datagram.payload[:1] == _TUNNEL_DATA:
            if self._tunnel_data is not None:
                self._tunnel_data.tunnel_data_received([datagram])
        elif self._receiver is not None:
            self._receiver.datagrams_received([datagram])

    def report(self, unreachable: Unreachable) -> None:
        """The network says that something could not be delivered."""
        if self._receiver is not None:
            self._receiver.peer_unreachable(unreachable)
