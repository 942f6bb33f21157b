"""DHCP as it lies in a pre-tunnel: an IPv4 packet of a node that has no address, and one to it (N52, N53)."""

from enum import StrEnum

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Endpoint, Ipv4
from pmip_tw.wire.dhcp import BOOTREQUEST, CLIENT_PORT, SERVER_PORT, DhcpMessage, MessageType
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import UdpDatagram, udp_packet


class Dropped(StrEnum):
    """Why a packet goes no further, as a word for counters; what relays mind besides is in ``dhcp/worthless.py``."""

    NOT_A_REQUEST = "dhcp-not-a-request"
    """A server's message from a mobile node (D10)."""
    RELAYED = "dhcp-relayed"
    """It has a giaddr: the MAG leaves that to us (D32)."""
    SPOOFED_SOURCE = "dhcp-spoofed-source"
    """It speaks about ``ciaddr`` and comes from another address (D35)."""
    NO_PRE_TUNNEL = "dhcp-no-pre-tunnel"
    """Nobody has asked for a tunnel for this MAC (N52)."""
    TOO_OFTEN = "dhcp-too-often"
    OTHERS_LEASE = "dhcp-others-lease"
    """It would end a lease that is not its sender's (D35)."""

    @property
    def cause(self) -> str:
        """For people."""
        return _CAUSES[self]


_CAUSES = {
    Dropped.NOT_A_REQUEST: "a DHCP server's message from a mobile node",
    Dropped.RELAYED: "it has a relay's address, and comes through no relay",
    Dropped.SPOOFED_SOURCE: "it speaks about another address than it comes from",
    Dropped.NO_PRE_TUNNEL: "DHCP of a node for which nobody has asked for a tunnel (N52)",
    Dropped.TOO_OFTEN: "more than 10 packets in a second (N52)",
    Dropped.OTHERS_LEASE: "it speaks about an address that is not leased to its sender (D35)",
}


def client_message(packet: bytes) -> DhcpMessage | Dropped:
    """What a client says in ``packet``, which is UDP from port 68 to 67. WireError: it cannot be read."""
    outer = Ipv4Packet.decode(packet)
    return readable(DhcpMessage.decode(UdpDatagram.decode(outer).payload), outer.source)


def readable(message: DhcpMessage, source: Ipv4) -> DhcpMessage | Dropped:
    """``message`` if a client may have sent it from ``source``, 0 for one that has no address."""
    if message.op != BOOTREQUEST:
        return Dropped.NOT_A_REQUEST
    if message.giaddr:
        return Dropped.RELAYED
    if source not in (UNSPECIFIED, message.ciaddr):
        return Dropped.SPOOFED_SOURCE
    return message


def packet_to_client(message: DhcpMessage, source: Ipv4, home_address: Ipv4 = UNSPECIFIED) -> bytes:
    """The answer, to the address that it gives, or to all if the client wants that, or is given none (N53).

    ``source``: of the relay; ``home_address``: of a client that has asked from it, where it is answered.
    """
    to_all = message.broadcast or not message.yiaddr or message.message_type is MessageType.NAK
    destination = home_address or (ALL_ONES if to_all else message.yiaddr)
    return udp_packet(Endpoint(source, SERVER_PORT), Endpoint(destination, CLIENT_PORT), message.octets)
