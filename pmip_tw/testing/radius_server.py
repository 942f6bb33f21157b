"""The twin of a RADIUS server: MAC authentication from a table, on a loopback UDP port, with faults on demand."""

import struct
from collections.abc import Callable, Iterable

import attrs
from twisted.internet.protocol import DatagramProtocol

from pmip_tw.aaa.dictionaries import of_3gpp2 as threegpp2
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import Ipv4
from pmip_tw.errors import WireError
from pmip_tw.secret import Secret
from pmip_tw.testing.eap_server import EapServer
from pmip_tw.wire.eap import EapCode
from pmip_tw.wire.radius import (
    Attributes,
    AttributeType,
    Code,
    ReceivedRequest,
    decode_request,
    encode_answer,
    split_value,
)
from pmip_tw.wire.salt_cipher import SaltCipher


@attrs.frozen(slots=True, kw_only=True)
class RadiusAccount:
    """What the server knows about one user. ``key``: the MN-HA key, encrypted on its way (RFC 2868 3.5)."""

    user_name: str
    nai: str
    lmas: tuple[Ipv4, ...]
    spi: int
    key: Secret
    home_address: Ipv4 = Ipv4(0xFFFFFFFE)
    session_timeout: int = 0
    classes: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, user_name: str, profile: Profile, key: Secret) -> "RadiusAccount":
        """The account that gives ``profile``, whose association keeps its ``key`` to itself."""
        assert profile.mn_ha is not None
        return cls(
            user_name=user_name,
            nai=profile.nai,
            lmas=profile.lmas,
            spi=profile.mn_ha.spi,
            key=key,
            home_address=profile.home_address or Ipv4(0xFFFFFFFE),
            session_timeout=profile.session_timeout,
            classes=profile.classes,
        )

    def attributes(self, cipher: SaltCipher, salt: bytes) -> Attributes:
        standard: dict[AttributeType, tuple[bytes, ...]] = {
            AttributeType.USER_NAME: (self.nai.encode(),),
            AttributeType.FRAMED_IP_ADDRESS: (struct.pack("!L", self.home_address),),
        }
        if self.session_timeout:
            standard[AttributeType.SESSION_TIMEOUT] = (struct.pack("!L", self.session_timeout),)
        if self.classes:
            standard[AttributeType.CLASS] = self.classes
        return Attributes.of(
            standard={number.value: values for number, values in standard.items()},
            vendor={
                threegpp2.HOME_AGENT_IP_ADDRESS.key: tuple(struct.pack("!L", lma) for lma in self.lmas),
                threegpp2.MN_HA_SPI.key: (struct.pack("!L", self.spi),),
                threegpp2.MN_HA_SHARED_KEY.key: (cipher.encrypt(self.key, salt),),
            },
        )


Decides = Callable[[ReceivedRequest], tuple[Code, Attributes] | None]


class RadiusTwin:
    """A server without a socket: a datagram in, its answer or None out.

    Faults, each an attribute that a test may set: ``silent`` answers nothing; ``signs`` false leaves
    Message-Authenticator out; ``answer_secret`` signs answers with another secret than requests are checked with;
    ``knows_status`` false ignores Status-Server (RFC 5997). As a real server does, it drops a request that its secret
    does not verify. ``requests``: every datagram but Status-Server, of which it counts ``probes``. ``decides``: what to
    say in place of MAC authentication, None: nothing. ``eap`` examines nodes that come by 802.1X, if there is one.
    """

    def __init__(self, secret: Secret, accounts: Iterable[RadiusAccount] = ()) -> None:
        self.secret = secret
        self.answer_secret = secret
        self.accounts = {account.user_name: account for account in accounts}
        self.silent = False
        self.signs = True
        self.knows_status = True
        self.requests: list[bytes] = []
        self.probes = 0
        self.decides: Decides = self._authenticate
        self.eap: EapServer | None = None
        self._salts = 0x8000

    def answer(self, datagram: bytes) -> bytes | None:
        if datagram[:1] == bytes((Code.STATUS_SERVER,)):
            self.probes += 1
        else:
            self.requests.append(datagram)
        if self.silent:
            return None
        try:
            received = decode_request(datagram, self.secret)
        except WireError:
            return None
        if received.code is Code.STATUS_SERVER:
            decision = (Code.ACCESS_ACCEPT, Attributes()) if self.knows_status else None
        elif received.code is Code.ACCOUNTING_REQUEST:
            decision = (Code.ACCOUNTING_RESPONSE, Attributes())
        else:
            decision = self.decides(received)
        if decision is None:
            return None
        code, attributes = decision
        return encode_answer(
            code,
            attributes,
            identifier=received.identifier,
            request_authenticator=received.authenticator,
            secret=self.answer_secret,
            signed=self.signs,
        )

    def _authenticate(self, received: ReceivedRequest) -> tuple[Code, Attributes]:
        name = (received.attributes.first(AttributeType.USER_NAME) or b"").decode(errors="replace")
        message = b"".join(received.attributes.all(AttributeType.EAP_MESSAGE))
        if message and self.eap is not None:
            return self._examine(self.eap, message, received)
        account = self.accounts.get(name)
        if account is None or received.password != Secret(account.user_name.encode()):
            return Code.ACCESS_REJECT, Attributes()
        return Code.ACCESS_ACCEPT, self._authorize(account, received)

    def _authorize(self, account: RadiusAccount, received: ReceivedRequest) -> Attributes:
        self._salts = 0x8000 | (self._salts + 1) & 0x7FFF
        cipher = SaltCipher(self.secret, received.authenticator)
        return account.attributes(cipher, struct.pack("!H", self._salts))

    def _examine(self, eap: EapServer, message: bytes, received: ReceivedRequest) -> tuple[Code, Attributes]:
        """Who has proven itself is authorized by the account of that name (RFC 3579 2.1)."""
        answer = eap.answer(message, received.attributes.first(AttributeType.STATE) or b"")
        said = split_value(AttributeType.EAP_MESSAGE, answer.message)
        if answer.code is EapCode.REQUEST:
            return Code.ACCESS_CHALLENGE, Attributes((*said, (int(AttributeType.STATE), answer.state)))
        named = [one for one in self.accounts.values() if one.nai.encode() == answer.identity]
        if answer.code is not EapCode.SUCCESS or not named:
            return Code.ACCESS_REJECT, Attributes(said)
        return Code.ACCESS_ACCEPT, Attributes((*said, *self._authorize(named[0], received).pairs))


class RadiusTwinProtocol(DatagramProtocol):
    """A twin behind a UDP port: ``reactor.listenUDP(0, RadiusTwinProtocol(twin), interface="127.0.0.1")``."""

    def __init__(self, twin: RadiusTwin) -> None:
        self.twin = twin

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        answer = self.twin.answer(datagram)
        if answer is not None and self.transport is not None:
            self.transport.write(answer, addr)
