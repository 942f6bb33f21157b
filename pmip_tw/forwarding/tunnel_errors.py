"""ICMP about packets that we have put into tunnels: what it says to the senders of the packets inside (RFC 2003 4).

about the outer packet              to the inner sender
unreachable: net, host              the same
unreachable: protocol               host unreachable: the tunnel's other end does not take it
unreachable: too big                too big, less what the tunnel adds
time exceeded                       host unreachable: the tunnel goes round in a circle
unreachable: port, source route     nothing: that is between the tunnel's ends
all others                          nothing
"""

from collections.abc import Callable
from typing import Final

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.errors import WireError
from pmip_tw.forwarding.tunnel_ends import GRE_MARK, MINIMAL_MARK, TunnelEnds
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.wire import minimal
from pmip_tw.wire.checksum import internet_checksum
from pmip_tw.wire.encapsulation import TUNNEL_DATA, TUNNEL_DATA_HEADER
from pmip_tw.wire.gre import read_gre
from pmip_tw.wire.icmp import (
    DESTINATION_UNREACHABLE,
    FRAGMENTATION_NEEDED,
    HOST_UNREACHABLE,
    NET_UNREACHABLE,
    PROTOCOL_UNREACHABLE,
    TIME_EXCEEDED,
    IcmpMessage,
)
from pmip_tw.wire.ipv4 import (
    MINIMUM_HEADER,
    PROTOCOL_GRE,
    PROTOCOL_IP_IN_IP,
    PROTOCOL_MINIMAL,
    PROTOCOL_UDP,
    Ipv4Packet,
)
from pmip_tw.wire.udp import HEADER_LENGTH

_CODE_FOR_SENDER: Final = {
    (DESTINATION_UNREACHABLE, NET_UNREACHABLE): NET_UNREACHABLE,
    (DESTINATION_UNREACHABLE, HOST_UNREACHABLE): HOST_UNREACHABLE,
    (DESTINATION_UNREACHABLE, PROTOCOL_UNREACHABLE): HOST_UNREACHABLE,
    (DESTINATION_UNREACHABLE, FRAGMENTATION_NEEDED): FRAGMENTATION_NEEDED,
    (TIME_EXCEEDED, 0): HOST_UNREACHABLE,
}

Reported = Callable[[TunnelEnds, int, bytes], None]
"""Takes what the packet showed as it left, the code of unreachable for the inner sender, and what is quoted of it."""


def tunnel_errors(reported: Reported) -> Callable[[bytes], None]:
    """What takes whole ICMP packets that arrived for us; those about anything else than a tunnel are left alone."""

    def received(packet: bytes) -> None:
        try:
            message = IcmpMessage.decode(Ipv4Packet.decode(packet))
            code = _CODE_FOR_SENDER.get((message.type, message.code))
            found = None if code is None else _opened(message.payload)
        except WireError:
            return
        if code is not None and found is not None:
            ends, inner = found
            reported(ends, code, inner if _is_header(inner) else b"")

    return received


def _opened(outer: bytes) -> tuple[TunnelEnds, bytes] | None:
    """From the beginning of an outer packet: what it showed, and the beginning of what it carried. Raises WireError."""
    length = (outer[0] & 0xF) * 4 if outer else 0
    if length < MINIMUM_HEADER or len(outer) < length:
        return None
    protocol, pair, behind = outer[9], outer[12:20], outer[length:]
    if protocol == PROTOCOL_IP_IN_IP:
        return pair, behind
    if protocol == PROTOCOL_GRE:
        key, inner = read_gre(behind)
        return pair + GRE_MARK + key, inner
    if protocol == PROTOCOL_MINIMAL:
        return pair + MINIMAL_MARK, minimal.unwrap(outer)
    return _opened_udp(pair, behind) if protocol == PROTOCOL_UDP else None


def _opened_udp(pair: bytes, behind: bytes) -> tuple[TunnelEnds, bytes] | None:
    data = behind[HEADER_LENGTH:]
    if int.from_bytes(behind[:2], "big") != SIGNALLING_PORT or data[:1] != bytes((TUNNEL_DATA,)):
        return None
    local = Ipv4(int.from_bytes(pair[:4], "big"))
    remote = Endpoint(Ipv4(int.from_bytes(pair[4:], "big")), int.from_bytes(behind[2:4], "big"))
    protocol, inner = data[1:2], data[TUNNEL_DATA_HEADER:]
    if protocol == GRE_MARK:
        key, inner = read_gre(inner)
        return (local, remote, GRE_MARK + key), inner
    if protocol == MINIMAL_MARK:
        return (local, remote, MINIMAL_MARK), minimal.rebuild(inner, local, 0)
    return (local, remote), inner


def _is_header(inner: bytes) -> bool:
    """Is enough quoted to know the sender? Eight octets behind the outer header are too few."""
    length = (inner[0] & 0xF) * 4 if inner else 0
    return MINIMUM_HEADER <= length <= len(inner) and not internet_checksum(inner[:length])
