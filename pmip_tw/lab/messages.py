"""The messages of a capture: which protocol, what they say, how a ladder calls them. (AAA: ``aaa_messages``.)"""

from enum import Enum

import attrs

from pmip_tw.addresses import Endpoint, ipv4_text
from pmip_tw.errors import WireError
from pmip_tw.lab.datagrams import Datagram
from pmip_tw.wire import codes
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.pretunnel import PreTunnelReply, PreTunnelRequest
from pmip_tw.wire.radius import NO_ATTRIBUTES, Attributes
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation, RevocationAck


class Kind(Enum):
    """Which protocol a message belongs to."""

    DHCP = "DHCP"
    EAPOL = "802.1X"
    RADIUS = "RADIUS"
    PRE_TUNNEL = "pre-tunnel"
    REGISTRATION = "registration"
    REVOCATION = "revocation"
    UNDECODABLE = "undecodable"


@attrs.frozen(slots=True, kw_only=True)
class Message:
    """A signalling message at one tap. ``name`` is stable, ``label`` for a ladder, ``note`` what matters in it.

    ``source`` and ``destination`` are those of the packet on the wire; ``tunnelled``: inside a packet of a tunnel.
    ``identifier`` and ``attributes`` of RADIUS; ``method`` of EAP.
    """

    time_ns: int
    tap: str
    kind: Kind
    name: str
    source: Endpoint
    destination: Endpoint
    label: str
    note: str = ""
    lifetime: int = -1
    code: int = -1
    tunnelled: bool = False
    dhcp: DhcpMessage | None = None
    identifier: int = -1
    attributes: Attributes = NO_ATTRIBUTES
    method: str = ""


def _message(datagram: Datagram, kind: Kind, name: str, label: str, **more: object) -> Message:
    return Message(
        time_ns=datagram.packet.time_ns,
        tap=datagram.packet.tap,
        kind=kind,
        name=name,
        source=datagram.source,
        destination=datagram.destination,
        label=label,
        tunnelled=datagram.tunnelled,
        **more,  # type: ignore[arg-type]
    )


def _undecodable(datagram: Datagram, what: str, error: WireError) -> Message:
    return _message(datagram, Kind.UNDECODABLE, "undecodable", f"{what} ?", note=str(error))


def dhcp_message(datagram: Datagram) -> Message | None:
    """What a client, a relay or a server said; None for BOOTP."""
    try:
        message = DhcpMessage.decode(datagram.payload)
    except WireError as error:
        return _undecodable(datagram, "DHCP", error)
    if message.message_type is None:
        return None
    name = message.message_type.name
    note = ipv4_text(message.yiaddr) if name in ("OFFER", "ACK") else ""
    label = f"DHCP {name.capitalize()}"
    return _message(datagram, Kind.DHCP, f"dhcp-{name.lower()}", label, note=note, dhcp=message)


def _refusal(code: int) -> str:
    return codes.MEANINGS.get(code, "unassigned code")


def mobile_ip_message(datagram: Datagram) -> Message | None:
    """What agents said to each other; None for what a tunnel carries."""
    payload = datagram.payload
    try:
        match payload[:1]:
            case b"\x01":
                request = RegistrationRequest.decode(payload)
                ending = request.lifetime == 0
                return _message(
                    datagram,
                    Kind.REGISTRATION,
                    "request",
                    "PRRQ end" if ending else f"PRRQ {request.lifetime} s",
                    note=request.nai.decode(errors="replace"),
                    lifetime=request.lifetime,
                )
            case b"\x03":
                reply = RegistrationReply.decode(payload)
                return _message(
                    datagram,
                    Kind.REGISTRATION,
                    "reply",
                    f"PRRP code {reply.code}",
                    note=ipv4_text(reply.home_address) if codes.accepts(reply.code) else _refusal(reply.code),
                    lifetime=reply.lifetime,
                    code=reply.code,
                )
            case b"\x07":
                Revocation.decode(payload)
                return _message(datagram, Kind.REVOCATION, "revocation", "Revocation")
            case b"\x0f":
                RevocationAck.decode(payload)
                return _message(datagram, Kind.REVOCATION, "revocation-ack", "Revocation Ack")
            case b"\xfa":
                asked = PreTunnelRequest.decode(payload)
                nai = asked.nai.decode(errors="replace")
                return _message(datagram, Kind.PRE_TUNNEL, "pre-tunnel-request", "Pre-Tunnel Req", note=nai)
            case b"\xfb":
                told = PreTunnelReply.decode(payload)
                note = (
                    f"seen as {ipv4_text(told.care_of_address)}"
                    if told.status == 0
                    else _refusal(told.status)
                )
                label = f"Pre-Tunnel {told.status}"
                return _message(
                    datagram, Kind.PRE_TUNNEL, "pre-tunnel-reply", label, note=note, code=told.status
                )
            case b"\x04":
                return None
            case _:
                text = f"message type {payload[:1].hex() or 'missing'}"
                return _message(datagram, Kind.UNDECODABLE, "undecodable", "port 434 ?", note=text)
    except WireError as error:
        return _undecodable(datagram, "port 434", error)
