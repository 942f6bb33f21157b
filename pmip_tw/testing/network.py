"""A network in memory: datagrams between ISignalling twins, lost, delayed or doubled as a seed says."""

import random
from collections import deque
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

_PORT_UNREACHABLE = 3
_TUNNEL_DATA = b"\x04"


class Host(Protocol):
    """A socket's twin, as the network sees it."""

    def arrive(self, datagram: Datagram) -> None: ...
    def report(self, unreachable: Unreachable) -> None: ...


class FakeNetwork:
    """``loss`` and ``duplication`` are probabilities for each datagram; ``seed`` makes them repeat exactly.

    Nothing moves by itself: ``deliver`` carries what is on its way, and what that causes, until all is quiet.
    ``carried``: every datagram that arrived, as (source, destination, payload). Who has no socket is answered for
    by ICMP, as a host that is up would do; an address in ``silent`` swallows everything.
    """

    def __init__(self, seed: int = 0, *, loss: float = 0.0, duplication: float = 0.0) -> None:
        self._random = random.Random(seed)
        self.loss = loss
        self.duplication = duplication
        self.silent: set[Ipv4] = set()
        self.carried: list[tuple[Endpoint, Endpoint, bytes]] = []
        self._hosts: dict[Endpoint, Host] = {}
        self._on_the_way: deque[tuple[Endpoint, Endpoint, bytes]] = deque()

    def send(self, source: Endpoint, destination: Endpoint, payload: bytes) -> None:
        if self._random.random() < self.loss:
            return
        copies = 2 if self._random.random() < self.duplication else 1
        self._on_the_way.extend([(source, destination, payload)] * copies)

    def deliver(self) -> int:
        """How many datagrams arrived."""
        arrived = 0
        while self._on_the_way:
            source, destination, payload = self._on_the_way.popleft()
            if destination.address in self.silent:
                continue
            host = self._hosts.get(destination)
            if host is None:
                sender = self._hosts.get(source)
                if sender is not None:
                    sender.report(Unreachable(destination, _PORT_UNREACHABLE))
                continue
            arrived += 1
            self.carried.append((source, destination, payload))
            host.arrive(Datagram(payload, source, destination.address))
        return arrived

    def attach(self, endpoint: Endpoint, host: Host) -> None:
        if endpoint in self._hosts:
            raise PmipError(f"UDP {endpoint} cannot be bound: it is in use")
        self._hosts[endpoint] = host

    def detach(self, endpoint: Endpoint) -> None:
        self._hosts.pop(endpoint, None)


@implementer(ISignalling)
class FakeSignalling:
    """Port 434 of ``addresses`` on a FakeNetwork."""

    def __init__(
        self, network: FakeNetwork, addresses: tuple[Ipv4, ...], port: int = SIGNALLING_PORT
    ) -> None:
        self.addresses = addresses
        self._network = network
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

    def send(self, payload: bytes, destination: Endpoint, source: Ipv4) -> None:
        if self._receiver is not None and source in self.addresses:
            self._network.send(Endpoint(source, self._port), destination, payload)

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
