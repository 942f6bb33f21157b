"""EAP over LAN, as far as ending a session needs it (IEEE 802.1X-2010 11.3; RFC 3748 4.2)."""

from struct import Struct
from typing import Final

from pmip_tw.addresses import Mac
from pmip_tw.wire.ethernet import ethernet_frame

ETHERTYPE_EAPOL: Final = 0x888E

_FRAME = Struct("!BBHBBH")
_VERSION, _EAP_PACKET, _EAP_FAILURE = 2, 0, 4
_EAP_LENGTH = 4


def eap_failure(station: Mac, authenticator: Mac, identifier: int = 0) -> bytes:
    """The frame that tells ``station`` that its access has ended; it may begin anew."""
    payload = _FRAME.pack(_VERSION, _EAP_PACKET, _EAP_LENGTH, _EAP_FAILURE, identifier, _EAP_LENGTH)
    return ethernet_frame(station, authenticator, ETHERTYPE_EAPOL, payload)
