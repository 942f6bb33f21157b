"""NATs in a network in memory: who is behind one is seen from elsewhere, and nobody reaches him first."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.errors import PmipError

if TYPE_CHECKING:
    from pmip_tw.testing.network import FakeNetwork, Host

_FIRST_PORT = 20000


class FakeNat:
    """Translates what goes from behind it to anywhere: from ``outside``, each address and port as another port.

    ``inside``: who is behind it, if it is one (see FakeNetwork.behind; for several, or for addresses that are used
    elsewhere too, there is Site). After ``timeout`` seconds by ``monotonic``, which has to be set for that, without a
    packet either way a mapping is forgotten; None: never. Once there it lets everybody in, the worst that a NAT may do.
    """

    def __init__(self, inside: Ipv4, outside: Ipv4, *, timeout: float | None = None) -> None:
        self.inside = inside
        self.outside = outside
        self.timeout = timeout
        self.monotonic: Callable[[], float] = float  # 0.0
        self._next = _FIRST_PORT
        # By who is mapped: as which port, and when that was used last.
        self._mappings: dict[Endpoint, tuple[int, float]] = {}

    def outbound(self, source: Endpoint) -> Endpoint:
        """As whom ``source`` is seen; it can be answered from now on."""
        port = self._port(source)
        if port is None:
            port, self._next = self._next, self._next + 1
        self._mappings[source] = (port, self.monotonic())
        return Endpoint(self.outside, port)

    def seen_as(self, source: Endpoint) -> Endpoint | None:
        """As whom ``source`` was seen last; None if that is over."""
        port = self._port(source)
        return None if port is None else Endpoint(self.outside, port)

    def inbound(self, destination: Endpoint) -> Endpoint | None:
        """Who gets what is sent to ``destination``; None if nobody does."""
        for own in list(self._mappings):
            port = self._port(own)
            if port is not None and port == destination.port:
                self._mappings[own] = (port, self.monotonic())
                return own
        return None

    def forget(self) -> None:
        """As after a restart: everybody gets another port."""
        self._mappings.clear()

    def _port(self, source: Endpoint) -> int | None:
        port, used = self._mappings.get(source, (None, 0.0))
        if port is not None and self.timeout is not None and used + self.timeout < self.monotonic():
            del self._mappings[source]
            return None
        return port


class Site:
    """A private network behind ``nat``: its addresses may be used at other sites, too.

    For sockets' twins it is a network like FakeNetwork. ``outside`` of the NAT is the site's only address on that.
    An address in ``silent`` swallows everything.
    """

    def __init__(self, network: "FakeNetwork", nat: FakeNat) -> None:
        self.nat = nat
        self.silent: set[Ipv4] = set()
        self._network = network
        self._hosts: dict[Endpoint, Host] = {}
        network.connect(self)

    def attach(self, endpoint: Endpoint, host: "Host") -> None:
        if endpoint in self._hosts:
            raise PmipError(f"UDP {endpoint} cannot be bound: it is in use")
        self._hosts[endpoint] = host

    def detach(self, endpoint: Endpoint) -> None:
        self._hosts.pop(endpoint, None)

    def send(self, source: Endpoint, destination: Endpoint, payload: bytes) -> None:
        """Everything goes out: nobody here speaks to a neighbor."""
        self._network.send(self.nat.outbound(source), destination, payload)

    def taker(self, destination: Endpoint) -> "tuple[Host, Ipv4] | None":
        """Who takes what arrives at the NAT for ``destination``, and at which address; None: nobody."""
        own = self.nat.inbound(destination)
        host = None if own is None else self._hosts.get(own)
        if host is None or own is None or own.address in self.silent:
            return None
        return host, own.address
