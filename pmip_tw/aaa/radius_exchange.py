"""RADIUS access exchanges as a machine: requests, retransmissions, servers in order, verified answers.

    start -> [waiting] -> asking server 1 --no usable answer--> asking server 2 ... --> Unavailable
                               \\-- verified answer --> Accept or Reject

At most 256 exchanges ask at a time, so that every server has an identifier for each; as many more wait their
turn. An answer that cannot be used is counted, remembered as the cause and otherwise ignored: whoever forged it
achieves nothing (RFC 2865 3). ICMP explains and ends nothing.
"""

from collections import deque
from collections.abc import Iterator

import attrs

from pmip_tw.aaa.mac_authentication import mac_request
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius_mapping import verdict_of
from pmip_tw.aaa.radius_servers import (
    AVOID_SECONDS,
    IDENTIFIERS,
    RadiusSettings,
    RequireSignature,
    ServerRecord,
)
from pmip_tw.aaa.verdicts import MacCredential, Unavailable, Verdict
from pmip_tw.addresses import Endpoint, mac_text
from pmip_tw.errors import WireError
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe
from pmip_tw.mobility.observations import Detail, Observation
from pmip_tw.wire.radius import (
    AUTHENTICATOR_SIZE,
    Answer,
    AttributeType,
    NotVerified,
    Request,
    decode_answer,
    encode_request,
    identifier_of,
)
from pmip_tw.wire.salt_cipher import SaltCipher

MAXIMUM_ASKING = IDENTIFIERS
MAXIMUM_WAITING = 256
JITTER = 0.1
"""Retransmission times vary by a tenth either way (RFC 5080 2.2.1)."""

PORT_UNREACHABLE = 3
_ICMP_CODES = {
    0: "network unreachable",
    1: "host unreachable",
    9: "network administratively prohibited",
    10: "host administratively prohibited",
    13: "prohibited by a packet filter",
}


@attrs.frozen(slots=True)
class Transmit:
    """Send ``datagram`` to a server."""

    datagram: bytes = attrs.field(repr=False)
    destination: Endpoint


@attrs.frozen(slots=True)
class Finished:
    """The exchange that ``start`` gave this number is over."""

    exchange: int
    verdict: Verdict


Effect = Transmit | Finished | Observe


class _Exchange:
    """One conversation; ``untried`` are the servers that can still be asked after ``record``."""

    __slots__ = (
        "authenticator", "causes", "complaint", "credential", "datagram", "deadline", "identifier", "number",
        "record", "started", "tries", "unreachable", "untried", "wait",
    )  # fmt: skip

    def __init__(self, number: int, credential: MacCredential, started: float) -> None:
        self.number = number
        self.credential = credential
        self.started = started
        self.untried: list[ServerRecord] = []
        self.causes: list[str] = []
        self.record: ServerRecord
        self.identifier = 0
        self.authenticator = b""
        self.datagram = b""
        self.tries = 0
        self.wait = 0.0
        self.deadline = 0.0
        self.complaint = ""
        self.unreachable = ""

    @property
    def session(self) -> str:
        return f"{mac_text(self.credential.mac)} on {self.credential.port}"


