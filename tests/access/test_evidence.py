"""Attachment evidence: what a node does, and never what a bridge or an idle stack sends by itself."""

import attrs
import pytest

from pmip_tw.access.evidence import Evidence, EvidenceKind, evidence
from pmip_tw.addresses import ALL_ONES, BROADCAST_MAC, UNSPECIFIED, Endpoint, Ipv4, Mac, ipv4, mac
from pmip_tw.wire.arp import REPLY, REQUEST, Arp
from pmip_tw.wire.dhcp import BOOTREQUEST, DhcpMessage, MessageType
from pmip_tw.wire.ethernet import (
    ETHERTYPE_ARP,
    ETHERTYPE_EAPOL,
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    EthernetFrame,
)
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

NODE = mac("02:00:00:00:00:01")
GATEWAY_MAC = mac("02:00:5e:50:4d:49")
HOME, GATEWAY, FAR = ipv4("10.20.0.5"), ipv4("10.20.0.1"), ipv4("192.0.2.80")
LINK_LOCAL = ipv4("169.254.7.9")


def frame(
    ethertype: int, payload: bytes, destination: Mac = GATEWAY_MAC, source: Mac = NODE
) -> EthernetFrame:
    return EthernetFrame(destination=destination, source=source, ethertype=ethertype, payload=payload)


def packet(source: Ipv4 = HOME, destination: Ipv4 = FAR) -> bytes:
    return udp_packet(Endpoint(source, 4000), Endpoint(destination, 53), b"data")


def arp(
    sender: Ipv4 = HOME, target: Ipv4 = GATEWAY, operation: int = REQUEST, sender_mac: Mac = NODE
) -> bytes:
    return Arp(
        operation=operation,
        sender_mac=sender_mac,
        sender_address=sender,
        target_mac=Mac(bytes(6)),
        target_address=target,
    ).encode()


def dhcp(
    kind: MessageType,
    *,
    requested: Ipv4 | None = None,
    ciaddr: Ipv4 = UNSPECIFIED,
    destination: Ipv4 = ALL_ONES,
    **fields: int | Mac,
) -> bytes:
    options = [(53, bytes((kind,)))]
    if requested is not None:
        options.append((50, requested.to_bytes(4, "big")))
    values = {"op": BOOTREQUEST, "xid": 1, "chaddr": NODE, **fields}
    message = DhcpMessage(ciaddr=ciaddr, options=tuple(options), **values)
    return udp_packet(Endpoint(ciaddr, 68), Endpoint(destination, 67), message.encode())


@covers("P5")
@pytest.mark.parametrize(
    ("seen", "kind", "address", "in_use"),
    [
        (frame(ETHERTYPE_IPV4, packet()), EvidenceKind.IPV4, HOME, True),
        (frame(ETHERTYPE_ARP, arp(), BROADCAST_MAC), EvidenceKind.ARP, HOME, True),
        (frame(ETHERTYPE_ARP, arp(), GATEWAY_MAC), EvidenceKind.ARP, HOME, True),
        (frame(ETHERTYPE_ARP, arp(target=HOME), BROADCAST_MAC), EvidenceKind.ARP, HOME, True),
        (
            frame(ETHERTYPE_IPV4, dhcp(MessageType.DISCOVER), BROADCAST_MAC),
            EvidenceKind.DHCP,
            UNSPECIFIED,
            False,
        ),
        (
            frame(ETHERTYPE_IPV4, dhcp(MessageType.DISCOVER, requested=HOME), BROADCAST_MAC),
            EvidenceKind.DHCP,
            HOME,
            False,
        ),
        (
            frame(ETHERTYPE_IPV4, dhcp(MessageType.DISCOVER, requested=ALL_ONES), BROADCAST_MAC),
            EvidenceKind.DHCP,
            UNSPECIFIED,
            False,
        ),
        (
            frame(ETHERTYPE_IPV4, dhcp(MessageType.REQUEST, ciaddr=HOME, destination=GATEWAY)),
            EvidenceKind.DHCP,
            HOME,
            True,
        ),
        (
            frame(ETHERTYPE_IPV4, dhcp(MessageType.INFORM, ciaddr=HOME), BROADCAST_MAC),
            EvidenceKind.DHCP,
            HOME,
            True,
        ),
        (frame(ETHERTYPE_ARP, arp(LINK_LOCAL), BROADCAST_MAC), EvidenceKind.ARP, UNSPECIFIED, False),
        (frame(ETHERTYPE_IPV4, packet(LINK_LOCAL)), EvidenceKind.IPV4, UNSPECIFIED, False),
    ],
    ids=[
        "packet",
        "arp",
        "arp unicast",
        "announcement",
        "discover",
        "discover wish",
        "impossible wish",
        "renewal",
        "inform",
        "link-local arp",
        "link-local packet",
    ],
)
def test_what_a_node_does_is_evidence(
    seen: EthernetFrame, kind: EvidenceKind, address: Ipv4, in_use: bool
) -> None:
    """An address that it sends from is in use, one that it asks for is a wish."""
    assert evidence(seen, GATEWAY_MAC) == Evidence(kind=kind, mac=NODE, address=address, in_use=in_use)


