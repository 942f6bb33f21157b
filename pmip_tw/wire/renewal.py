"""What a mobile node's requests have in common from one renewal to the next, so that it is read once.

Nearly every request is the one before it with another Identification, another timestamp in 137 and another
authenticator; the first one asks for any home address, the others for the one that was given. A RenewalForm says where
in the octets these are. It is made of a request that the decoder has read, and remembers only that; whatever differs in
any other octet is read as a whole.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from struct import Struct

from pmip_tw.addresses import Ipv4
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.extension_fields import ACCESS_TECHNOLOGY
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelReply
from pmip_tw.wire.extensions import MN_HA, NAI, PROXY_SKIPPABLE, REVOCATION_SUPPORT, UDP_TUNNEL_REQUEST

_IDENTIFICATION = Struct("!Q")
_TIMESTAMP = _SPI = _ADDRESS = Struct("!I")
_REPLY = Struct("!BBHII")
"""A registration reply up to the Identification (RFC 5944 3.4)."""

_REPLY_TYPE = int(MessageType.REGISTRATION_REPLY)

_AT = 16
_BEHIND = 24
"""Where the Identification of a request begins, and what follows it."""

_NAI = 26
"""Where the NAI begins, if it is the first extension."""

_ANY_HOME_ADDRESS = bytes(4)

_TECHNOLOGY = bytes((PROXY_SKIPPABLE, 2, ACCESS_TECHNOLOGY))
"""Extension 147/4 but for its last octet."""

_UDP_TUNNEL = bytes((UDP_TUNNEL_REQUEST, 6, 0))
"""Extension 144 up to its flags."""

_SUPPORT = (bytes((REVOCATION_SUPPORT, 6, 0, 0)), bytes((REVOCATION_SUPPORT, 6, 0x80, 0)))
"""Extension 137 up to its timestamp, without and with the I bit."""


def leading_nai(datagram: bytes) -> bytes:
    """The NAI of a registration request in which it is the first extension; b"" if it is not."""
    if len(datagram) > _BEHIND + 2 and datagram[_BEHIND] == NAI:
        return datagram[_BEHIND + 2 : _BEHIND + 2 + datagram[_BEHIND + 1]]
    return b""


def care_of_address(datagram: bytes) -> Ipv4:
    """That of a registration request; 0 if it ends before."""
    return Ipv4(int.from_bytes(datagram[12:_AT], "big"))


def identification_of(datagram: bytes) -> int:
    """That of a registration request, which the decoder has read."""
    found: int = _IDENTIFICATION.unpack_from(datagram, _AT)[0]
    return found


Words = tuple[bytes, bytes, bytes, bytes, bytes]
"""Of a request: type, flags and lifetime, home agent and care-of address, the extensions but for the NAI's octets."""

Own = tuple[bytes, Ipv4, int, int, bytes]
"""Of a request: NAI, home address, Identification, SPI and authenticator."""


def latest_identification(datagrams: Iterable[bytes]) -> int:
    """Of registration requests that were made at about the same time."""
    return int.from_bytes(max(datagram[_AT:_BEHIND] for datagram in datagrams), "big")


def shape_of(datagram: bytes) -> tuple[int, int]:
    """What requests of one form have in common, and those of others usually have not: octets in all, and of the NAI."""
    return len(datagram), datagram[_NAI - 1] if len(datagram) >= _NAI else 0


Layout = tuple[int, int, int, int, int]
"""Of a request: octets in all, where the NAI ends, where the timestamp of 137 is, or 0, and MN-HA, what that covers."""


