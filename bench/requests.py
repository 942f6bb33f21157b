"""Registration requests as a MAG of this package sends them unless configured otherwise, signed before they are needed.

The product's encoder writes one; all others are that one with the fields that differ put into their places, which
is many times faster and leaves the generator nothing to do but sending.
"""

import time
from collections.abc import Iterable
from itertools import count
from struct import Struct

from bench.nodes import AUTHENTICATOR, SPI, key, nai, node_in, sign
from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation, RevocationAck

LIFETIME = 1800
REGISTRATION_REPLY, REVOCATION = 3, 7

_FIXED = Struct("!BBHIIIQ")
_NTP_EPOCH = 2_208_988_800
_AHEAD = 2
"""Seconds that an Identification is ahead of the clock: it is sent a little after it was signed."""

_MARK = 0x01020304
_ACKNOWLEDGMENT = bytes((15, 0, 0, 0))
_NAI_HEADER = bytes((131, len(nai(0))))
_MN_HA_HEADER = bytes((32, 4 + AUTHENTICATOR)) + SPI.to_bytes(4, "big")
_sequence = count(1)
"""The low half of Identifications: no two requests of a run have the same."""


class Requests:
    """Of nodes to the home agent at ``home_agent``."""

    def __init__(self, home_agent: Ipv4) -> None:
        self._home_agent = home_agent
        sample = RegistrationRequest(
            flags=REVERSE_TUNNEL | COLOCATED,
            lifetime=LIFETIME,
            home_agent=home_agent,
            care_of_address=Ipv4(1),
            identification=1,
            nai=nai(0),
            access_technology=1,
            udp_tunnel=UdpTunnelRequest(),
            revocation=RevocationSupport(_MARK, inform=False),
        ).encode(mn_ha=_association(0))
        behind_nai = _FIXED.size + 2 + len(nai(0))
        self._before_nai = sample[_FIXED.size : _FIXED.size + 2]
        self._before_mark, self._behind_mark = sample[behind_nai:-AUTHENTICATOR].split(
            _MARK.to_bytes(4, "big")
        )
        self.size = len(sample)

    def signed(
        self,
        node: int,
        care_of_address: int,
        *,
        home_address: int = 0,
        lifetime: int = LIFETIME,
        wall: float,
    ) -> bytes:
        """One; ``wall``: the time now."""
        seconds = int(wall)
        fixed = _FIXED.pack(
            1,
            REVERSE_TUNNEL | COLOCATED,
            lifetime,
            home_address,
            self._home_agent,
            care_of_address,
            seconds + _NTP_EPOCH + _AHEAD << 32 | next(_sequence) & 0xFFFFFFFF,
        )
        return sign(
            node,
            b"".join(
                (
                    fixed,
                    self._before_nai,
                    nai(node),
                    self._before_mark,
                    seconds.to_bytes(4, "big"),
                    self._behind_mark,
                )
            ),
        )

    def check(self) -> None:
        """AssertionError: what is signed here is not what the product's own encoder would write."""
        written = self.signed(7, 9, home_address=5, wall=time.time())
        request = RegistrationRequest.decode(written)
        assert request.encode(mn_ha=_association(7)) == written
        assert (request.nai, request.care_of_address, request.home_address) == (nai(7), 9, 5)
        told = Revocation(
            from_home_agent=True,
            nai=nai(7),
            home_address=Ipv4(5),
            home_domain=Ipv4(6),
            foreign_domain=Ipv4(9),
            identifier=8,
        )
        ack = RevocationAck(nai=nai(7), home_address=Ipv4(5), identifier=8)
        assert acknowledgment(told.encode(mn_ha=_association(7))) == ack.encode(mn_ha=_association(7))


def numbered(request: bytes, number: int) -> list[bytes]:
    """So many like ``request``, which only their Identifications tell apart: for a server that does not read them."""
    before, behind = request[:20], request[24:]
    return [b"".join((before, place.to_bytes(4, "big"), behind)) for place in range(number)]


def forged(request: bytes) -> bytes:
    """The same with a wrong authenticator."""
    return request[:-1] + bytes((request[-1] ^ 1,))


def acknowledgment(revocation: bytes) -> bytes:
    """What a MAG answers to a revocation of the home agent (RFC 3543 4.4): the address, the identifier, the NAI."""
    node = node_in(revocation)
    fixed = _ACKNOWLEDGMENT + revocation[4:8] + revocation[16:20]
    return sign(node, b"".join((fixed, _NAI_HEADER, nai(node), _MN_HA_HEADER)))


def accepted(replies: Iterable[bytes]) -> int:
    """How many of them are registration replies with code 0 or 1."""
    return sum(reply[0] == REGISTRATION_REPLY and reply[1] <= 1 for reply in replies)


def home_address_in(reply: bytes) -> int:
    return RegistrationReply.decode(reply).home_address


def identification_in(message: bytes) -> int:
    """The low half, by which a reply finds its request; of an echoed request as well."""
    at = 16 if message[0] == 1 else 12
    return int.from_bytes(message[at + 4 : at + 8], "big")


def _association(node: int) -> SecurityAssociation:
    return SecurityAssociation(SPI, Secret(key(node)))
