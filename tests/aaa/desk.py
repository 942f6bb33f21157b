"""A server for dynamic authorization on a workbench, and what clients write to it."""

import random
import struct
from collections.abc import Iterable, Mapping
from hashlib import md5

from pmip_tw.aaa.dynamic_authorization import SessionIdentity
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.authorization_server import Ask, AuthorizationPolicy, AuthorizationServer, Reply
from pmip_tw.aaa.radius.demands import ChangeOf, Disconnect, Reauthorize
from pmip_tw.addresses import Endpoint, Ipv4, ipv4, mac
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.mobility.observations import Observation
from pmip_tw.secret import Secret
from pmip_tw.testing.clock import START_WALL
from pmip_tw.testing.sessions import FakeSessions
from pmip_tw.wire.radius import (
    Answer,
    Attribute,
    Attributes,
    AttributeType,
    Code,
    Request,
    decode_answer,
    encode_request,
    number,
    text,
)

SECRET = Secret(b"what the AAA server knows")
OTHER_SECRET = Secret(b"what the other one knows")
CLIENT = Endpoint(ipv4("198.51.100.53"), 40001)
OTHER_CLIENT = Endpoint(ipv4("198.51.100.54"), 40001)
STRANGER = Endpoint(ipv4("198.51.100.66"), 40001)
NAS = Nas(identifier="mag1.example.net", address=ipv4("198.51.100.10"))

MN1 = SessionIdentity(
    nai="mn1@example.net",
    mac=mac("02:00:00:00:00:01"),
    home_address=ipv4("10.1.0.2"),
    port="acc0",
    accounting_session="5f01",
)
MN2 = SessionIdentity(
    nai="mn2@example.net", mac=mac("02:00:00:00:00:02"), home_address=ipv4("10.1.0.3"), port="acc0"
)

_SIGNED = 38
"""Where attributes begin behind a Message-Authenticator."""

WHO = text(AttributeType.USER_NAME, "mn1@example.net")


def proxy_state(value: bytes) -> Attribute:
    return (AttributeType.PROXY_STATE.value, value)


def state(value: bytes = b"\x00state") -> Attribute:
    return (AttributeType.STATE.value, value)


class Desk:
    """The server, its sessions, and a clock. ``answer`` holds what was sent to whom, ``observations`` what was told.

    ``proven``: what was heard last.
    """

    def __init__(
        self,
        sessions: Mapping[str, SessionIdentity] | None = None,
        *,
        held: bool = False,
        clients: Mapping[Ipv4, Secret] | None = None,
        **policy: object,
    ) -> None:
        self.time = 1000.0
        self.wall_offset = START_WALL - 1000.0
        self.entropy = random.Random(1).randbytes
        self.sessions = FakeSessions(
            sessions if sessions is not None else {"mn1": MN1, "mn2": MN2}, filters=["guests"], held=held
        )
        clients = clients or {CLIENT.address: SECRET, OTHER_CLIENT.address: OTHER_SECRET}
        self.policy = AuthorizationPolicy(clients=clients, nas=NAS, **policy)  # type: ignore[arg-type]
        self.server = AuthorizationServer(self.policy, self.now())
        self.time += self.policy.ahead  # it is heard from then on
        self.sent: list[tuple[bytes, Endpoint]] = []
        self.observations: list[Observation] = []
        self.proven = False

    def now(self) -> Now:
        return Now(self.time, self.time + self.wall_offset, self.entropy)

    def written(
        self,
        code: Code,
        *pairs: Attribute,
        secret: Secret = SECRET,
        identifier: int = 7,
        at: float | None = 0.0,
        signed: bool = True,
    ) -> bytes:
        """A request as a client of ``secret`` writes it; ``at``: seconds from now, None: it does not say when."""
        timed = () if at is None else (number(AttributeType.EVENT_TIMESTAMP, int(self.now().wall + at)),)
        request = Request(code=code, attributes=Attributes((*pairs, *timed)))
        written = encode_request(request, identifier=identifier, authenticator=bytes(16), secret=secret)
        return written if signed else authenticated(written[:20] + written[_SIGNED:], secret)

    def disconnect(self, *pairs: Attribute, **more: object) -> bytes:
        return self.written(Code.DISCONNECT_REQUEST, *pairs, **more)  # type: ignore[arg-type]

    def change(self, *pairs: Attribute, **more: object) -> bytes:
        return self.written(Code.COA_REQUEST, *pairs, **more)  # type: ignore[arg-type]

    def hear(self, payload: bytes, source: Endpoint = CLIENT) -> bytes | None:
        """What is answered at once, if anything is."""
        before = len(self.sent)
        received = self.server.datagram_received(payload, source, self.now())
        self.proven = received.proven
        self._run(received.effects)
        return self.sent[-1][0] if len(self.sent) > before else None

    def ask(
        self, payload: bytes, source: Endpoint = CLIENT, secret: Secret = SECRET
    ) -> tuple[Code, Attributes]:
        """Code and attributes of the answer, which there must be, and which is proven."""
        answer = self.hear(payload, source)
        assert answer is not None, f"no answer: {self.observations[-1:]}"
        read = self.read(answer, payload, secret)
        return read.code, read.attributes

    def read(self, answer: bytes, payload: bytes, secret: Secret = SECRET) -> Answer:
        return decode_answer(
            answer,
            identifier=payload[1],
            request_authenticator=payload[4:20],
            secret=secret,
            request_code=Code(payload[0]),
        )

    def reasons(self) -> list[str]:
        """Of what went wrong, in order."""
        return [one.reason for one in self.observations if one.reason]

    def _run(self, effects: Iterable[object]) -> None:
        for effect in effects:
            match effect:
                case Observe():
                    self.observations.append(effect.observation)
                case ObserveAlike():
                    self.observations += effect.observations
                case Reply():
                    self.sent.append((effect.datagram, effect.destination))
                case Ask():
                    self._ask(effect)

    def _ask(self, ask: Ask) -> None:
        match ask.demand:
            case Disconnect(selection):
                outcome = self.sessions.disconnect(selection)
            case ChangeOf(selection, change):
                outcome = self.sessions.change(selection, change)
            case Reauthorize(selection, kept):
                outcome = self.sessions.reauthorize(selection, kept)
        outcome.addCallback(lambda told: self._run(self.server.answered(ask.number, told)))


def authenticated(octets: bytes, secret: Secret) -> bytes:
    """With the length and the authenticator that ``octets`` should have."""
    head = octets[:2] + len(octets).to_bytes(2, "big")
    return head + md5(head + bytes(16) + octets[20:] + secret.reveal()).digest() + octets[20:]


def error_cause(attributes: Attributes) -> int:
    """0: none."""
    value = attributes.first(AttributeType.ERROR_CAUSE)
    return 0 if value is None else struct.unpack("!L", value)[0]
