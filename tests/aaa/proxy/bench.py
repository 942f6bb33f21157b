"""One RADIUS proxy on a workbench: access points before it, servers behind it that say what the test tells them."""

from collections.abc import Iterable
from typing import TypeVar

from pmip_tw.aaa.eap_authentication import eap_verdict
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.profiles.radius_mapping import verdict_of
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.proxy.access_points import AccessPoint, ProxySettings
from pmip_tw.aaa.proxy.effects import Ask, Effect, Reply
from pmip_tw.aaa.proxy.machine import RadiusProxy
from pmip_tw.aaa.radius.outcome import AUTHENTICATION, Answered, Unanswered
from pmip_tw.aaa.verdicts import Verdict
from pmip_tw.addresses import Endpoint, Mac, ipv4, mac, mac_text
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.mobility.observations import Observation
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.secret import Secret
from pmip_tw.testing.clock import START_WALL
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
from pmip_tw.wire.salt_cipher import SaltCipher

LMA = ipv4("192.0.2.1")
NAS = Nas(identifier="mag1.example.net", address=ipv4("198.51.100.10"))
SERVER, OTHER_SERVER = (Endpoint(ipv4(f"198.51.100.{n}"), 1812) for n in (53, 54))
FIRST, SECOND = ipv4("10.77.0.2"), ipv4("10.77.0.3")
STRANGER = ipv4("10.77.0.9")
SECRET, SECOND_SECRET = Secret(b"of the first access point"), Secret(b"of the second")
SERVER_SECRET = Secret(b"of the server")
STATION, OTHER_STATION = mac("02:00:00:00:00:01"), mac("02:00:00:00:00:02")
KEY = AccessKey("eth1", STATION)
MN_HA = Secret(b"0123456789abcdef")
SEND_KEY, RECEIVE_KEY = Secret(bytes(range(32))), Secret(bytes(range(32, 64)))
PROFILE = Profile(
    nai="mn1@example.net", lmas=(LMA,), mn_ha=SecurityAssociation(4096, MN_HA), session_timeout=3600
)
RESPONSE, SUCCESS = b"\2\7\0\6\4\0", b"\3\7\0\4"
"""EAP: a node's last response, and what it hears then."""

EffectT = TypeVar("EffectT")


class Bench:
    """``sent``: by access point and port, what the proxy sends; ``asked``: what it asks servers. ``proven``: what was
    heard last.
    """

    def __init__(
        self, *, forward_accounting: bool = False, as_access_point: bool = False, **access_point: object
    ) -> None:
        self.at = 1000.0
        self._drawn = 0
        points = [
            AccessPoint(address=FIRST, secret=SECRET, port="eth1", disconnect_port=3799),
            AccessPoint(address=SECOND, secret=SECOND_SECRET, port="eth1"),
        ]
        if access_point:
            points[0] = AccessPoint(address=FIRST, secret=SECRET, port="eth1", **access_point)  # type: ignore[arg-type]
        settings = ProxySettings(
            access_points=tuple(points),
            nas=NAS,
            as_access_point=as_access_point,
            forward_accounting=forward_accounting,
        )
        self.proxy = RadiusProxy(settings, _read, self.now)
        self.asked: list[Ask] = []
        self.proven = False

    @property
    def now(self) -> Now:
        return Now(self.at, START_WALL + self.at - 1000.0, self._entropy)

    def _entropy(self, count: int) -> bytes:
        """Never the same twice."""
        self._drawn += 1
        return (self._drawn.to_bytes(4, "big") * count)[:count]

    def hear(self, datagram: bytes, source: Endpoint, group: str = AUTHENTICATION) -> list[Effect]:
        received = self.proxy.datagram_received(datagram, source, group, self.now)
        self.proven = received.proven
        return self._take(received.effects)

    def accept(self, *more: Attribute, ask: Ask | None = None, server: Endpoint = SERVER) -> list[Effect]:
        return self.say(Code.ACCESS_ACCEPT, *more, ask=ask, server=server, cipher=None)

    def say(
        self,
        code: Code,
        *attributes: Attribute,
        ask: Ask | None = None,
        server: Endpoint = SERVER,
        cipher: SaltCipher | None = None,
    ) -> list[Effect]:
        """The server's answer to ``ask``, the last one if it is not said."""
        ask = ask or self.asked[-1]
        answer = Answer(code=code, identifier=1, attributes=Attributes(attributes), signed=True)
        outcome = Answered(answer=answer, cipher=cipher or CIPHER, server=server)
        return self._take(self.proxy.answered(ask.exchange, outcome, self.now))

    def silence(self, ask: Ask | None = None) -> list[Effect]:
        ask = ask or self.asked[-1]
        return self._take(self.proxy.answered(ask.exchange, Unanswered("nobody answers"), self.now))

    def _take(self, effects: list[Effect]) -> list[Effect]:
        self.asked += only(Ask, effects)
        return effects


CIPHER = SaltCipher(SERVER_SECRET, bytes(16))
"""Between the MAG and its server."""


