"""pcapng files: what is written is what is read, and tshark reads it too."""

import contextlib
import io
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.errors import Malformed, Truncated, WireError
from pmip_tw.lab import pcapng
from pmip_tw.lab.pcapng import Direction, Packet, Writer

ARP = bytes.fromhex("ffffffffffff020000000001080600010800060400010200000000010a0100020000000000000a010001")
TIME = 1_700_000_000_123_456_789


def _write(path: Path, packets: list[Packet], taps: list[str]) -> None:
    with path.open("wb") as file:
        writer = Writer(file, taps, comment="for a test")
        for packet in packets:
            tap = taps.index(packet.tap)
            writer.write(tap, packet.time_ns, packet.direction, packet.octets, packet.original_length)


def _packet(tap: str, octets: bytes, direction: Direction = Direction.INBOUND) -> Packet:
    return Packet(tap=tap, time_ns=TIME, direction=direction, octets=octets, original_length=len(octets))


def test_packets_come_back_with_tap_time_and_direction(tmp_path: Path) -> None:
    path = tmp_path / "two.pcapng"
    packets = [_packet("mn", ARP, Direction.OUTBOUND), _packet("mag1-core", ARP[:-1]), _packet("mn", b"")]
    _write(path, packets, ["mn", "mag1-core"])
    assert list(pcapng.read(path)) == packets


def test_a_cut_packet_remembers_its_length(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcapng"
    cut = Packet(tap="mn", time_ns=TIME, direction=Direction.UNKNOWN, octets=ARP[:20], original_length=1500)
    _write(path, [cut], ["mn"])
    assert list(pcapng.read(path)) == [cut]


def test_packets_of_several_taps_are_put_in_order_of_time(tmp_path: Path) -> None:
    """Of two in the same instant the one that was written first stays first."""
    path = tmp_path / "sorted.pcapng"
    times = [("mn", 5), ("mn", 9), ("lma", 2), ("lma", 5), ("mn", 1 << 40)]
    packets = [
        Packet(tap=tap, time_ns=ns, direction=Direction.INBOUND, octets=ARP[:20], original_length=1500)
        for tap, ns in times
    ]
    _write(path, packets, ["lma", "mn"])
    pcapng.sort_by_time(path)
    assert list(pcapng.read(path)) == sorted(packets, key=lambda packet: packet.time_ns)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_ends_inside_a_block_says_so(tmp_path: Path) -> None:
    path = tmp_path / "short.pcapng"
    _write(path, [_packet("mn", ARP)], ["mn"])
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(Truncated):
        list(pcapng.read(path))


def test_a_packet_of_an_unknown_tap_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    writer = Writer(file, ["mn"])
    writer.write(7, TIME, Direction.INBOUND, ARP, len(ARP))
    path = tmp_path / "unknown.pcapng"
    path.write_bytes(file.getvalue())
    with pytest.raises(Malformed):
        list(pcapng.read(path))


@given(
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6), cut=st.integers(0, 500)
)
def test_a_damaged_file_gives_packets_or_a_wire_error(
    changes: list[tuple[int, int]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.pcapng"
    _write(path, [_packet("mn", ARP), _packet("mn", ARP[:31])], ["mn", "mag1-core"])
    octets = bytearray(path.read_bytes())
    for place, value in changes:
        octets[place % len(octets)] = value
    path.write_bytes(octets[:cut])
    with contextlib.suppress(WireError):
        list(pcapng.read(path))


def test_tshark_shows_taps_and_nanoseconds(tmp_path: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    path = tmp_path / "shown.pcapng"
    _write(path, [_packet("mn", ARP), _packet("mag1-core", ARP)], ["mn", "mag1-core"])
    fields = ["-e", "frame.interface_name", "-e", "frame.time_epoch", "-e", "arp.src.proto_ipv4"]
    shown = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-T", "fields", *fields], capture_output=True, text=True, check=True
    )
    assert shown.stdout.splitlines() == [
        "mn\t1700000000.123456789\t10.1.0.2",
        "mag1-core\t1700000000.123456789\t10.1.0.2",
    ]
