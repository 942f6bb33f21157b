"""MSS clamping."""

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.forwarding.mss import clamp, is_syn
from pmip_tw.wire.ipv4 import Ipv4Packet

from .packets import tcp_packet, transport_checksum_holds

NOP, END = b"\x01", b"\x00"
MSS_1460 = b"\x02\x04\x05\xb4"


@pytest.mark.parametrize(
    "options",
    [MSS_1460, NOP + NOP + MSS_1460 + b"\x04\x02" + NOP + NOP, NOP + MSS_1460 + NOP + NOP + NOP],
    ids=["alone", "among others", "at an odd octet"],
)
@pytest.mark.parametrize("flags", [0x02, 0x12], ids=["SYN", "SYN-ACK"])
def test_a_larger_mss_is_lowered_and_the_checksum_stays_right(options: bytes, flags: int) -> None:
    packet = tcp_packet(flags=flags, options=options)
    assert transport_checksum_holds(packet)
    assert is_syn(packet)
    changed = clamp(packet, 1468)
    assert changed == tcp_packet(flags=flags, options=options.replace(MSS_1460, b"\x02\x04\x05\x94"))
    assert transport_checksum_holds(changed)


@pytest.mark.parametrize(
    "options",
    [
        b"",
        b"\x02\x04\x02\x18",
        b"\x02\x03\x05\x00",
        b"\x02\x00\x05\xb4",
        b"\x08\xff\x00\x00",
        END + NOP * 3 + MSS_1460,
    ],
    ids=["none", "small already", "wrong length", "length 0", "length beyond the header", "behind the end"],
)
def test_anything_else_stays_as_it_is(options: bytes) -> None:
    packet = tcp_packet(flags=2, options=options)
    assert clamp(packet, 1468) == packet


def test_only_the_beginning_of_a_syn_counts() -> None:
    assert not is_syn(tcp_packet(flags=0x10))
    later = Ipv4Packet(
        source=ipv4("10.0.0.1"),
        destination=ipv4("10.0.0.2"),
        protocol=6,
        payload=b"\x02" * 40,
        fragment_offset=8,
    )
    assert not is_syn(later.encode())
    short = Ipv4Packet(
        source=ipv4("10.0.0.1"), destination=ipv4("10.0.0.2"), protocol=6, payload=b"\x02" * 19
    )
    assert not is_syn(short.encode())