class RenewalForm:
    """Of requests of ``size`` octets: the NAI, perhaps 147/4, 144 and 137, and MN-HA; see ``form_of``.

    ``covered``: the octets that MN-HA authenticates. ``timestamp_at``: where the timestamp of 137 is, 0 without one.
    """

    __slots__ = ("_framed", "_mn_ha_at", "_nai_ends", "_parts", "_request", "covered", "size", "timestamp_at")

    def __init__(self, size: int, nai_ends: int, timestamp_at: int, mn_ha_at: int, covered: int) -> None:
        self.size = size
        self.covered = covered
        self.timestamp_at = timestamp_at
        self._nai_ends = nai_ends
        self._mn_ha_at = mn_ha_at
        asked, timestamp = (timestamp_at - _BEHIND, 4) if timestamp_at else (mn_ha_at - _BEHIND, 0)
        self._request = Struct(
            f"!{_AT}sQ{asked}s{timestamp}x{covered - mn_ha_at}s{size - covered}s",
        ).unpack
        behind_nai = asked - (nai_ends - _BEHIND)
        self._parts = Struct(
            f"!4sI8sQ2s{nai_ends - _NAI}s{behind_nai}s{timestamp}x2sI{size - covered}s",
        ).unpack
        self._framed = Struct(
            f"!8x4s{_BEHIND - 12}x2s{nai_ends - _NAI}s{behind_nai}s{timestamp}x2sI{size - covered}x",
        ).iter_unpack

    def asked_again(
        self, former: bytes, datagram: bytes, home_address: Ipv4
    ) -> tuple[int, int, bytes] | None:
        """The Identifications of ``former`` and of ``datagram`` and the latter's authenticator, if it is the former, of
        this form, once more.

        None: it asks for something else; what may differ besides is the ``timestamp``. It may ask for any home address
        where ``home_address`` is what the node has, and the other way round.
        """
        if len(datagram) != self.size:
            return None
        head, identification, asked, mn_ha, authenticator = self._request(datagram)
        former_head, last, asked_before, mn_ha_before, _ = self._request(former)
        if (
            asked != asked_before
            or mn_ha != mn_ha_before
            or (head != former_head and not _is_at_home(head, former_head, home_address))
        ):
            return None
        return last, identification, authenticator

    def apart(self, datagram: bytes) -> tuple[Words, Own]:
        """``datagram``, of this form, as what requests for other nodes have in common with it if they ask for the same,
        and what is its own. A timestamp is neither.
        """
        head, home_address, agents, identification, name, nai, asked, mn_ha, spi, authenticator = self._parts(
            datagram
        )
        return (head, agents, name, asked, mn_ha), (nai, home_address, identification, spi, authenticator)

    def framed(self, datagrams: Iterable[bytes]) -> Iterator[tuple[bytes, bytes, bytes, bytes, bytes, int]]:
        """Of each of some ``datagrams`` of its size: home agent, the NAI's header, NAI, what is behind it but for a
        timestamp, the header of MN-HA, and SPI. All but NAI and SPI tell whether it is of this form.
        """
        return self._framed(b"".join(datagrams))

    def home_agent(self, datagram: bytes) -> int:
        """Which one is asked."""
        found: int = _ADDRESS.unpack_from(datagram, 8)[0]
        return found

    def spi(self, datagram: bytes) -> int:
        """That of MN-HA."""
        found: int = _SPI.unpack_from(datagram, self._mn_ha_at + 2)[0]
        return found

    def name_and_proof(self, datagram: bytes) -> bytes:
        """Its NAI and its MN-HA up to the authenticator: what follows the fixed part of a revocation for the node."""
        return datagram[_BEHIND : self._nai_ends] + datagram[self._mn_ha_at : self.covered]

    def timestamp(self, datagram: bytes) -> int:
        """That of 137, which there must be."""
        found: int = _TIMESTAMP.unpack_from(datagram, self.timestamp_at)[0]
        return found

    def acceptance(
        self,
        datagram: bytes,
        code: int,
        lifetime: int,
        home_address: Ipv4,
        home_agent: Ipv4,
        said: bytes,
    ) -> bytes:
        """The reply that accepts ``datagram``, up to and including the SPI of MN-HA; ``said``: see ``said_of``.

        The octets are those of RegistrationReply.encode. Identification and NAI go back as they stand.
        """
        head = _REPLY.pack(_REPLY_TYPE, code, lifetime, home_address, home_agent)
        return head + datagram[_AT : self._nai_ends] + said + datagram[self._mn_ha_at : self.covered]


@lru_cache(maxsize=256)
def said_of(udp_tunnel: UdpTunnelReply | None, own_timestamp: int | None, inform: bool) -> bytes:
    """What a reply says of the tunnel and of revocation: 137 unless there is no timestamp.

    It is the same for most of those of one second.
    """
    tunnel = b"" if udp_tunnel is None else udp_tunnel.encode()
    return tunnel if own_timestamp is None else tunnel + RevocationSupport(own_timestamp, inform).encode()


def _is_at_home(head: bytes, former: bytes, home_address: Ipv4) -> bool:
    """Whether the two begin alike but for home addresses, which are any or ``home_address``."""
    either = (_ANY_HOME_ADDRESS, home_address.to_bytes(4, "big"))
    return head[:4] == former[:4] and head[8:] == former[8:] and head[4:8] in either and former[4:8] in either


def form_of(datagram: bytes) -> RenewalForm | None:
    """The form of a request, or of any octets; None: there is anything out of the ordinary."""
    layout = layout_of(datagram)
    return None if layout is None else form_in(*layout)


def layout_of(datagram: bytes) -> Layout | None:
    """What ``form_in`` makes a form of. Of it alone nothing is kept, as long as nobody has proven ``datagram``."""
    size = len(datagram)
    nai_ends = at = _BEHIND + 2 + datagram[_BEHIND + 1] if size > _BEHIND + 2 else size
    if datagram[at : at + 3] == _TECHNOLOGY:
        at += 4
    if datagram[at : at + 3] == _UDP_TUNNEL:
        at += 8
    timestamp_at = 0
    if datagram[at : at + 4] in _SUPPORT:
        timestamp_at = at + 4
        at += 8
    covered = at + 6
    if covered >= size or nai_ends == _NAI or datagram[_BEHIND] != NAI or datagram[at] != MN_HA:
        return None
    if at + 2 + datagram[at + 1] != size:
        return None
    return size, nai_ends, timestamp_at, at, covered


@lru_cache(maxsize=4096)
def form_in(size: int, nai_ends: int, timestamp_at: int, mn_ha_at: int, covered: int) -> RenewalForm:
    """One form for all nodes whose requests are laid out alike."""
    return RenewalForm(size, nai_ends, timestamp_at, mn_ha_at, covered)
