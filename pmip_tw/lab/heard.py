"""What a capture heard: signalling messages, echoes, TCP segments, and packets that should not be there."""

from collections.abc import Iterable
from enum import Enum
from struct import Struct

import attrs

from pmip_tw.addresses import Ipv4, Mac, Prefix, ipv4_text
from pmip_tw.errors import WireError
from pmip_tw.lab.pcapng import Direction, Packet
from pmip_tw.wire import codes, radius
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation, RevocationAck

_IP = Struct("!BxHHHBBxxII")
_ETHERNET = 14
_RADIUS_NAMES = {
    radius.Code.ACCESS_REQUEST: "Access-Request",
    radius.Code.ACCESS_ACCEPT: "Access-Accept",
    radius.Code.ACCESS_REJECT: "Access-Reject",
}
_SERVER_PORTS = {67, 68}


class Kind(Enum):
    """Which protocol a message belongs to."""

    DHCP = "DHCP"
    RADIUS = "RADIUS"
    REGISTRATION = "registration"
    REVOCATION = "revocation"
    UNDECODABLE = "undecodable"


@attrs.frozen(slots=True, kw_only=True)
class Message:
    """A signalling message at one tap. ``name`` is stable, ``label`` for a ladder, ``note`` what matters in it."""

    time_ns: int
    tap: str
    kind: Kind
    name: str
    source: Ipv4
    destination: Ipv4
    label: str
    note: str = ""
    lifetime: int = -1
    code: int = -1


@attrs.frozen(slots=True, kw_only=True)
class Echo:
    """An ICMP echo request or reply at one tap; ``tunnelled``: inside another packet."""

    time_ns: int
    tap: str
    inbound: bool
    request: bool
    tunnelled: bool
    number: tuple[int, int]
    """Identifier and sequence number."""


@attrs.frozen(slots=True, kw_only=True)
class Segment:
    """A TCP segment that the capture holds; ``octets`` of payload."""

    time_ns: int
    tap: str
    inbound: bool
    source: Ipv4
    octets: int


@attrs.frozen(slots=True, kw_only=True)
class Stray:
    """A mobile node's packet outside any tunnel, where only tunnels may carry it."""

    time_ns: int
    tap: str
    text: str


@attrs.define(slots=True)
class Heard:
    """Everything of one capture, each list in order of time."""

    messages: list[Message] = attrs.field(factory=list)
    echoes: list[Echo] = attrs.field(factory=list)
    segments: list[Segment] = attrs.field(factory=list)
    strays: list[Stray] = attrs.field(factory=list)
    from_nodes: list[tuple[str, int]] = attrs.field(factory=list)
    """Access tap and time of each IPv4 packet that a mobile node sent."""

    def named(self, *names: str, tap: str = "") -> list[Message]:
        return [message for message in self.messages if message.name in names and tap in ("", message.tap)]


@attrs.frozen(slots=True, kw_only=True)
class Listener:
    """Knows where what is to be heard. ``core_taps``: where a mobile node's packets must be in a tunnel."""

    access_taps: frozenset[str]
    core_taps: frozenset[str]
    home: Prefix
    nodes: frozenset[Mac]

    def hear(self, packets: Iterable[Packet]) -> Heard:
        heard = Heard()
        for packet in sorted(packets, key=lambda packet: packet.time_ns):
            self._hear(packet, heard)
        return heard

    def _hear(self, packet: Packet, heard: Heard) -> None:
        octets = packet.octets
        core = packet.tap in self.core_taps
        if core and octets[6:12] in self.nodes:
            text = f"frame of ethertype 0x{octets[12:14].hex()} from the mobile node's own MAC"
            heard.strays.append(Stray(time_ns=packet.time_ns, tap=packet.tap, text=text))
        if octets[12:14] != b"\x08\x00" or len(octets) < _ETHERNET + 20:
            return
        if packet.tap in self.access_taps and octets[6:12] in self.nodes:
            heard.from_nodes.append((packet.tap, packet.time_ns))
        at = _ETHERNET
        header = _read_ip(octets, at)
        tunnelled = False
        if header.protocol == 4:
            tunnelled, at = True, header.payload
        elif header.protocol == 17 and 434 in _ports(octets, header.payload):
            tunnelled = octets[header.payload + 8 : header.payload + 9] == b"\x04"
            at = header.payload + 12
        if tunnelled:
            if len(octets) < at + 20:
                return
            header = _read_ip(octets, at)
        elif core and (header.source in self.home or header.destination in self.home):
            text = (
                f"{ipv4_text(header.source)} to {ipv4_text(header.destination)}, protocol {header.protocol}"
            )
            heard.strays.append(Stray(time_ns=packet.time_ns, tap=packet.tap, text=text))
        self._hear_payload(packet, header, tunnelled, heard)

    def _hear_payload(self, packet: Packet, header: "_Ip", tunnelled: bool, heard: Heard) -> None:
        octets, at = packet.octets, header.payload
        inbound = packet.direction is Direction.INBOUND
        if header.protocol == 1 and octets[at] in (0, 8):
            number = (
                int.from_bytes(octets[at + 4 : at + 6], "big"),
                int.from_bytes(octets[at + 6 : at + 8], "big"),
            )
            heard.echoes.append(
                Echo(
                    time_ns=packet.time_ns,
                    tap=packet.tap,
                    inbound=inbound,
                    request=octets[at] == 8,
                    tunnelled=tunnelled,
                    number=number,
                )
            )
        elif header.protocol == 6 and len(octets) > at + 12:
            carried = header.end - at - (octets[at + 12] >> 4) * 4
            heard.segments.append(
                Segment(
                    time_ns=packet.time_ns,
                    tap=packet.tap,
                    inbound=inbound,
                    source=header.source,
                    octets=carried,
                )
            )
        elif header.protocol == 17 and not tunnelled:
            ports = _ports(octets, at)
            payload = octets[at + 8 : header.end]
            found: Message | None = None
            if ports & _SERVER_PORTS and packet.tap in self.access_taps:
                found = _dhcp(packet, header, payload)
            elif 1812 in ports and packet.tap in self.core_taps:
                found = _radius(packet, header, payload)
            elif 434 in ports and packet.tap in self.core_taps:
                found = _mobile_ip(packet, header, payload)
            if found is not None:
                heard.messages.append(found)


