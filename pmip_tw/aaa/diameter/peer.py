"""One Diameter peer as a machine (RFC 6733 5.6, without elections: a connection has one initiator).

```
             connected          CEA 2001                  watchdog
   CLOSED --> CONNECTING --> GREETING -----> OPEN <--> (SUSPECT, REOPEN) --> CLOSED, tried again
                                 |             |  DPR sent                        ^
                                 +- refused --+ +---------> CLOSING --- DPA ------+
```

We initiate the connections that are configured; whoever connects to us (``accepting``) says CER first.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Final

import attrs

from pmip_tw.aaa.diameter import capabilities as greetings
from pmip_tw.aaa.diameter.capabilities import Capabilities, Identity, Incapable
from pmip_tw.aaa.diameter.peer_effects import Came, Changed, Connect, Disconnect, Effect, PeerPolicy, Transmit
from pmip_tw.aaa.diameter.refusals import refusal
from pmip_tw.aaa.diameter.watchdog import Health, Step, Watchdog
from pmip_tw.errors import WireError
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe
from pmip_tw.mobility.observations import Detail, Observation
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps, InvalidAvp
from pmip_tw.wire.diameter.codes import Application, Code, Command, DisconnectCause, Result
from pmip_tw.wire.diameter.message import BadMessage, Header, Message, decode, frame_size

CONNECT_SECONDS: Final = 10.0
"""For a connection, TLS and all."""

GREETING_SECONDS: Final = 10.0
"""For the CER or CEA; a peer that never says it holds a connection that is worth nothing."""

CLOSING_SECONDS: Final = 2.0
"""For the DPA."""

FIRST_RETRY: Final = 1.0
"""Seconds to the first attempt after a connection was lost; doubled up to ``reconnect_interval`` (Tc)."""


class State(Enum):
    CLOSED = "closed"
    CONNECTING = "connecting"
    GREETING = "greeting"
    OPEN = "open"
    CLOSING = "closing"


class Peer:
    """``name``: by which the edge knows its connection."""

    def __init__(self, name: str, policy: PeerPolicy, identity: Identity, first_identifier: int) -> None:
        self.name = name
        self.policy = policy
        self.state = State.CLOSED
        self.capabilities: Capabilities | None = None
        self.cause = ""
        """Why it is closed, in words."""
        self._identity = identity
        self._watchdog: Watchdog | None = None
        self._reopening = False
        self._retry = FIRST_RETRY
        self._deadline: float | None = None
        self._stream = bytearray()
        self._next_identifier = first_identifier
        self._known_state = 0
        self._stopped = False

    # --- what the node asks -----------------------------------------------------------------------------

    @property
    def host(self) -> str:
        return self.capabilities.host if self.capabilities else self.policy.host

    @property
    def health(self) -> Health | None:
        """None while there is no connection."""
        return self._watchdog.health if self._watchdog else None

    @property
    def usable(self) -> bool:
        """Requests may go there (RFC 3539 3.4.1); REOPEN is for whoever has nothing better."""
        return self.state is State.OPEN and self.health is Health.OKAY

    @property
    def returning(self) -> bool:
        return self.state is State.OPEN and self.health is Health.REOPEN

    def next_deadline(self) -> float | None:
        if self.state is State.OPEN and self._watchdog:
            return self._watchdog.deadline
        return self._deadline

    def take_identifier(self) -> int:
        """A Hop-by-Hop Identifier that was not used for long."""
        self._next_identifier = (self._next_identifier + 1) & 0xFFFFFFFF
        return self._next_identifier

    def transmit(self, message: Message) -> Transmit:
        return Transmit(self.name, message.encode())

    # --- what happens -----------------------------------------------------------------------------------

    def start(self, now: Now) -> Iterator[Effect]:
        """Connect; nothing happens if there is a connection, or if the other side has to do it."""
        if self.state is State.CLOSED and not self.policy.accepting and not self._stopped:
            self.state = State.CONNECTING
            self._deadline = now.monotonic + CONNECT_SECONDS
            yield Connect(self.name)

    def connected(self, now: Now) -> Iterator[Effect]:
        """TLS has succeeded too, if there is any."""
        if self.state not in (State.CONNECTING, State.CLOSED):
            return
        self.state = State.GREETING
        self._stream.clear()
        self._deadline = now.monotonic + GREETING_SECONDS
        if not self.policy.accepting:
            greeting = greetings.request(self._identity)
            yield self.transmit(self._numbered(greeting, now))

    def connection_failed(self, cause: str, now: Now) -> Iterator[Effect]:
        yield from self._closed("connection-failed", cause, now)

    def connection_lost(self, cause: str, now: Now) -> Iterator[Effect]:
        yield from self._closed("connection-lost", cause, now)

    def stop(self, now: Now) -> Iterator[Effect]:
        """We are going: say so (RFC 6733 5.4). The end is told as ``state`` CLOSED."""
        self._stopped = True
        if self.state is not State.OPEN:
            yield from self._disconnect("stopped", "we are stopping", now)
            return
        self.state = State.CLOSING
        self._deadline = now.monotonic + CLOSING_SECONDS
        farewell = Message(
            header=_base(Command.DISCONNECT_PEER),
            avps=Avps(
                (
                    *self._identity.origin,
                    avps.unsigned32(Code.DISCONNECT_CAUSE, DisconnectCause.REBOOTING),
                )
            ),
        )
        yield self.transmit(self._numbered(farewell, now))
        yield Changed()

    def wake(self, now: Now) -> Iterator[Effect]:
        deadline = self.next_deadline()
        if deadline is None or now.monotonic < deadline:
            return
        if self.state is State.CLOSED:
            yield from self.start(now)
        elif self.state is State.CONNECTING:
            cause = f"no connection in {CONNECT_SECONDS:g} s"
            yield from self._disconnect("connection-failed", cause, now)
        elif self.state is State.GREETING:
            awaited = "CER" if self.policy.accepting else "CEA"
            cause = f"connected, and no {awaited} in {GREETING_SECONDS:g} s - is this a Diameter node?"
            yield from self._disconnect("no-greeting", cause, now)
        elif self.state is State.CLOSING:
            yield from self._disconnect("stopped", "we are stopping", now)
        else:
            yield from self._watch(now)

    def octets_received(self, octets: bytes, now: Now) -> Iterator[Effect]:
        """A piece of the stream, which ends anywhere."""
        if self.state not in (State.GREETING, State.OPEN, State.CLOSING):
            return
        self._stream += octets
        while self.state in (State.GREETING, State.OPEN, State.CLOSING):
            try:
                size = frame_size(self._stream)
            except WireError as error:
                yield from self._disconnect("malformed", str(error), now)
                return
            if size is None:
                return
            frame = bytes(self._stream[:size])
            del self._stream[:size]
            yield from self._received(frame, now)

    # --- messages ---------------------------------------------------------------------------------------

    def _received(self, frame: bytes, now: Now) -> Iterator[Effect]:
        try:
            message = decode(frame)
        except BadMessage as error:
            yield self._observed("diameter-discarded", cause=str(error), reason=error.reason)
            if error.header.request:
                asked = Message(header=error.header, avps=Avps())
                yield self.transmit(refusal(self._identity, asked, error.result, str(error), error.failed))
            return
        if self.state is State.GREETING:
            yield from self._greeted(message, now)
            return
        yield from self._alive(message, now)
        header = message.header
        if header.application != Application.BASE or header.command not in _OWN:
            yield Came(message)
        elif not header.request:
            yield from self._own_answer(message, now)
        elif header.command == Command.DEVICE_WATCHDOG:
            yield from self._notice_restart(message)
            yield self.transmit(self._success(message, self._identity.state))
        elif header.command == Command.DISCONNECT_PEER:
            yield self.transmit(self._success(message))
            why = message.avps.first(Code.DISCONNECT_CAUSE)
            if why != _REBOOTING:
                self._retry = (
                    self.policy.reconnect_interval
                )  # it does not want us back at once (RFC 6733 5.4.3)
            yield from self._disconnect(
                "disconnected", f"it has said goodbye{_reason(why)}", now, gently=True
            )
        else:
            cause = "capabilities are exchanged once"
            yield self.transmit(refusal(self._identity, message, Result.UNABLE_TO_COMPLY, cause))

    def _greeted(self, message: Message, now: Now) -> Iterator[Effect]:
        """Nothing but CER or CEA is heard before (RFC 6733 5.6)."""
        header = message.header
        if header.command != Command.CAPABILITIES_EXCHANGE or header.request is not self.policy.accepting:
            awaited = "CER" if self.policy.accepting else "CEA"
            yield from self._disconnect("no-greeting", f"a {message.name} came instead of the {awaited}", now)
            return
        try:
            if not header.request and message.result != Result.SUCCESS:
                raise Incapable(f"it refuses us: {message.explained()}", Result.UNABLE_TO_COMPLY)
            capabilities = greetings.read(message, self._identity, self.policy.host)
        except (Incapable, WireError) as error:
            result = error.result if isinstance(error, Incapable | InvalidAvp) else Result.UNABLE_TO_COMPLY
            if header.request:
                yield self.transmit(greetings.answer(self._identity, message, result, str(error)))
            yield from self._disconnect("refused", str(error), now, gently=True)
            return
        if header.request:
            yield self.transmit(greetings.answer(self._identity, message, Result.SUCCESS))
        self.capabilities = capabilities
        self.state = State.OPEN
        self.cause = ""
        self._retry = FIRST_RETRY
        self._deadline = None
        self._watchdog = Watchdog(self.policy.watchdog_interval, now, reopened=self._reopening)
        yield from self._notice_restart(message)
        details: dict[str, Detail] = {
            "realm": capabilities.realm,
            "relay": Application.RELAY in capabilities.applications,
        }
        yield self._observed("diameter-peer-up", details=details)
        yield Changed()

    def _alive(self, message: Message, now: Now) -> Iterator[Effect]:
        watchdog = self._watchdog
        if watchdog is None:
            return
        before = watchdog.health
        header = message.header
        watchdog.heard(now, answer=header.command == Command.DEVICE_WATCHDOG and not header.request)
        if before is not watchdog.health:
            self._reopening = False
            self.cause = ""
            yield self._observed("diameter-peer-recovered")
            yield Changed()

    def _own_answer(self, message: Message, now: Now) -> Iterator[Effect]:
        if message.header.command == Command.DISCONNECT_PEER and self.state is State.CLOSING:
            yield from self._disconnect("stopped", "we are stopping", now, gently=True)
        elif message.header.command == Command.DEVICE_WATCHDOG:
            yield from self._notice_restart(message)
        else:
            cause = f"a {message.name} that nobody asked for"
            yield self._observed("diameter-discarded", cause=cause, reason="unasked")

    def _watch(self, now: Now) -> Iterator[Effect]:
        assert self._watchdog is not None
        step = self._watchdog.expired(now)
        if step is Step.SEND:
            ask = Message(
                header=_base(Command.DEVICE_WATCHDOG),
                avps=Avps((*self._identity.origin, self._identity.state)),
            )
            yield self.transmit(self._numbered(ask, now))
        elif step is Step.FAIL_OVER:
            cause = f"no answer to a DWR in {self.policy.watchdog_interval:g} s"
            self.cause = cause
            yield self._observed("diameter-peer-suspect", cause=cause, reason="watchdog")
            yield Changed()
        elif step is Step.CLOSE:
            self._reopening = True
            yield from self._disconnect("watchdog", "it is silent: no DWA, nothing else", now)

    def _notice_restart(self, message: Message) -> Iterator[Effect]:
        """Origin-State-Id has grown: it has forgotten its sessions (RFC 6733 8.16). Ours go on until they end."""
        try:
            state_id = message.avps.number(Code.ORIGIN_STATE_ID) or 0
        except InvalidAvp:
            return
        before, self._known_state = self._known_state, max(self._known_state, state_id)
        if 0 < before < state_id:
            yield self._observed("diameter-peer-restarted")

    # --- the end of a connection ------------------------------------------------------------------------

    def _disconnect(self, reason: str, cause: str, now: Now, *, gently: bool = False) -> Iterator[Effect]:
        if self.state is not State.CLOSED:
            yield Disconnect(self.name, gently)
        yield from self._closed(reason, cause, now)

    def _closed(self, reason: str, cause: str, now: Now) -> Iterator[Effect]:
        before, self.state = self.state, State.CLOSED
        self._watchdog = None
        self._stream.clear()
        self._deadline = None
        if not self.policy.accepting and not self._stopped:
            jitter = 0.75 + now.random_fraction() / 2
            wait = min(self._retry, self.policy.reconnect_interval)
            self._deadline = now.monotonic + wait * jitter
            self._retry = min(2 * self._retry, self.policy.reconnect_interval)
        if before in (State.OPEN, State.CLOSING) or (before is not State.CLOSED and cause != self.cause):
            yield self._observed("diameter-peer-down", cause=f"{self.host}: {cause}", reason=reason)
        self.cause = cause
        yield Changed()

    # --- what we say ------------------------------------------------------------------------------------

    def _numbered(self, message: Message, now: Now) -> Message:
        end_to_end = int.from_bytes(now.entropy(4), "big")
        header = attrs.evolve(message.header, hop_by_hop=self.take_identifier(), end_to_end=end_to_end)
        return attrs.evolve(message, header=header)

    def _success(self, asked: Message, *more: Avp) -> Message:
        return asked.answer(avps.unsigned32(Code.RESULT_CODE, Result.SUCCESS), *self._identity.origin, *more)

    def _observed(
        self, name: str, *, cause: str = "", reason: str = "", details: dict[str, Detail] | None = None
    ) -> Observe:
        told: dict[str, Detail] = {"peer": self.host or self.name, **(details or {})}
        return Observe(Observation(name=name, cause=cause, reason=reason, details=told))


_OWN: Final = frozenset({Command.CAPABILITIES_EXCHANGE, Command.DEVICE_WATCHDOG, Command.DISCONNECT_PEER})
"""Between neighbors; everything else is for the node, or for nobody."""

_REBOOTING: Final = DisconnectCause.REBOOTING.to_bytes(4, "big")


def _base(command: Command) -> Header:
    return Header(command=command, application=Application.BASE, request=True, proxiable=False)


def _reason(disconnect_cause: bytes | None) -> str:
    try:
        cause = DisconnectCause(int.from_bytes(disconnect_cause or b"\xff", "big"))
    except ValueError:
        return ""
    return f" ({cause.name.lower().replace('_', ' ')})"