class RadiusExchanges:
    """Every access exchange of a MAG with its servers."""

    def __init__(self, settings: RadiusSettings, now: Now) -> None:
        self._settings = settings
        # Where identifiers begin is drawn, so that a restart does not look like a retransmission.
        self._records = {
            server.endpoint: ServerRecord(server, now.entropy(1)[0]) for server in settings.servers
        }
        self._asking: dict[int, _Exchange] = {}
        self._waiting: deque[_Exchange] = deque()
        self._count = 0

    @property
    def asking(self) -> int:
        """Exchanges with a request outstanding."""
        return len(self._asking)

    @property
    def waiting(self) -> int:
        """Exchanges that wait for one of those to end."""
        return len(self._waiting)

    def start(self, credential: MacCredential, now: Now) -> tuple[int, list[Effect]]:
        """Ask about ``credential``: the exchange's number and the first effects; Finished may be among them."""
        self._count += 1
        exchange = _Exchange(self._count, credential, now.monotonic)
        if len(self._asking) < MAXIMUM_ASKING:
            return exchange.number, list(self._ask(exchange, now))
        if len(self._waiting) < MAXIMUM_WAITING:
            self._waiting.append(exchange)
            return exchange.number, []
        cause = f"{MAXIMUM_ASKING + MAXIMUM_WAITING} authentications are outstanding already; try again later"
        return exchange.number, [
            Observe(_observation("radius-overload", exchange, cause=cause, reason="overload")),
            Finished(exchange.number, Unavailable(cause)),
        ]

    def datagram_received(self, datagram: bytes, source: Endpoint, now: Now) -> list[Effect]:
        """Something arrived on our socket."""
        record = self._records.get(source)
        if record is None:
            return [_discarded(None, source, "unknown-source", "it is not from a configured server and port")]
        identifier = identifier_of(datagram)
        if identifier is None:
            return [_discarded(None, source, "truncated", "it is shorter than a RADIUS header")]
        exchange = self._asking.get(record.outstanding.get(identifier, 0))
        if exchange is None:
            return [_discarded(None, source, "unexpected", "no request of ours waits for it; late or forged")]
        try:
            answer = self._decode(exchange, datagram)
        except WireError as error:
            exchange.complaint = _complaint(error)
            return [_discarded(exchange, source, error.reason, exchange.complaint)]
        if not answer.signed and record.must_sign(eap=bool(answer.attributes.all(AttributeType.EAP_MESSAGE))):
            exchange.complaint = (
                "answer has no Message-Authenticator, which is required of this server - make it sign all its"
                ' answers, or set require_message_authenticator = "no" for it'
            )
            return [_discarded(exchange, source, "no-message-authenticator", exchange.complaint)]
        return list(self._conclude(exchange, answer, now))

    def peer_unreachable(self, peer: Endpoint, code: int) -> list[Effect]:
        """ICMP about something that we sent: the cause, should no answer come; it ends nothing."""
        record = self._records.get(peer)
        if record is None:
            return []
        if code == PORT_UNREACHABLE:
            cause = "nothing listens on that port (ICMP port unreachable)"
        else:
            cause = f"it cannot be reached ({_ICMP_CODES.get(code, f'ICMP unreachable, code {code}')})"
        for exchange in self._asking.values():
            if exchange.record is record:
                exchange.unreachable = cause
        details: dict[str, Detail] = {"server": str(peer), "code": code}
        text = f"{peer}: {cause}"
        return [
            Observe(Observation(name="radius-unreachable", cause=text, reason="unreachable", details=details))
        ]

    def wake(self, now: Now) -> list[Effect]:
        """Retransmit and give up where it is time."""
        effects: list[Effect] = []
        for exchange in [e for e in self._asking.values() if e.deadline <= now.monotonic]:
            if exchange.tries < self._settings.tries:
                effects += self._transmit(exchange, now)
            else:
                effects += self._give_up(exchange, now)
        return effects

    def next_deadline(self) -> float | None:
        """When ``wake`` has something to do (monotonic); None while nothing is outstanding."""
        return min((exchange.deadline for exchange in self._asking.values()), default=None)

    def _ask(self, exchange: _Exchange, now: Now) -> Iterator[Effect]:
        self._asking[exchange.number] = exchange
        # Servers that were silent lately come last, in their order.
        exchange.untried = sorted(self._records.values(), key=lambda r: r.avoided_until > now.monotonic)
        first = exchange.untried[0]
        if first.avoided_until:
            first.avoided_until = (
                now.monotonic + AVOID_SECONDS
            )  # this one finds out; the others need not wait
        yield from self._ask_next_server(exchange, now)

    def _ask_next_server(self, exchange: _Exchange, now: Now) -> Iterator[Effect]:
        record = exchange.record = exchange.untried.pop(0)
        exchange.identifier = record.take_identifier(exchange.number)
        exchange.authenticator = now.entropy(AUTHENTICATOR_SIZE)
        exchange.datagram = encode_request(
            self._request(exchange.credential),
            identifier=exchange.identifier,
            authenticator=exchange.authenticator,
            secret=record.server.secret,
        )
        exchange.tries = 0
        exchange.complaint = exchange.unreachable = ""
        yield from self._transmit(exchange, now)

    def _request(self, credential: MacCredential) -> Request:
        nas = Nas(identifier=self._settings.nas_identifier, address=self._settings.nas_address)
        return mac_request(credential.mac, credential.port, nas, self._settings.mac_format)

    def _transmit(self, exchange: _Exchange, now: Now) -> Iterator[Effect]:
        """The first packet or a retransmission, which is the same octets again (AA6, RFC 5080 2.2.1)."""
        jitter = 1 + JITTER * (2 * now.random_fraction() - 1)
        exchange.wait = (
            self._settings.timeout * jitter if exchange.tries == 0 else exchange.wait * (1 + jitter)
        )
        exchange.tries += 1
        exchange.deadline = now.monotonic + exchange.wait
        yield Transmit(exchange.datagram, exchange.record.endpoint)
        details: dict[str, Detail] = {"server": str(exchange.record.endpoint), "try": exchange.tries}
        yield Observe(_observation("radius-request-sent", exchange, details=details))

    def _decode(self, exchange: _Exchange, datagram: bytes) -> Answer:
        return decode_answer(
            datagram,
            identifier=exchange.identifier,
            request_authenticator=exchange.authenticator,
            secret=exchange.record.server.secret,
        )

    def _conclude(self, exchange: _Exchange, answer: Answer, now: Now) -> Iterator[Effect]:
        record = exchange.record
        record.answered(signed=answer.signed)
        automatic = record.server.require_message_authenticator is RequireSignature.AUTO
        if automatic and not answer.signed and not record.warned:
            record.warned = True
            cause = (
                f"{record.endpoint} does not sign its answers with Message-Authenticator, so that they can be"
                " forged (CVE-2024-3596); make it sign them"
            )
            yield Observe(_observation("radius-server-unsigned", exchange, cause=cause, reason="unsigned"))
        verdict = verdict_of(
            answer,
            SaltCipher(record.server.secret, exchange.authenticator),
            user_name=self._settings.mac_format.write(exchange.credential.mac),
            rules=self._settings.rules,
        )
        details: dict[str, Detail] = {
            "server": str(record.endpoint),
            "code": answer.code.label,
            "seconds": round(now.monotonic - exchange.started, 6),
        }
        yield Observe(_observation("radius-answer", exchange, details=details))
        yield from self._finish(exchange, verdict, now)

    def _give_up(self, exchange: _Exchange, now: Now) -> Iterator[Effect]:
        """This server gave no usable answer: on to the next one, or the end."""
        record = exchange.record
        record.avoided_until = now.monotonic + AVOID_SECONDS
        cause = f"{record.endpoint}: {exchange.complaint or exchange.unreachable or self._silence()}"
        exchange.causes.append(cause)
        details: dict[str, Detail] = {"server": str(record.endpoint)}
        yield Observe(
            _observation("radius-no-answer", exchange, cause=cause, reason="no-answer", details=details)
        )
        if not exchange.untried:
            yield from self._finish(exchange, Unavailable("; ".join(exchange.causes)), now)
            return
        del record.outstanding[exchange.identifier]
        yield from self._ask_next_server(exchange, now)

    def _silence(self) -> str:
        tries = self._settings.tries
        return (
            f"no answer in {tries} {'try' if tries == 1 else 'tries'} - the server is down, or drops requests of"
            " an unknown client or with a wrong shared secret"
        )

    def _finish(self, exchange: _Exchange, verdict: Verdict, now: Now) -> Iterator[Effect]:
        del exchange.record.outstanding[exchange.identifier]
        del self._asking[exchange.number]
        yield Finished(exchange.number, verdict)
        if self._waiting:
            yield from self._ask(self._waiting.popleft(), now)


def _complaint(error: WireError) -> str:
    if isinstance(error, NotVerified):
        return "answer does not verify - is the shared secret the same on both sides?"
    return f"answer cannot be decoded: {error}"


def _observation(
    name: str,
    exchange: _Exchange,
    *,
    cause: str = "",
    reason: str = "",
    details: dict[str, Detail] | None = None,
) -> Observation:
    return Observation(
        name=name,
        session=exchange.session,
        cause=cause,
        reason=reason,
        details={} if details is None else details,
    )


def _discarded(exchange: _Exchange | None, source: Endpoint, reason: str, cause: str) -> Observe:
    return Observe(
        Observation(
            name="radius-answer-discarded",
            session="" if exchange is None else exchange.session,
            cause=f"{source}: {cause}",
            reason=reason,
            details={"server": str(source)},
        )
    )
