"""802.1X and RADIUS in a capture: what was said, as far as everybody may hear it."""

from typing import Final

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.errors import WireError
from pmip_tw.lab.datagrams import Datagram
from pmip_tw.lab.messages import Kind, Message
from pmip_tw.lab.pcapng import Packet
from pmip_tw.wire.eap import Eap, EapCode
from pmip_tw.wire.eapol import EAP_PACKET, LOGOFF, START, Eapol
from pmip_tw.wire.radius import Attributes, AttributeType, Code

_ETHERNET: Final = 14
_HEADER: Final = 20
_NOWHERE: Final = Endpoint(Ipv4(0), 0)
"""802.1X knows no IPv4 addresses."""

_LABELS: Final = {
    Code.ACCESS_REQUEST: "Access-Request",
    Code.ACCESS_ACCEPT: "Access-Accept",
    Code.ACCESS_REJECT: "Access-Reject",
    Code.ACCESS_CHALLENGE: "Challenge",
    Code.ACCOUNTING_REQUEST: "Acct",
    Code.ACCOUNTING_RESPONSE: "Acct Response",
    Code.STATUS_SERVER: "Status-Server",
    Code.DISCONNECT_REQUEST: "Disconnect-Req",
    Code.DISCONNECT_ACK: "Disconnect-ACK",
    Code.DISCONNECT_NAK: "Disconnect-NAK",
    Code.COA_REQUEST: "CoA-Request",
    Code.COA_ACK: "CoA-ACK",
    Code.COA_NAK: "CoA-NAK",
}
_STATUS: Final = {1: "Start", 2: "Stop", 3: "Interim", 7: "On", 8: "Off"}
"""Acct-Status-Type (RFC 2866 5.1)."""

_EAP: Final = {
    EapCode.REQUEST: ("eap-request", "EAP-Req"),
    EapCode.RESPONSE: ("eap-response", "EAP-Resp"),
    EapCode.SUCCESS: ("eap-success", "EAP-Success"),
    EapCode.FAILURE: ("eap-failure", "EAP-Failure"),
}
_IDENTITY: Final = "identity"

FROM_NODE: Final = frozenset({"eapol-start", "eapol-logoff", "eap-response"})
"""Names of what only a supplicant says."""


def radius_message(datagram: Datagram) -> Message | None:
    """None for what RADIUS does not know."""
    payload = datagram.payload
    if len(payload) < _HEADER or payload[0] not in _LABELS:
        return None
    code = Code(payload[0])
    attributes = _attributes(payload)
    label = _LABELS[code]
    if code is Code.ACCOUNTING_REQUEST:
        status = int.from_bytes(attributes.first(AttributeType.ACCT_STATUS_TYPE) or b"", "big")
        label = f"{label} {_STATUS.get(status, status)}"
    return Message(
        time_ns=datagram.packet.time_ns,
        tap=datagram.packet.tap,
        kind=Kind.RADIUS,
        name=code.label,
        source=datagram.source,
        destination=datagram.destination,
        label=label,
        note=(attributes.first(AttributeType.USER_NAME) or b"").decode(errors="replace"),
        code=code,
        identifier=payload[1],
        attributes=attributes,
        tunnelled=datagram.tunnelled,
    )


def _attributes(payload: bytes) -> Attributes:
    """As far as they are whole. Nothing is verified: whoever listens knows no secret."""
    found = []
    at = _HEADER
    while at + 2 <= len(payload) and 2 <= payload[at + 1] <= len(payload) - at:
        found.append((payload[at], payload[at + 2 : at + payload[at + 1]]))
        at += payload[at + 1]
    return Attributes(tuple(found))


def eapol_message(packet: Packet) -> Message | None:
    """What a supplicant and its authenticator said; None for what neither says, such as keys."""
    try:
        frame = Eapol.decode(packet.octets[_ETHERNET:])
        if frame.kind == START:
            return _eapol(packet, "eapol-start", "EAPOL-Start")
        if frame.kind == LOGOFF:
            return _eapol(packet, "eapol-logoff", "EAPOL-Logoff")
        if frame.kind != EAP_PACKET:
            return None
        eap = Eap.decode(frame.body)
    except WireError as error:
        return _eapol(packet, "undecodable", "EAPOL ?", kind=Kind.UNDECODABLE, note=str(error))
    name, label = _EAP[eap.code]
    if eap.method:
        label += " id" if eap.method == _IDENTITY else f" {eap.method}"
    said = eap.data.decode(errors="replace") if (name, eap.method) == ("eap-response", _IDENTITY) else ""
    return _eapol(packet, name, label, note=said, method=eap.method)


def _eapol(
    packet: Packet, name: str, label: str, *, kind: Kind = Kind.EAPOL, note: str = "", method: str = ""
) -> Message:
    return Message(
        time_ns=packet.time_ns,
        tap=packet.tap,
        kind=kind,
        name=name,
        source=_NOWHERE,
        destination=_NOWHERE,
        label=label,
        note=note,
        method=method,
    )
