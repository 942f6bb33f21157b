"""RADIUS exchanges as a machine: whatever is asked, of whichever server of a group answers.

    ask -> [waiting for room] -> asking server 1 --no usable answer, or dead--> asking server 2 ... --> Unanswered
                                     \\-- verified answer --> Answered

An answer that cannot be used is counted, remembered as the cause and otherwise ignored: whoever forged it achieves
nothing (RFC 2865 3). ICMP explains, and makes a server suspect, which costs a question; it ends nothing.
"""

from collections.abc import Mapping, Sequence

from pmip_tw.aaa.radius import observed
from pmip_tw.aaa.radius.choosing import Group
from pmip_tw.aaa.radius.configuration import RadiusSettings, RequireSignature
from pmip_tw.aaa.radius.effects import Effect, Finished
from pmip_tw.aaa.radius.exchange import Exchange
from pmip_tw.aaa.radius.outcome import Answered, Unanswered
from pmip_tw.aaa.radius.sending import Sending
from pmip_tw.aaa.radius.server import Server
from pmip_tw.aaa.radius.slots import slot_of
from pmip_tw.aaa.radius.states import Event, State
from pmip_tw.aaa.radius.waiting import Waiting
from pmip_tw.aaa.radius.watching import Watching, row
from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.errors import WireError
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.radius import Answer, Code, Request, decode_answer, identifier_of
from pmip_tw.wire.salt_cipher import SaltCipher

LONGEST_WAIT = 10.0
"""Seconds for which a request waits for room; nobody waits for its answer much longer."""


