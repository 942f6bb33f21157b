"""IPv4 headers and UDP datagrams of a capture, whose packets may be cut."""

from struct import Struct

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lab.pcapng import Packet

_IP = Struct("!BxHHHBBxxII")
_PORTS = Struct("!HH")
_UDP = 8


@attrs.frozen(slots=True)
class Ip:
    """``payload``: the octet of the frame at which it begins; ``end``: that at which the packet ends."""

    protocol: int
    source: Ipv4
    destination: Ipv4
    payload: int
    end: int


@attrs.frozen(slots=True)
class Datagram:
    """``source`` and ``destination``: of what is on the wire; ``tunnelled``: the payload was in a tunnel there."""

    packet: Packet
    source: Endpoint
    destination: Endpoint
    payload: bytes
    tunnelled: bool = False

    @property
    def ports(self) -> frozenset[int]:
        """Of both ends."""
        return frozenset((self.source.port, self.destination.port))


def read_ip(octets: bytes, at: int) -> Ip:
    """The IPv4 header that begins at that octet of a frame."""
    first, total, _, _, _, protocol, source, destination = _IP.unpack_from(octets, at)
    return Ip(protocol, Ipv4(source), Ipv4(destination), at + (first & 15) * 4, at + total)


def read_udp(packet: Packet, header: Ip) -> Datagram | None:
    """The datagram in ``packet`` that has this IPv4 header; None if it is cut before its payload."""
    if len(packet.octets) < header.payload + _UDP:
        return None
    source, destination = _PORTS.unpack_from(packet.octets, header.payload)
    return Datagram(
        packet,
        Endpoint(header.source, source),
        Endpoint(header.destination, destination),
        packet.octets[header.payload + _UDP : header.end],
    )