class Ap:
    """An access point: writes requests, and believes answers only if they verify. ``request``: its last one."""

    def __init__(self, address: int = FIRST, secret: Secret = SECRET, port: int = 40000) -> None:
        self.source = Endpoint(address, port)  # type: ignore[arg-type]
        self.secret = secret
        self.request = b""
        self._count = 0

    def ask(
        self,
        *attributes: Attribute,
        station: Mac | None = STATION,
        eap: bytes = RESPONSE,
        session: str = "5E55",
        code: Code = Code.ACCESS_REQUEST,
        password: Secret | None = None,
    ) -> bytes:
        given = [text(AttributeType.USER_NAME, "anonymous"), text(AttributeType.NAS_IDENTIFIER, "ap1")]
        if station is not None:
            given.append(text(AttributeType.CALLING_STATION_ID, mac_text(station, "-").upper()))
        if session:
            given.append(text(AttributeType.ACCT_SESSION_ID, session))
        if eap:
            given.append((AttributeType.EAP_MESSAGE.value, eap))
        return self._write(
            Request(code=code, attributes=Attributes([*given, *attributes]), password=password)
        )

    def account(
        self, status: int, *attributes: Attribute, station: Mac | None = STATION, session: str = "5E55"
    ) -> bytes:
        given = [number(AttributeType.ACCT_STATUS_TYPE, status), text(AttributeType.ACCT_SESSION_ID, session)]
        if station is not None:
            given.append(text(AttributeType.CALLING_STATION_ID, mac_text(station)))
        return self._write(
            Request(code=Code.ACCOUNTING_REQUEST, attributes=Attributes([*given, *attributes]))
        )

    def _write(self, request: Request) -> bytes:
        self._count += 1
        authenticator = b"%16d" % (self.source.address * 1000 + self._count)
        self.request = encode_request(
            request, identifier=self._count % 256, authenticator=authenticator[-16:], secret=self.secret
        )
        return self.request

    @property
    def cipher(self) -> SaltCipher:
        """For what is hidden in the answer to the last request."""
        return SaltCipher(self.secret, self.request[4:20])

    def read(self, effects: Iterable[Effect]) -> Answer:
        """The one answer among ``effects``, proven."""
        [reply] = only(Reply, effects)
        assert reply.destination == self.source
        return decode_answer(
            reply.datagram,
            identifier=self.request[1],
            request_authenticator=self.request[4:20],
            secret=self.secret,
            request_code=Code(self.request[0]),
            proxy_states=tuple(value for value in _states(self.request)),
        )


def unsigned(datagram: bytes) -> bytes:
    """``datagram``, an Access-Request, without the Message-Authenticator that stands first in it."""
    shorter = bytearray(datagram[:20] + datagram[38:])
    shorter[2:4] = len(shorter).to_bytes(2, "big")
    return bytes(shorter)


def profile_attributes() -> list[Attribute]:
    """What makes ``PROFILE``, as the server says it."""
    vendor = {
        (5535, 7): (LMA.to_bytes(4, "big"),),
        (5535, 57): ((4096).to_bytes(4, "big"),),
        (5535, 58): (CIPHER.encrypt(MN_HA, b"\x80\1"),),
    }
    return [
        text(AttributeType.USER_NAME, "mn1@example.net"),
        number(AttributeType.SESSION_TIMEOUT, 3600),
        *Attributes.of(vendor=vendor),
    ]


def mppe_keys() -> list[Attribute]:
    """The MSK as an access point needs it (RFC 2548 2.4.2), both in one attribute, as FreeRADIUS has it not."""
    return [
        (
            26,
            (311).to_bytes(4, "big")
            + b"".join(bytes((kind, 2 + len(value))) + value for kind, value in keys),
        )
        for keys in [
            [(16, CIPHER.encrypt(SEND_KEY, b"\x80\2")), (17, CIPHER.encrypt(RECEIVE_KEY, b"\x80\3"))]
        ]
    ]


def only(kind: type[EffectT], effects: Iterable[object]) -> list[EffectT]:
    return [effect for effect in effects if isinstance(effect, kind)]


def notes(effects: Iterable[Effect]) -> list[Observation]:
    found: list[Observation] = []
    for effect in effects:
        if isinstance(effect, Observe):
            found.append(effect.observation)
        elif isinstance(effect, ObserveAlike):
            found += effect.observations
    return found


def reasons(effects: Iterable[Effect]) -> list[str]:
    """Of what was discarded; nothing else may have happened then."""
    effects = list(effects)
    assert all(isinstance(effect, Observe | ObserveAlike) for effect in effects), effects
    return [note.reason for note in notes(effects)]


def _read(station: Mac | None, outcome: Answered) -> Verdict:
    rules = ProfileRules(default_realm="by-mac.example")
    if station is None:
        return eap_verdict(outcome, rules)
    return verdict_of(outcome.answer, outcome.cipher, user_name=mac_text(station, "-"), rules=rules)


def _states(datagram: bytes) -> Iterable[bytes]:
    offset = 20
    while offset < len(datagram):
        if datagram[offset] == AttributeType.PROXY_STATE:
            yield datagram[offset + 2 : offset + datagram[offset + 1]]
        offset += datagram[offset + 1]