# A Linux bridge's own membership report: 0.0.0.0 to 224.0.0.22, with the router alert option.
IGMP = Ipv4Packet(
    source=UNSPECIFIED,
    destination=ipv4("224.0.0.22"),
    protocol=2,
    ttl=1,
    options=b"\x94\x04\0\0",
    payload=bytes.fromhex("2200f9fd0000000104000000e00000fb"),
).encode()

NOT_EVIDENCE = {
    "igmp": frame(ETHERTYPE_IPV4, IGMP, mac("01:00:5e:00:00:16")),
    "igmp to the gateway": frame(ETHERTYPE_IPV4, IGMP),
    "ipv6": frame(ETHERTYPE_IPV6, b"\x60" + bytes(39), mac("33:33:00:00:00:16")),
    "eapol": frame(ETHERTYPE_EAPOL, b"\x02\x01\0\0", mac("01:80:c2:00:00:03")),
    "broadcast packet": frame(ETHERTYPE_IPV4, packet(destination=ALL_ONES), BROADCAST_MAC),
    "to another station": frame(ETHERTYPE_IPV4, packet(), mac("02:00:00:00:00:09")),
    "no source address": frame(ETHERTYPE_IPV4, packet(source=UNSPECIFIED)),
    "multicast source address": frame(ETHERTYPE_IPV4, packet(source=ipv4("224.0.0.1"))),
    "cut header": frame(ETHERTYPE_IPV4, packet()[:19]),
    "header length 4": frame(ETHERTYPE_IPV4, b"\x44" + packet()[1:]),
    "version 6": frame(ETHERTYPE_IPV4, b"\x65" + packet()[1:]),
    "probe": frame(ETHERTYPE_ARP, arp(UNSPECIFIED, HOME), BROADCAST_MAC),
    "arp reply": frame(ETHERTYPE_ARP, arp(operation=REPLY)),
    "arp of another": frame(ETHERTYPE_ARP, arp(sender_mac=mac("02:00:00:00:00:02")), BROADCAST_MAC),
    "cut arp": frame(ETHERTYPE_ARP, arp()[:20], BROADCAST_MAC),
    "group source": frame(ETHERTYPE_ARP, arp(), BROADCAST_MAC, source=mac("03:00:00:00:00:01")),
    "zero source": frame(ETHERTYPE_IPV4, packet(), source=mac("00:00:00:00:00:00")),
    "gateway's own": frame(ETHERTYPE_ARP, arp(sender_mac=GATEWAY_MAC), BROADCAST_MAC, source=GATEWAY_MAC),
    "dhcp server": frame(ETHERTYPE_IPV4, dhcp(MessageType.OFFER, op=2), BROADCAST_MAC),
    "dhcp offer as a request": frame(ETHERTYPE_IPV4, dhcp(MessageType.OFFER), BROADCAST_MAC),
    "dhcp of another": frame(
        ETHERTYPE_IPV4, dhcp(MessageType.DISCOVER, chaddr=mac("02:00:00:00:00:02")), BROADCAST_MAC
    ),
    "dhcp to another station": frame(
        ETHERTYPE_IPV4, dhcp(MessageType.REQUEST, ciaddr=HOME, destination=GATEWAY), mac("02:00:00:00:00:09")
    ),
    "dhcp cut": frame(ETHERTYPE_IPV4, dhcp(MessageType.DISCOVER)[:200], BROADCAST_MAC),
    "release": frame(ETHERTYPE_IPV4, dhcp(MessageType.RELEASE, ciaddr=HOME, destination=GATEWAY)),
}


@covers("P15")
@pytest.mark.parametrize("name", NOT_EVIDENCE)
def test_what_is_no_evidence(name: str) -> None:
    assert evidence(NOT_EVIDENCE[name], GATEWAY_MAC) is None


def test_it_is_about_the_frames_source_only() -> None:
    """Each node's frame names that node, whatever came before."""
    other = mac("02:00:00:00:00:07")
    seen = evidence(attrs.evolve(frame(ETHERTYPE_IPV4, packet()), source=other), GATEWAY_MAC)
    assert seen is not None
    assert seen.mac == other
