"""What a capture heard: signalling messages, echoes, TCP segments, and packets that should not be there."""

from collections import Counter
from collections.abc import Iterable

import attrs

from pmip_tw.addresses import Endpoint, Ipv4, Mac, Prefix, ipv4_text
from pmip_tw.lab.aaa_messages import eapol_message, radius_message
from pmip_tw.lab.datagrams import Datagram, Ip, read_ip, read_udp
from pmip_tw.lab.messages import Message, dhcp_message, mobile_ip_message
from pmip_tw.lab.pcapng import Direction, Packet
from pmip_tw.wire.eapol import PAE_GROUP

_ETHERNET = 14
_EAPOL = b"\x88\x8e"
_TUNNEL_DATA = b"\x04"
_DHCP_PORTS = {67, 68}
_MOBILE_IP_PORT = 434
_RADIUS_PORTS = {1812, 1813, 3799}
"""Authentication, accounting, dynamic authorization."""


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
    source: Ipv4
    destination: Ipv4


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
    in_udp: Counter[str] = attrs.field(factory=Counter)
    """Packets in UDP (type 4), by tap."""

    def named(self, *names: str, tap: str = "") -> list[Message]:
        return [message for message in self.messages if message.name in names and tap in ("", message.tap)]


@attrs.frozen(slots=True, kw_only=True)
class Listener:
    """Knows where what is to be heard. ``core_taps``: where a mobile node's packets must be in a tunnel.

    Agents and AAA are heard at ``signalling_taps``, all core taps if not said otherwise; DHCP in tunnels there too.
    ``server_taps``: where a relay talks to DHCP servers; ``eapol_taps``: where a node does its 802.1X;
    ``radius_taps``: where RADIUS is heard as well, and nothing else.
    """

    access_taps: frozenset[str]
    core_taps: frozenset[str]
    signalling_taps: frozenset[str] = attrs.field(
        default=attrs.Factory(lambda listener: listener.core_taps, takes_self=True)
    )
    server_taps: frozenset[str] = frozenset()
    eapol_taps: frozenset[str] = frozenset()
    radius_taps: frozenset[str] = frozenset()
    home: Prefix
    nodes: frozenset[Mac]

    def hear(self, packets: Iterable[Packet]) -> Heard:
        heard = Heard()
        for packet in sorted(packets, key=lambda packet: packet.time_ns):
            self._hear(packet, heard)
        return heard

    def _hear(self, packet: Packet, heard: Heard) -> None:
        octets = packet.octets
        if packet.tap in self.radius_taps:
            self._hear_radius(packet, heard)
            return
        core = packet.tap in self.core_taps
        if core and octets[6:12] in self.nodes:
            self._stray(
                packet, f"frame of ethertype 0x{octets[12:14].hex()} from the mobile node's own MAC", heard
            )
        if octets[12:14] == _EAPOL:
            self._hear_eapol(packet, heard)
            return
        if octets[12:14] != b"\x08\x00" or len(octets) < _ETHERNET + 20:
            return
        if packet.tap in self.access_taps and octets[6:12] in self.nodes:
            heard.from_nodes.append((packet.tap, packet.time_ns))
        header = read_ip(octets, _ETHERNET)
        datagram = read_udp(packet, header) if header.protocol == 17 else None
        inner = self._inner(octets, header, datagram)
        if inner is not None:
            if datagram is not None:
                heard.in_udp[packet.tap] += 1
            self._hear_tunnelled(packet, header, datagram, inner, heard)
            return
        if core and (header.source in self.home or header.destination in self.home):
            text = (
                f"{ipv4_text(header.source)} to {ipv4_text(header.destination)}, protocol {header.protocol}"
            )
            self._stray(packet, text, heard)
        if datagram is not None:
            self._hear_datagram(datagram, heard)
        else:
            self._hear_traffic(packet, header, tunnelled=False, heard=heard)

    @staticmethod
    def _hear_radius(packet: Packet, heard: Heard) -> None:
        if packet.octets[12:14] != b"\x08\x00" or packet.octets[_ETHERNET + 9] != 17:
            return
        datagram = read_udp(packet, read_ip(packet.octets, _ETHERNET))
        message = radius_message(datagram) if datagram and datagram.ports & _RADIUS_PORTS else None
        if message is not None:
            heard.messages.append(message)

    @staticmethod
    def _inner(octets: bytes, header: Ip, datagram: Datagram | None) -> Ip | None:
        """The header of the packet inside, if this is a tunnel's."""
        if datagram is None:
            at = header.payload if header.protocol == 4 else 0
        else:
            in_udp = _MOBILE_IP_PORT in datagram.ports and datagram.payload[:1] == _TUNNEL_DATA
            at = header.payload + 12 if in_udp else 0
        return read_ip(octets, at) if at and len(octets) >= at + 20 else None

    def _hear_tunnelled(
        self, packet: Packet, outer: Ip, carrier: Datagram | None, inner: Ip, heard: Heard
    ) -> None:
        if inner.protocol != 17:
            self._hear_traffic(packet, inner, tunnelled=True, heard=heard)
            return
        datagram = read_udp(packet, inner)
        if datagram is None:
            return
        if packet.tap in self.signalling_taps and datagram.ports <= _DHCP_PORTS:
            ends = (
                (carrier.source, carrier.destination)
                if carrier is not None
                else (Endpoint(outer.source, 0), Endpoint(outer.destination, 0))
            )
            message = dhcp_message(Datagram(packet, *ends, datagram.payload, tunnelled=True))
            if message is not None:
                heard.messages.append(message)

    def _hear_datagram(self, datagram: Datagram, heard: Heard) -> None:
        tap, ports = datagram.packet.tap, datagram.ports
        found: Message | None = None
        if ports & _DHCP_PORTS:
            if tap in self.access_taps or tap in self.server_taps:
                found = dhcp_message(datagram)
            elif tap in self.core_taps:
                self._stray(datagram.packet, "DHCP that no tunnel carries", heard)
        elif tap in self.signalling_taps:
            if ports & _RADIUS_PORTS:
                found = radius_message(datagram)
            elif _MOBILE_IP_PORT in ports:
                found = mobile_ip_message(datagram)
        if found is not None:
            heard.messages.append(found)

    def _hear_eapol(self, packet: Packet, heard: Heard) -> None:
        """A node's, and what is said to it or to whoever is there."""
        octets = packet.octets
        if packet.tap not in self.eapol_taps:
            return
        to_node = octets[:6] in self.nodes or (
            octets[:6] == PAE_GROUP and packet.direction is Direction.OUTBOUND
        )
        message = eapol_message(packet) if to_node or octets[6:12] in self.nodes else None
        if message is not None:
            heard.messages.append(message)

    def _hear_traffic(self, packet: Packet, header: Ip, *, tunnelled: bool, heard: Heard) -> None:
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
                    source=header.source,
                    destination=header.destination,
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

    @staticmethod
    def _stray(packet: Packet, text: str, heard: Heard) -> None:
        heard.strays.append(Stray(time_ns=packet.time_ns, tap=packet.tap, text=text))
