"""Unmodified kernels at both ends of both planes: ping, TCP and UDP with every offload left on."""

import shutil
import socket
import sys
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from pmip_tw.addresses import Endpoint, ipv4, prefix
from pmip_tw.forwarding import offloads
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.wire.encapsulation import ip_in_ip_header
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from .namespaces import require_namespaces
from .road import Road
from .worlds import LOCAL, PEERS

OCTETS = 8_000_000

RECEIVE = """
import hashlib, socket, sys
listener = socket.create_server((sys.argv[1], 7000))
print("ready", flush=True)
peer, _ = listener.accept()
digest, total = hashlib.sha256(), 0
while octets := peer.recv(1 << 20):
    digest.update(octets)
    total += len(octets)
print(total, digest.hexdigest())
"""

SEND = """
import hashlib, os, socket, sys
octets = os.urandom(int(sys.argv[2]))
with socket.create_connection((sys.argv[1], 7000), timeout=20) as peer:
    peer.sendall(octets)
print(len(octets), hashlib.sha256(octets).hexdigest())
"""

DATAGRAMS = 40

RECEIVE_UDP = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((sys.argv[1], 7000))
sock.settimeout(20)
print("ready", flush=True)
print([len(sock.recv(2000)) for _ in range(int(sys.argv[2]))])
"""

SEND_UDP_SEGMENTS = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_UDP, 103, 1000)
sock.sendto(bytes(int(sys.argv[2]) * 1000 - 500), (sys.argv[1], 7000))
"""


@pytest.fixture(params=[False, True], ids=["ip-in-ip", "udp"])
def road(request: pytest.FixtureRequest) -> Iterator[Road]:
    """Both planes between a host and a correspondent."""
    require_namespaces()
    made = Road(over_udp=request.param)
    yield made
    made.close()


@covers("P40")
def test_ping_arrives_exactly_once(road: Road) -> None:
    """And not natively past the tunnel, although the MAG's kernel could route it."""
    if shutil.which("ping") is None:
        pytest.skip("ping is not installed")
    text = road.output(road.program(road.mn, "ping", "-c", "5", "-i", "0.05", "-W", "5", "10.9.0.2"))
    assert "5 packets transmitted, 5 received, 0%" in text
    assert "DUP" not in text
    counters = road.access.counters(road.access_entry.key)
    assert (counters.packets_up, counters.packets_down) == (5, 5)
    there = road.anchor.counters(road.anchor_entry.key)
    assert (there.packets_up, there.packets_down) == (5, 5)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_tcp_moves_data_unharmed(road: Road, direction: str) -> None:
    """A virtual link hands over unfinished segments of 64 KiB: they are finished, or nothing would arrive."""
    _transfer(road, direction)


@covers("T3", "T4", "T9")
@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize(
    "shape",
    [
        {"kind": Encapsulation.GRE, "keys": (7, 9)},
        {"kind": Encapsulation.MINIMAL},
        {"kind": Encapsulation.GRE, "keys": (7, 9), "over_udp": True},
        {"kind": Encapsulation.MINIMAL, "over_udp": True},
    ],
    ids=["gre", "minimal", "gre-in-udp", "minimal-in-udp"],
)
def test_tcp_moves_data_in_other_encapsulations(shape: dict[str, Any], direction: str) -> None:
    """Both kernels believe in the segment size that the tunnel was seen to take."""
    require_namespaces()
    road = Road(**shape)
    try:
        _transfer(road, direction)
        assert road.access.drops() == road.anchor.drops() == {}
    finally:
        road.close()


@pytest.mark.parametrize("direction", ["up", "down"])
def test_tcp_survives_receive_merging_in_the_core(direction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's GRO gives the raw socket merged packets with half a checksum: they are cut again."""
    require_namespaces()
    cut = []
    real = offloads.cut_merged
    monkeypatch.setattr(offloads, "cut_merged", lambda *given: cut.append(given) or real(*given))
    road = Road(over_udp=False)
    try:
        for where, name in ((road.mag, "core0"), (road.lma, "core1")):
            road.merge_received(where, name)
        _transfer(road, direction)
    finally:
        road.close()
    assert cut


def _transfer(road: Road, direction: str) -> None:
    sender, receiver = (road.mn, road.cn) if direction == "up" else (road.cn, road.mn)
    address = "10.9.0.2" if direction == "up" else "10.1.0.2"
    listening = road.program(receiver, sys.executable, "-c", RECEIVE, address)
    assert listening.stdout is not None
    assert listening.stdout.readline() == "ready\n"
    sent = road.output(road.program(sender, sys.executable, "-c", SEND, address, str(OCTETS)))
    assert road.output(listening) == sent
    assert sent.startswith(str(OCTETS))


HEAR = """
import socket, struct, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
group = socket.inet_aton("224.0.0.251") + socket.inet_aton("10.1.0.2")
sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
sock.bind(("0.0.0.0", 7000))
sock.settimeout(20)
print("ready", flush=True)
print(sorted(sock.recv(100).decode() for _ in range(3)))
"""


@covers("P68")
def test_a_host_takes_broadcasts_in_frames_to_its_own_mac() -> None:
    """An unmodified kernel: limited, of its prefix, and a group that it has joined."""
    require_namespaces()
    road = Road(over_udp=False)
    try:
        road.access.install(attrs.evolve(road.access_entry, broadcasts=True, prefix=prefix("10.1.0.0/24")))
        listening = road.program(road.mn, sys.executable, "-c", HEAR)
        assert listening.stdout is not None
        assert listening.stdout.readline() == "ready\n"
        with road.lma.entered():
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        for address in ("255.255.255.255", "10.1.0.255", "224.0.0.251"):
            packet = udp_packet(
                Endpoint(ipv4("10.1.0.77"), 9), Endpoint(ipv4(address), 7000), address.encode()
            )
            outer = ip_in_ip_header(PEERS[0], LOCAL, packet) + packet
            raw.sendto(outer, ("192.0.2.1", 0))
        assert road.output(listening).strip() == "['10.1.0.255', '224.0.0.251', '255.255.255.255']"
        raw.close()
    finally:
        road.close()


def test_udp_segmentation_offload_is_finished(road: Road) -> None:
    """One send of many datagrams (QUIC does it) arrives as those datagrams."""
    listening = road.program(road.cn, sys.executable, "-c", RECEIVE_UDP, "10.9.0.2", str(DATAGRAMS))
    assert listening.stdout is not None
    assert listening.stdout.readline() == "ready\n"
    road.output(road.program(road.mn, sys.executable, "-c", SEND_UDP_SEGMENTS, "10.9.0.2", str(DATAGRAMS)))
    assert road.output(listening).strip() == str([1000] * (DATAGRAMS - 1) + [500])


def test_nothing_is_left_when_both_planes_stop(road: Road) -> None:
    """The TUN device and the ingress drop go; starting again works."""
    for where, plane in ((road.mag, road.access), (road.lma, road.anchor)):
        with where.entered():
            plane.stop()
            plane.stop()
    with road.lma.entered():
        assert "mip0" not in {name for _, name in socket.if_nameindex()}
    with road.mag.entered():
        assert road.output(road.program(road.mag, "nft", "list", "ruleset")) == ""
        road.access.start(road.receiver)
    with road.lma.entered():
        road.anchor.start(None)
