"""A NAT in a network in memory: who is behind it is seen from elsewhere, and nobody reaches him first."""

from pmip_tw.addresses import Endpoint, Ipv4

_FIRST_PORT = 20000


class FakeNat:
    """Translates what goes from ``inside`` to anywhere: from ``outside``, each port as another one."""

    def __init__(self, inside: Ipv4, outside: Ipv4) -> None:
        self.inside = inside
        self.outside = outside
        self._next = _FIRST_PORT
        self._ports: dict[int, int] = {}

    def outbound(self, source: Endpoint) -> Endpoint:
        """As whom ``source`` is seen; it can be answered from now on."""
        if source.port not in self._ports:
            self._ports[source.port] = self._next
            self._next += 1
        return Endpoint(self.outside, self._ports[source.port])

    def seen_as(self, source: Endpoint) -> Endpoint | None:
        """As whom ``source`` was seen last; None if that is over."""
        port = self._ports.get(source.port)
        return None if port is None else Endpoint(self.outside, port)

    def inbound(self, destination: Endpoint) -> Endpoint | None:
        """Who gets what is sent to ``destination``; None if nobody does."""
        for own, port in self._ports.items():
            if port == destination.port:
                return Endpoint(self.inside, own)
        return None

    def forget(self) -> None:
        """As after a restart, or a time of silence: everybody gets another port."""
        self._ports.clear()
