"""What anybody may put into the tunnels of a packet plane, and what its nodes and the machine's routes may bring it."""

import struct
from collections.abc import Iterator
from contextlib import suppress

from pmip_tw.addresses import BROADCAST_MAC, Endpoint, Ipv4, Prefix
from pmip_tw.errors import WireError
from pmip_tw.forwarding.memory import MemoryPlane, far_end, wrapped
from pmip_tw.interfaces import Datagram
from pmip_tw.mobility.tunnels import AccessEntry, AnchorEntry, Broadcasts, Encapsulation, Tunnel
from pmip_tw.wire.ipv4 import MINIMUM_HEADER, Ipv4Packet
from tests.forwarding.packets import GATEWAY_MAC, NODE_MAC, frame, from_node, tcp_packet, to_node
from tests.forwarding.worlds import LOCAL, tunnel
from tests.fuzz.checksums import mend_checksums
from tests.fuzz.target import Target

MEND = 0x80
MAG = 0x40
PORT = "eth1"
LINK = Prefix(Ipv4(0x0A010000), 24)
OUTER = struct.Struct("!BBHHHBBHII")

KINDS = (Encapsulation.IP_IN_IP, Encapsulation.GRE, Encapsulation.MINIMAL)
TUNNELS = tuple(
    tunnel(over_udp=over_udp, kind=kind, keys=keys)
    for over_udp in (False, True)
    for kind, keys in (*((kind, None) for kind in KINDS), (Encapsulation.GRE, (0x01020304, 7)))
)
NODES = {Ipv4(LINK.network + 2 + number): way for number, way in enumerate(TUNNELS)}
UDP, INSIDE = 3, 4
"""Ways for a packet beside the three encapsulations: tunnel data, and from the node or the machine's routes."""


def anchor() -> MemoryPlane:
    plane = MemoryPlane(monotonic=lambda: 1.0, local=LOCAL)
    for home, way in NODES.items():
        broadcasts = Broadcasts.WRAPPED if way.over_udp else Broadcasts.DIRECT
        plane.install(AnchorEntry(home_address=home, tunnel=way, broadcasts=broadcasts, prefix=LINK))
    return plane


def access() -> MemoryPlane:
    plane = MemoryPlane(monotonic=lambda: 1.0, local=LOCAL, ports=(PORT,))
    for number, (home, way) in enumerate(NODES.items()):
        mac = NODE_MAC[:5] + bytes((number + 1,))
        plane.install(
            AccessEntry(port=PORT, mac=mac, home_address=home, tunnel=way, broadcasts=True, prefix=LINK)
        )
    return plane


class HandedUp:
    """What the agent would get."""

    def __init__(self) -> None:
        self.count = 0

    def frame_received(self, port: str, octets: bytes) -> None:
        self.count += 1

    def keepalive_answered(self, key: object) -> None:
        self.count += 1

    def dhcp_shown(self, key: object, packet: bytes) -> None:
        self.count += 1

    def dhcp_tunneled(self, tunnel: object, packet: bytes) -> None:
        self.count += 1


def check(octets: bytes) -> None:
    if not octets:
        return
    how, body = octets[0], octets[1:]
    at_mag, way = bool(how & MAG), (how & 7) % (INSIDE + 1)
    plane = access() if at_mag else anchor()
    agent = HandedUp()
    plane.start(agent)
    if how & MEND:
        start = 14 if at_mag and way == INSIDE else 0
        body = body[:start] + mend_checksums(body[start:])
    if way < UDP:
        outer = OUTER.pack(
            0x45, 0, MINIMUM_HEADER + len(body), 0, 0, 64, KINDS[way], 0, TUNNELS[0].remote, LOCAL
        )
        plane.outside_sends(mend_checksums(outer + body))
    elif way == UDP:
        source = Endpoint(TUNNELS[-1].remote, TUNNELS[-1].remote_port)
        plane.tunnel_data_received([Datagram(b"\x04" + body, source, LOCAL)])
    elif at_mag:
        plane.node_sends(PORT, body)
    else:
        # Routes bring only packets that the kernel has found sound.
        with suppress(WireError):
            Ipv4Packet.decode(body)
            plane.host_sends(body)
        return
    went = [*plane.delivered, *(inner for _, inner in plane.tunnelled), *plane.answered]
    if way != INSIDE:
        assert went or plane.transmitted or agent.count or sum(plane.drops().values()), "it vanished"
    for packet in went:
        length = int.from_bytes(packet[2:4], "big")
        assert packet[0] >> 4 == 4 and MINIMUM_HEADER <= length == len(packet)
    for packet in plane.delivered:
        source = Ipv4(int.from_bytes(packet[12:16], "big"))
        assert source in NODES or source == 0, "of nobody that is bound"


def around(way: Tunnel, inner: bytes) -> bytes:
    """What arrives out of ``way`` with ``inner`` in it, without an outer header."""
    octets = wrapped(far_end(way), inner)
    return octets[1:] if way.over_udp else octets[MINIMUM_HEADER:]


def seeds() -> Iterator[bytes]:
    for home, way in NODES.items():
        how = UDP if way.over_udp else KINDS.index(way.encapsulation)
        up, down = from_node(b"data", home), to_node(b"data", home)
        yield bytes((how,)) + around(way, up)
        yield bytes((how,)) + around(way, from_node(b"data", home, port=67))
        yield bytes((how | MAG,)) + around(way, down)
        yield bytes((how | MAG,)) + around(way, tcp_packet(b"data", flags=2, options=b"\2\4\5\xb4"))
        yield bytes((INSIDE | MEND,)) + down
        yield bytes((INSIDE | MEND,)) + tcp_packet(bytes(1480), flags=2, options=b"\2\4\5\xb4")
        for packet in (up, tcp_packet(b"data"), from_node(b"data", home, ttl=1)):
            yield bytes((INSIDE | MAG,)) + frame(packet)
            yield bytes((INSIDE | MAG | MEND,)) + frame(packet, destination=BROADCAST_MAC)
    yield bytes((INSIDE | MAG,)) + GATEWAY_MAC + NODE_MAC + b"\x86\xdd" + bytes(40)


TARGET = Target(
    name="tunnels",
    about="what arrives in tunnels of every encapsulation, from nodes and from routes, at both packet planes",
    check=check,
    seeds=seeds,
    floors=("wire", "forwarding"),
    longest=2000,
)