@attrs.frozen(slots=True)
class _Ip:
    protocol: int
    source: Ipv4
    destination: Ipv4
    payload: int
    """Where it begins, and where the packet ends."""
    end: int


def _read_ip(octets: bytes, at: int) -> _Ip:
    first, total, _, _, _, protocol, source, destination = _IP.unpack_from(octets, at)
    return _Ip(protocol, Ipv4(source), Ipv4(destination), at + (first & 15) * 4, at + total)


def _ports(octets: bytes, at: int) -> set[int]:
    return {int.from_bytes(octets[at : at + 2], "big"), int.from_bytes(octets[at + 2 : at + 4], "big")}


def _message(packet: Packet, header: _Ip, kind: Kind, name: str, label: str, **more: object) -> Message:
    return Message(
        time_ns=packet.time_ns,
        tap=packet.tap,
        kind=kind,
        name=name,
        source=header.source,
        destination=header.destination,
        label=label,
        **more,  # type: ignore[arg-type]
    )


def _undecodable(packet: Packet, header: _Ip, what: str, error: WireError) -> Message:
    return _message(packet, header, Kind.UNDECODABLE, "undecodable", f"{what} ?", note=str(error))


def _dhcp(packet: Packet, header: _Ip, payload: bytes) -> Message | None:
    try:
        message = DhcpMessage.decode(payload)
    except WireError as error:
        return _undecodable(packet, header, "DHCP", error)
    if message.message_type is None:
        return None
    name = message.message_type.name
    note = ipv4_text(message.yiaddr) if name in ("OFFER", "ACK") else ""
    return _message(packet, header, Kind.DHCP, f"dhcp-{name.lower()}", f"DHCP {name.capitalize()}", note=note)


def _radius(packet: Packet, header: _Ip, payload: bytes) -> Message | None:
    name = _RADIUS_NAMES.get(radius.Code(payload[0])) if payload and payload[0] in set(radius.Code) else None
    if name is None:
        return None
    return _message(packet, header, Kind.RADIUS, name.lower(), name, note=_user_name(payload))


def _user_name(payload: bytes) -> str:
    """Whom a RADIUS packet is about, "" if it does not say."""
    at = 20
    while at + 2 <= len(payload) and payload[at + 1] >= 2:
        if payload[at] == radius.AttributeType.USER_NAME:
            return payload[at + 2 : at + payload[at + 1]].decode(errors="replace")
        at += payload[at + 1]
    return ""


def _mobile_ip(packet: Packet, header: _Ip, payload: bytes) -> Message | None:
    try:
        match payload[:1]:
            case b"\x01":
                request = RegistrationRequest.decode(payload)
                ending = request.lifetime == 0
                return _message(
                    packet,
                    header,
                    Kind.REGISTRATION,
                    "request",
                    "PRRQ end" if ending else f"PRRQ {request.lifetime} s",
                    note=request.nai.decode(errors="replace"),
                    lifetime=request.lifetime,
                )
            case b"\x03":
                reply = RegistrationReply.decode(payload)
                return _message(
                    packet,
                    header,
                    Kind.REGISTRATION,
                    "reply",
                    f"PRRP code {reply.code}",
                    note=ipv4_text(reply.home_address)
                    if codes.accepts(reply.code)
                    else codes.MEANINGS.get(reply.code, "unassigned code"),
                    lifetime=reply.lifetime,
                    code=reply.code,
                )
            case b"\x07":
                Revocation.decode(payload)
                return _message(packet, header, Kind.REVOCATION, "revocation", "Revocation")
            case b"\x0f":
                RevocationAck.decode(payload)
                return _message(packet, header, Kind.REVOCATION, "revocation-ack", "Revocation Ack")
            case b"\x04":
                return None  # a keepalive: tunnel data without a packet in it
            case _:
                text = f"message type {payload[:1].hex() or 'missing'}"
                return _message(packet, header, Kind.UNDECODABLE, "undecodable", "port 434 ?", note=text)
    except WireError as error:
        return _undecodable(packet, header, "port 434", error)
