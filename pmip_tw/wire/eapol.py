"""EAP over LAN (IEEE 802.1X-2010 11.3)."""

from struct import Struct
from typing import Final

import attrs

from pmip_tw.addresses import Mac
from pmip_tw.errors import Truncated
from pmip_tw.wire.eap import Eap, EapCode
from pmip_tw.wire.ethernet import ETHERTYPE_EAPOL, ethernet_frame

PAE_GROUP: Final = Mac(bytes.fromhex("0180c2000003"))
"""To whom EAPOL goes that is for nobody in particular; bridges do not pass it on (IEEE 802.1X-2010 11.1.1)."""

EAP_PACKET: Final = 0
START: Final = 1
LOGOFF: Final = 2
KEY: Final = 3

_HEADER = Struct("!BBH")
_VERSION: Final = 2
"""IEEE 802.1X-2004: what later versions add is not for us, and supplicants of all versions take it (11.3.1)."""


@attrs.frozen(slots=True, kw_only=True)
class Eapol:
    """One packet data unit: ``kind`` is EAP_PACKET, START, LOGOFF or what we have no use for, ``body`` without padding.

    The version is not kept: a receiver takes any, and reads what it knows (IEEE 802.1X-2010 11.5).
    """

    kind: int
    body: bytes = attrs.field(default=b"", repr=False)

    @classmethod
    def decode(cls, payload: bytes) -> "Eapol":
        """From a frame's payload. Truncated: it ends before its own length does."""
        if len(payload) < _HEADER.size:
            raise Truncated("an EAPOL header has 4 octets", len(payload))
        _, kind, length = _HEADER.unpack_from(payload)
        end = _HEADER.size + length
        if len(payload) < end:
            raise Truncated(f"the EAPOL body says that it has {length} octets", len(payload))
        return cls(kind=kind, body=payload[_HEADER.size : end])

    def encode(self) -> bytes:
        return _HEADER.pack(_VERSION, self.kind, len(self.body)) + self.body


def eapol_frame(station: Mac, authenticator: Mac, eap: bytes) -> bytes:
    """The frame that brings an EAP packet to ``station``, or to whoever listens on ``PAE_GROUP``."""
    payload = Eapol(kind=EAP_PACKET, body=eap).encode()
    return ethernet_frame(station, authenticator, ETHERTYPE_EAPOL, payload)


def eap_failure(station: Mac, authenticator: Mac, identifier: int = 0) -> bytes:
    """The frame that tells ``station`` that its access has ended; it may begin anew (RFC 3748 4.2)."""
    return eapol_frame(station, authenticator, Eap(code=EapCode.FAILURE, identifier=identifier).encode())
