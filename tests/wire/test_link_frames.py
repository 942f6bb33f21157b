"""Ethernet frames and ARP packets, octet by octet."""

import pytest

from pmip_tw.addresses import UNSPECIFIED, ipv4, mac
from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.arp import REPLY, REQUEST, Arp
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, EthernetFrame, ethernet_frame, is_individual

NODE = mac("02:00:00:00:00:01")
GATEWAY = mac("02:00:5e:50:4d:49")

# Who has 10.20.0.1? Tell 10.20.0.5
REQUEST_OCTETS = bytes.fromhex("0001 0800 0604 0001 020000000001 0a140005 000000000000 0a140001")


def test_frame_is_destination_source_type_payload() -> None:
    frame = ethernet_frame(GATEWAY, NODE, ETHERTYPE_ARP, b"payload")
    assert frame == bytes.fromhex("02005e504d49 020000000001 0806") + b"payload"
    decoded = EthernetFrame.decode(frame)
    assert (decoded.destination, decoded.source, decoded.ethertype) == (GATEWAY, NODE, ETHERTYPE_ARP)
    assert decoded.payload == b"payload"
    assert decoded.encode() == frame


def test_short_frame_is_truncated() -> None:
    with pytest.raises(Truncated):
        EthernetFrame.decode(bytes(13))


@pytest.mark.parametrize(
    ("address", "individual"),
    [
        ("02:00:00:00:00:01", True),
        ("00:00:00:00:01:00", True),
        ("00:00:00:00:00:00", False),
        ("ff:ff:ff:ff:ff:ff", False),
        ("01:00:5e:00:00:16", False),
    ],
)
def test_only_one_station_owns_an_individual_address(address: str, individual: bool) -> None:
    assert is_individual(mac(address)) is individual


def test_arp_request_with_padding() -> None:
    request = Arp.decode(REQUEST_OCTETS + bytes(18))
    assert request.operation == REQUEST
    assert (request.sender_mac, request.sender_address) == (NODE, ipv4("10.20.0.5"))
    assert request.target_address == ipv4("10.20.0.1")
    assert not request.is_probe
    assert not request.is_gratuitous
    assert request.encode() == REQUEST_OCTETS


def arp(operation: int, sender: str, target: str) -> Arp:
    return Arp(
        operation=operation,
        sender_mac=NODE,
        sender_address=ipv4(sender),
        target_mac=mac("00:00:00:00:00:00"),
        target_address=ipv4(target),
    )


def test_probe_and_announcement_are_recognized() -> None:
    """RFC 5227 2.1.1 and 2.3."""
    assert arp(REQUEST, "0.0.0.0", "10.20.0.5").is_probe
    assert not arp(REPLY, "0.0.0.0", "10.20.0.5").is_probe
    assert arp(REQUEST, "10.20.0.5", "10.20.0.5").is_gratuitous
    assert not arp(REQUEST, "0.0.0.0", "10.20.0.5").is_gratuitous
    assert arp(REQUEST, "0.0.0.0", "10.20.0.5").sender_address == UNSPECIFIED


@pytest.mark.parametrize("at", [0, 3, 4, 5])
def test_arp_of_another_family_is_malformed(at: int) -> None:
    octets = bytearray(REQUEST_OCTETS)
    octets[at] ^= 0xFF
    with pytest.raises(Malformed):
        Arp.decode(bytes(octets))


def test_short_arp_is_truncated() -> None:
    with pytest.raises(Truncated):
        Arp.decode(REQUEST_OCTETS[:-1])
