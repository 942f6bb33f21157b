"""Requests on their way: written for a server, repeated in time, and looked up when an answer comes."""

from pmip_tw.aaa.radius import observed
from pmip_tw.aaa.radius.effects import Effect, Transmit
from pmip_tw.aaa.radius.exchange import JITTER, Exchange
from pmip_tw.aaa.radius.server import Server
from pmip_tw.aaa.radius.slots import identifier_of, socket_of
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.timers import Wheel
from pmip_tw.wire.radius import AUTHENTICATOR_SIZE, encode_request

GRANULARITY = 0.02
"""Seconds by which something may be late: a hundredth of the time before the first retransmission."""


class Sending:
    """``due``: what has come due, exchanges and servers alike."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._wheel: Wheel[Exchange | Server] = Wheel(GRANULARITY, lambda one: one.due)
        self.asking = 0
        """Exchanges that somebody waits for and that a server has."""

    def file(self, one: Exchange | Server, due: float) -> None:
        one.due = due
        self._wheel.file(one, due)

    def due(self, monotonic: float) -> list[Exchange | Server]:
        return self._wheel.due(monotonic)

    def next_deadline(self) -> float | None:
        return self._wheel.next_deadline()

    def begin(self, exchange: Exchange, server: Server, limit: int, now: Now, effects: list[Effect]) -> None:
        """Ask ``server``, at most ``limit`` times. ValueError: the request cannot be written; nothing has happened."""
        slot = server.slots.take()
        assert slot is not None, "whoever has room has identifiers"
        try:
            exchange.datagram = encode_request(
                exchange.request,
                identifier=identifier_of(slot),
                authenticator=now.entropy(AUTHENTICATOR_SIZE),
                secret=server.configured.secret,
            )
        except ValueError:
            server.slots.give_back(slot)
            raise
        exchange.server, exchange.slot, exchange.limit = server, slot, limit
        exchange.authenticator = exchange.datagram[4:20]
        exchange.tries, exchange.asked_at = 0, now.monotonic
        exchange.complaint, exchange.complaints, exchange.unreachable = "", 0, ""
        server.outstanding[slot] = exchange
        if not exchange.is_probe:
            self.asking += 1
        self.transmit(exchange, now, effects)

    def transmit(self, exchange: Exchange, now: Now, effects: list[Effect]) -> None:
        """The first packet or a retransmission, which is the same octets again (AA6, RFC 5080 2.2.1).

        What TLS has taken is not repeated on the same connection (RFC 6614 2.6), but time goes on for it all the same.
        """
        server = exchange.server
        assert server is not None
        exchange.tries += 1
        jitter = 1 + JITTER * (2 * now.random_fraction() - 1)
        if exchange.tries > 1:
            exchange.wait *= 1 + jitter
        else:
            exchange.wait = jitter * (self._timeout / 2 if exchange.is_probe else self._timeout)
        self.file(exchange, now.monotonic + exchange.wait)
        if not server.configured.tls or exchange.tries == 1:
            self.put(exchange, server, effects)

    def put(self, exchange: Exchange, server: Server, effects: list[Effect]) -> None:
        """Onto the wire, or, until there is a connection, not."""
        exchange.unsent = server.configured.tls and not server.connected
        if exchange.unsent:
            return
        effects.append(Transmit(exchange.datagram, server.endpoint, socket_of(exchange.slot)))
        server.counts["sent" if exchange.tries == 1 else "repeated"] += 1
        effects.append(observed.sent(exchange, server))

    def release(self, exchange: Exchange) -> Server:
        """Nothing is asked in it any more; the server that was."""
        server = exchange.server
        assert server is not None
        del server.outstanding[exchange.slot]
        server.slots.give_back(exchange.slot)
        exchange.server, exchange.due = None, None
        exchange.datagram = b""
        if not exchange.is_probe:
            self.asking -= 1
        if server.probe is exchange:
            server.probe = None
        return server