class RadiusExchanges:
    """Every exchange of a role with its servers, whatever the purpose."""

    def __init__(self, settings: RadiusSettings, now: Now) -> None:
        self._settings = settings
        self._servers: dict[Endpoint, Server] = {}
        for configured in settings.servers():
            if configured.endpoint not in self._servers:
                self._servers[configured.endpoint] = Server(configured, now.entropy(1)[0], now.monotonic)
        self._groups = {
            group.name: Group([self._servers[one.endpoint] for one in group.servers], group.strategy)
            for group in settings.groups
        }
        self._sending = Sending(settings.timeout)
        self._watching = Watching(settings, self._sending, died=self._died, revived=self._more_room)
        self._waiting = Waiting(settings.max_waiting)
        self._count = 0

    @property
    def asking(self) -> int:
        """Exchanges that a server has."""
        return self._sending.asking

    @property
    def waiting(self) -> int:
        """Exchanges that wait for room."""
        return len(self._waiting)

    def ask(
        self,
        request: Request,
        group: str,
        now: Now,
        *,
        pinned: Endpoint | None = None,
        subject: str = "",
        flow: str = "",
    ) -> tuple[int, list[Effect]]:
        """As IRadiusClient has it: the exchange's number and the first effects; Finished may be among them."""
        effects: list[Effect] = []
        members = self._groups.get(group)
        if members is None:
            self._count += 1
            effects.append(Finished(self._count, Unanswered(f"no RADIUS server is configured for {group}")))
            return self._count, effects
        if not members.greeted:
            members.greeted = True
            for server in members.servers:
                if server.heard_at < 0 and not server.connecting and server.probe is None:
                    self._watching.greet(server, now, effects)
        self._count += 1
        exchange = Exchange(
            self._count, request, group, started=now.monotonic, pinned=pinned, subject=subject, flow=flow
        )
        # Whoever waits cannot use the room that there is, or had it.
        if not self._place(exchange, now, effects):
            self._wait(exchange, now, effects)
        return exchange.number, effects

    def use_address(self, address: Ipv4) -> None:
        """Ours is another one now (P82): by which we ask by ourselves."""
        self._watching.use_address(address)

    def datagram_received(self, datagram: bytes, source: Endpoint, now: Now, socket: int = 0) -> list[Effect]:
        """Something arrived on our ``socket`` of this number, or on the connection to ``source``."""
        server = self._servers.get(source)
        if server is None:
            text = "it is not from a configured server and port"
            return [observed.discarded(source, "unknown-source", text)]
        identifier = identifier_of(datagram)
        if identifier is None:
            text = "it is shorter than a RADIUS header"
            return self._discard(server, None, "truncated", text)
        exchange = server.outstanding.get(slot_of(socket, identifier))
        if exchange is None:
            text = "no request of ours waits for it; late or forged"
            return self._discard(server, None, "unexpected", text)
        try:
            answer = decode_answer(
                datagram,
                identifier=identifier,
                request_authenticator=exchange.authenticator,
                secret=server.configured.secret,
                request_code=exchange.request.code,
                proxy_states=exchange.proxy_states,
            )
        except WireError as error:
            return self._discard(server, exchange, error.reason, observed.complaint(error))
        if not answer.signed and server.must_sign(answer, exchange.request):
            return self._discard(server, exchange, "no-message-authenticator", observed.UNSIGNED)
        effects: list[Effect] = []
        self._conclude(exchange, server, answer, now, effects)
        return effects

    def peer_unreachable(self, peer: Endpoint, code: int, now: Now) -> list[Effect]:
        """ICMP about something that we sent: the cause, should no answer come."""
        server = self._servers.get(peer)
        if server is None:
            return []
        cause, observation = observed.unreachable(server, code)
        for exchange in server.outstanding.values():
            exchange.unreachable = cause
        effects: list[Effect] = [observation]
        if server.outstanding:
            self._watching.happens(server, Event.SILENT, now, effects, cause)
        return effects

    def connected(self, peer: Endpoint, now: Now) -> list[Effect]:
        """The TLS connection to ``peer`` is there, and it is who it should be."""
        effects: list[Effect] = []
        self._watching.connected(self._servers[peer], now, effects)
        return effects

    def disconnected(self, peer: Endpoint, cause: str, now: Now) -> list[Effect]:
        """It is not there any more, or could not be made: ``cause`` in words for a person."""
        effects: list[Effect] = []
        server = self._servers[peer]
        self._watching.disconnected(server, cause, now, effects)
        if self._waiting and not server.usable:
            self._more_room(server, now, effects)  # elsewhere, or nowhere: they are not to wait for nothing
        return effects

    def wake(self, now: Now) -> list[Effect]:
        """Retransmit, give up, and look after servers where it is time."""
        effects: list[Effect] = []
        for one in self._sending.due(now.monotonic):
            if isinstance(one, Server):
                self._watching.wake(one, now, effects)
            elif one.due is None or one.due > now.monotonic:
                continue  # what came before it has ended it, or moved it to another server
            elif one.server is None:
                self._waiting.remove(one)
                cause = f"no server had room for it within {LONGEST_WAIT:.0f} s"
                effects.append(observed.overload(one, cause))
                self._unanswered(one, cause, effects)
            elif one.tries < one.limit:
                server = one.server
                self._watching.silent(server, one, now, effects)
                if one.server is server:  # else that was the last of it, and another one is asked
                    self._sending.transmit(one, now, effects)
            else:
                self._give_up(one, one.server, now, effects)
        return effects

    def next_deadline(self) -> float | None:
        """When ``wake`` has something to do (monotonic); None while nothing is outstanding."""
        return self._sending.next_deadline()

    def rows(self, monotonic: float) -> Sequence[Mapping[str, object]]:
        """What is known of each server."""
        groups = {name: group.servers for name, group in self._groups.items()}
        return [row(server, groups, monotonic) for server in self._servers.values()]

    def _place(self, exchange: Exchange, now: Now, effects: list[Effect]) -> bool:
        """Ask somebody, or end it if there is nobody; False: there is no room at present."""
        if self._sending.asking >= self._settings.max_outstanding:
            return False
        if exchange.pinned is None:
            server, wait = self._groups[exchange.group].choose(exchange.tried, now.monotonic)
        else:
            server, wait = self._leader(exchange)
        if server is None:
            if not wait:
                self._unanswered(exchange, self._why_nobody(exchange), effects)
            return not wait
        limit = self._settings.tries
        if not server.usable:
            server.probe = exchange
            others = self._groups[exchange.group].has_other(exchange.tried, server)
            limit = 1 if others else limit  # one request finds out, and is not to wait long for it
            self._watching.happens(server, Event.ASKED, now, effects)
        try:
            self._sending.begin(exchange, server, limit, now, effects)
        except ValueError as error:
            self._unanswered(exchange, f"the request cannot be written: {error}", effects)
            if server.probe is exchange:
                server.probe = None
                self._watching.happens(server, Event.GIVEN_UP, now, effects)
        return True

    def _leader(self, exchange: Exchange) -> tuple[Server | None, bool]:
        """The server that alone can answer, unless it has been asked, or is dead; and whether to wait for room."""
        assert exchange.pinned is not None
        server = self._servers.get(exchange.pinned)
        if server is None or server in exchange.tried or not server.usable:
            return None, False
        return (server if server.has_room else None), True

    def _wait(self, exchange: Exchange, now: Now, effects: list[Effect]) -> None:
        self._sending.file(exchange, now.monotonic + LONGEST_WAIT)
        victim = self._waiting.add(exchange)
        if victim is not None:
            settings = self._settings
            cause = (
                f"{settings.max_outstanding + settings.max_waiting} requests are outstanding or wait already,"
                f" and of {victim.flow or victim.group} the most; try again later"
            )
            effects.append(observed.overload(victim, cause))
            self._unanswered(victim, cause, effects)

    def _more_room(self, server: Server, now: Now, effects: list[Effect]) -> None:
        """Whoever waits may have it."""
        while self._waiting and self._waiting.take(lambda one: self._place(one, now, effects)):
            pass

    def _discard(self, server: Server, exchange: Exchange | None, reason: str, cause: str) -> list[Effect]:
        server.counts["discarded"] += 1
        if exchange is not None:
            exchange.complain(cause)
        subject = "" if exchange is None else exchange.subject
        return [observed.discarded(server.endpoint, reason, cause, subject)]

    def _conclude(
        self, exchange: Exchange, server: Server, answer: Answer, now: Now, effects: list[Effect]
    ) -> None:
        server.answered(answer, exchange, now.monotonic)
        self._sending.release(exchange)
        if not exchange.is_probe:
            effects.append(observed.answered(exchange, server, answer, now.monotonic))
            cipher = SaltCipher(server.configured.secret, exchange.authenticator)
            effects.append(
                Finished(exchange.number, Answered(answer=answer, cipher=cipher, server=server.endpoint))
            )
            self._look_at_signature(server, exchange, answer, effects)
        if server.state is not State.ALIVE:
            self._watching.happens(server, Event.ANSWERED, now, effects)
        if self._waiting:
            self._more_room(server, now, effects)

    def _look_at_signature(
        self, server: Server, exchange: Exchange, answer: Answer, effects: list[Effect]
    ) -> None:
        if answer.signed or server.warned or exchange.request.code is not Code.ACCESS_REQUEST:
            return
        if server.configured.require_message_authenticator is RequireSignature.AUTO:
            server.warned = True
            effects.append(observed.unsigned(server))

    def _give_up(self, exchange: Exchange, server: Server, now: Now, effects: list[Effect]) -> None:
        """This server gave no usable answer: on to the next one, or the end."""
        was_probe = server.probe is exchange
        if exchange.is_probe:
            self._sending.release(exchange)
            self._watching.probe_given_up(server, exchange, now, effects)
        else:
            cause = exchange.cause()
            self._leave(exchange, server, cause, effects)
            self._watching.given_up(server, exchange, now, effects, was_probe=was_probe)
            self._go_on(exchange, now, effects)
        if self._waiting:
            self._more_room(server, now, effects)

    def _leave(self, exchange: Exchange, server: Server, cause: str, effects: list[Effect]) -> None:
        self._sending.release(exchange)
        server.counts["given_up"] += 1
        exchange.tried += (server,)
        exchange.causes += (f"{server.name}: {cause}",)
        effects.append(observed.no_answer(exchange, server, cause))

    def _go_on(self, exchange: Exchange, now: Now, effects: list[Effect]) -> None:
        """Elsewhere: written anew, as secret and identifier are another server's."""
        if not self._place(exchange, now, effects):
            self._wait(exchange, now, effects)

    def _died(self, server: Server, now: Now, effects: list[Effect]) -> None:
        """Nobody waits for a dead server who has a better one, or who needs this one and no other."""
        for exchange in list(server.outstanding.values()):
            if exchange.is_probe:
                continue
            other = exchange.pinned is None and self._groups[exchange.group].has_other(exchange.tried, server)
            if other or exchange.pinned is not None or (server.configured.tls and not server.connected):
                self._leave(exchange, server, server.cause or exchange.cause(), effects)
                self._go_on(exchange, now, effects)

    def _why_nobody(self, exchange: Exchange) -> str:
        """What each server has to do with it that nobody can be asked."""
        if exchange.pinned is not None:
            led = f"the conversation is led by {exchange.pinned}, and no other server can go on with it"
            server = self._servers.get(exchange.pinned)
            state = "is no server of ours" if server is None else f"is dead: {server.cause}"
            return f"{led}; {'; '.join(exchange.causes) or f'{exchange.pinned} {state}'}"
        idle = [
            f"{server.name}: dead{', and asked by somebody else at present' if server.probe else ''}: {server.cause}"
            for server in self._groups[exchange.group].servers
            if server not in exchange.tried
        ]
        return "; ".join((*exchange.causes, *idle))

    def _unanswered(self, exchange: Exchange, cause: str, effects: list[Effect]) -> None:
        exchange.due = None
        effects.append(Finished(exchange.number, Unanswered(cause)))
