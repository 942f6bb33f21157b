"""Rules of the MAG's plane that need many packets rather than real ones."""

from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import Ipv4
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.mobility.tunnels import AccessEntry
from pmip_tw.wire.ipv4 import Ipv4Packet
from tests.conformance import covers

from .packets import (
    CORRESPONDENT,
    GATEWAY_MAC,
    HOME,
    NODE_MAC,
    frame,
    hop,
    tcp_packet,
    transport_checksum_holds,
)
from .worlds import LOCAL, tunnel

MSS_1460 = b"\x02\x04\x05\xb4"


def plane() -> MemoryPlane:
    made = MemoryPlane(monotonic=lambda: 1.0, local=LOCAL, ports=("eth1",))
    made.install(AccessEntry(port="eth1", mac=NODE_MAC, home_address=HOME, tunnel=tunnel(over_udp=True)))
    return made


def test_the_header_checksum_is_right_whatever_it_was() -> None:
    """Every identification, so every checksum: carries and the two zeros included."""
    made = plane()
    for identification in range(0x10000):
        packet = Ipv4Packet(
            source=HOME, destination=CORRESPONDENT, protocol=99, payload=b"", identification=identification
        ).encode()
        made.node_sends("eth1", GATEWAY_MAC + NODE_MAC + b"\x08\x00" + packet)
        assert made.tunnelled.pop()[1] == hop(packet)


@covers("T9")
def test_a_connection_learns_the_tunnels_size_in_both_directions() -> None:
    """A peer that ignores ICMP must not stall."""
    made = plane()
    made.node_sends("eth1", frame(tcp_packet(flags=2, options=MSS_1460)))
    up = made.tunnelled[0][1]
    made.arrive(tunnel(over_udp=True), _turned(tcp_packet(flags=0x12, options=MSS_1460)))
    down = made.transmitted[0][1][14:]
    for packet in (up, down):
        assert packet[40:44] == b"\x02\x04" + (1468 - 40).to_bytes(2, "big")
        assert transport_checksum_holds(packet)


@given(st.binary(max_size=80))
def test_any_frame_is_carried_handed_up_or_counted(octets: bytes) -> None:
    made = plane()
    seen = []
    made.start(type("Receiver", (), {"frame_received": lambda self, port, frame: seen.append(frame)})())
    for sent in (octets, GATEWAY_MAC + NODE_MAC + b"\x08\x00" + octets):
        made.node_sends("eth1", sent)
    assert len(seen) + len(made.tunnelled) + sum(made.drops().values()) == 2


@given(st.binary(max_size=80))
def test_any_tunnel_data_is_delivered_or_counted(inner: bytes) -> None:
    """The address that leads to the entry is put in, so that the rest is looked at, too."""
    made = plane()
    addressed = inner[:16] + HOME.to_bytes(4, "big") + inner[20:]
    for sent in (inner, addressed):
        made.arrive(tunnel(over_udp=True), sent)
    assert len(made.transmitted) + sum(made.drops().values()) == 2
    assert set(made.drops()) <= {drops.NO_ENTRY, drops.MALFORMED}


def _turned(packet: bytes) -> bytes:
    """The same segment from the correspondent to the node: the sums stay."""
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:]


def test_the_gateway_is_asked_for_only_when_it_speaks() -> None:
    """A home address without a configured gateway still carries traffic."""

    def no_gateway(home_address: Ipv4) -> Ipv4:
        raise KeyError(home_address)

    made = MemoryPlane(monotonic=lambda: 1.0, local=LOCAL, ports=("eth1",), gateway_for=no_gateway)
    made.install(AccessEntry(port="eth1", mac=NODE_MAC, home_address=HOME, tunnel=tunnel()))
    made.node_sends("eth1", frame(tcp_packet(b"small")))
    assert len(made.tunnelled) == 1
