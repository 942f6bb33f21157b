"""Frames as the laboratory's taps hear them."""

from struct import pack

from pmip_tw.addresses import Endpoint, Ipv4, Mac, ipv4, mac
from pmip_tw.lab.pcapng import Direction, Packet
from pmip_tw.wire.encapsulation import ip_in_ip_header
from pmip_tw.wire.ethernet import ETHERTYPE_IPV4, ethernet_frame
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet

NODE = mac("02:00:00:00:00:01")
GATEWAY = mac("02:00:5e:50:4d:49")
HOME = ipv4("10.1.0.2")
FAR = ipv4("203.0.113.9")
MAG1, MAG2, LMA = ipv4("198.51.100.11"), ipv4("198.51.100.12"), ipv4("198.51.100.1")

MS = 1_000_000


def heard(tap: str, ms: float, ip: bytes, *, inbound: bool = True, source: Mac = GATEWAY) -> Packet:
    """An IPv4 packet as ``tap`` hears it at that millisecond."""
    frame = ethernet_frame(NODE if source == GATEWAY else GATEWAY, source, ETHERTYPE_IPV4, ip)
    return Packet(
        tap=tap,
        time_ns=round(ms * MS),
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        octets=frame,
        original_length=len(frame),
    )


def echo(number: int, *, reply: bool = False) -> bytes:
    """The mobile node's echo request of that sequence number, or its reply."""
    source, destination = (FAR, HOME) if reply else (HOME, FAR)
    icmp = pack("!BBHHH", 0 if reply else 8, 0, 0, 77, number) + bytes(16)
    return Ipv4Packet(source=source, destination=destination, protocol=1, payload=icmp).encode()


def segment(octets: int, *, port: int = 5201) -> bytes:
    """A TCP segment of the mobile node with that much payload."""
    tcp = pack("!HHIIBBHHH", 40000, port, 1, 1, 5 << 4, 0x18, 1000, 0, 0) + bytes(octets)
    return Ipv4Packet(source=HOME, destination=FAR, protocol=6, payload=tcp).encode()


def tunnelled(inner: bytes, mag: Ipv4 = MAG1) -> bytes:
    """``inner`` on its way from a MAG to the LMA."""
    return ip_in_ip_header(mag, LMA, inner) + inner


def signalling(payload: bytes, source: Ipv4, destination: Ipv4, port: int = 434) -> bytes:
    """A datagram between two agents."""
    return udp_packet(Endpoint(source, port), Endpoint(destination, port), payload)
