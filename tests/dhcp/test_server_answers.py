"""What a registered node is told by DHCP, and the frame that brings it."""

import attrs
import pytest

from pmip_tw.addresses import ALL_ONES, BROADCAST_MAC, UNSPECIFIED, Ipv4, ipv4, mac, prefix
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.dhcp.server import MINIMUM_LEASE, answer, encapsulate, lease_time, nak
from pmip_tw.wire.dhcp import BOOTREPLY, BOOTREQUEST, BROADCAST_FLAG, DhcpMessage, MessageType, OptionCode
from pmip_tw.wire.ethernet import ETHERTYPE_IPV4, EthernetFrame
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import UdpDatagram
from tests.conformance import covers
from tests.vectors import vectors

NODE = mac("02:00:00:00:00:01")
GATEWAY_MAC = mac("02:00:5e:50:4d:49")
HOME, GATEWAY, STRANGER = ipv4("10.20.0.5"), ipv4("10.20.0.1"), ipv4("10.20.0.66")
CONFIGURATION = HomeConfiguration(
    prefix=prefix("10.20.0.0/16"), gateway=GATEWAY, dns=(ipv4("10.20.0.53"), ipv4("192.0.2.53"))
)


def ask(
    kind: MessageType,
    requested: Ipv4 | None = None,
    server: Ipv4 | None = None,
    ciaddr: Ipv4 = UNSPECIFIED,
    **fields: int,
) -> DhcpMessage:
    options = [(OptionCode.MESSAGE_TYPE, bytes((kind,)))]
    if requested is not None:
        options.append((OptionCode.REQUESTED_ADDRESS, requested.to_bytes(4, "big")))
    if server is not None:
        options.append((OptionCode.SERVER_IDENTIFIER, server.to_bytes(4, "big")))
    options.append((OptionCode.CLIENT_IDENTIFIER, b"\x01" + NODE))
    return DhcpMessage(
        op=BOOTREQUEST, xid=0x11223344, chaddr=NODE, ciaddr=ciaddr, options=tuple(options), **fields
    )


def answered(message: DhcpMessage, lease: int = 600) -> DhcpMessage:
    reply = answer(message, HOME, CONFIGURATION, lease)
    assert reply is not None
    return reply


def test_offer_equals_the_vector_of_another_implementation() -> None:
    """offer-to-client: same request, same home link, option for option."""
    by_name = {vector["name"]: vector for vector in vectors("dhcp")}
    discover = DhcpMessage.decode(bytes.fromhex(by_name["discover-from-client"]["udp_payload_hex"]))
    expected = DhcpMessage.decode(bytes.fromhex(by_name["offer-to-client"]["udp_payload_hex"]))
    server = ipv4("198.51.100.10")
    configuration = HomeConfiguration(
        prefix=prefix("10.20.0.0/16"), gateway=server, dns=(ipv4("10.20.0.53"),)
    )
    offer = answer(discover, HOME, configuration, 600)
    assert offer is not None
    router = (OptionCode.ROUTERS, server.to_bytes(4, "big"))
    assert offer.options == tuple(router if code == 3 else (code, value) for code, value in expected.options)
    # The vector is a relayed offer, so its giaddr is the relay's.
    assert attrs.evolve(offer, options=()) == attrs.evolve(expected, options=(), giaddr=UNSPECIFIED)


@covers("P70", "D20")
def test_ack_has_all_that_a_host_needs() -> None:
    reply = answered(ask(MessageType.REQUEST, HOME, GATEWAY))
    assert reply.options == (
        (53, b"\x05"),
        (54, bytes((10, 20, 0, 1))),
        (51, (600).to_bytes(4, "big")),
        (58, (300).to_bytes(4, "big")),
        (59, (525).to_bytes(4, "big")),
        (1, bytes((255, 255, 0, 0))),
        (3, bytes((10, 20, 0, 1))),
        (6, bytes((10, 20, 0, 53, 192, 0, 2, 53))),
        (61, b"\x01" + NODE),
    )
    assert (reply.op, reply.xid, reply.chaddr) == (BOOTREPLY, 0x11223344, NODE)
    assert (reply.yiaddr, reply.siaddr, reply.giaddr) == (HOME, UNSPECIFIED, UNSPECIFIED)


@covers("D26")
def test_mtu_only_when_configured_and_dns_only_when_there_is_some() -> None:
    """D26."""
    assert answered(ask(MessageType.DISCOVER)).option(OptionCode.INTERFACE_MTU) is None
    bare = attrs.evolve(CONFIGURATION, mtu=1468, dns=())
    reply = answer(ask(MessageType.DISCOVER), HOME, bare, 600)
    assert reply is not None
    assert reply.option(OptionCode.INTERFACE_MTU) == (1468).to_bytes(2, "big")
    assert reply.option(OptionCode.DNS_SERVERS) is None


def test_no_client_identifier_is_invented() -> None:
    plain = DhcpMessage(op=BOOTREQUEST, xid=1, chaddr=NODE, options=((53, b"\x01"),))
    assert answered(plain).client_identifier is None


@covers("P60")
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (ask(MessageType.DISCOVER), MessageType.OFFER),
        (ask(MessageType.DISCOVER, STRANGER), MessageType.OFFER),
        (ask(MessageType.REQUEST, HOME, GATEWAY), MessageType.ACK),
        (ask(MessageType.REQUEST, STRANGER, GATEWAY), MessageType.NAK),
        (ask(MessageType.REQUEST, None, GATEWAY), MessageType.NAK),
        (ask(MessageType.REQUEST, HOME, ipv4("192.0.2.53")), None),
        (ask(MessageType.REQUEST, HOME), MessageType.ACK),
        (ask(MessageType.REQUEST, STRANGER), MessageType.NAK),
        (ask(MessageType.REQUEST, ciaddr=HOME), MessageType.ACK),
        (ask(MessageType.REQUEST, ciaddr=STRANGER), MessageType.NAK),
        (ask(MessageType.REQUEST), None),
        (ask(MessageType.RELEASE, None, GATEWAY, HOME), None),
        (ask(MessageType.DECLINE, HOME, GATEWAY), None),
        (ask(MessageType.INFORM, ciaddr=HOME), MessageType.ACK),
        (ask(MessageType.INFORM, ciaddr=STRANGER), None),
        (ask(MessageType.OFFER, HOME), None),
    ],
)
def test_every_row_of_the_table(asked: DhcpMessage, told: MessageType | None) -> None:
    """docs/requirements.md, DHCP at the MAG: for a registration that was accepted."""
    reply = answer(asked, HOME, CONFIGURATION, 600)
    assert (None if reply is None else reply.message_type) is told


def test_inform_gets_the_link_without_a_lease() -> None:
    """RFC 2131 4.3.5."""
    reply = answered(ask(MessageType.INFORM, ciaddr=HOME))
    assert (reply.yiaddr, reply.ciaddr) == (UNSPECIFIED, HOME)
    for code in (OptionCode.LEASE_TIME, OptionCode.RENEWAL_TIME, OptionCode.REBINDING_TIME):
        assert reply.option(code) is None
    assert reply.option(OptionCode.ROUTERS) == bytes((10, 20, 0, 1))


def test_nak_says_nothing_of_substance() -> None:
    reply = nak(ask(MessageType.REQUEST, ciaddr=STRANGER, flags=BROADCAST_FLAG), GATEWAY)
    assert reply.options == ((53, b"\x06"), (54, bytes((10, 20, 0, 1))), (61, b"\x01" + NODE))
    assert (reply.ciaddr, reply.yiaddr, reply.flags) == (UNSPECIFIED, UNSPECIFIED, BROADCAST_FLAG)


@covers("D19")
@pytest.mark.parametrize(
    ("configured", "remaining", "requested", "lease"),
    [
        (3600, 1800, None, 1800),
        (3600, 1799.9, None, 1799),
        (600, 1800, None, 600),
        (600, 1800, 300, 300),
        (600, None, None, 600),
        (600, float("inf"), 0xFFFFFFFF, 600),
        (600, 5, None, MINIMUM_LEASE),
        (600, 1800, 1, MINIMUM_LEASE),
        (600, -3, None, MINIMUM_LEASE),
    ],
)
def test_lease_is_the_least_of_three(
    configured: int, remaining: float | None, requested: int | None, lease: int
) -> None:
    """D19."""
    assert lease_time(configured, remaining, requested) == lease


def received(reply: DhcpMessage) -> tuple[EthernetFrame, Ipv4Packet, DhcpMessage]:
    frame = EthernetFrame.decode(encapsulate(reply, NODE, GATEWAY_MAC, GATEWAY))
    assert (frame.source, frame.ethertype) == (GATEWAY_MAC, ETHERTYPE_IPV4)
    packet = Ipv4Packet.decode(frame.payload)
    assert packet.source == GATEWAY
    datagram = UdpDatagram.decode(packet)
    assert (datagram.source_port, datagram.destination_port) == (67, 68)
    assert len(datagram.payload) >= 300
    return frame, packet, DhcpMessage.decode(datagram.payload)


@covers("D9")
@pytest.mark.parametrize(
    ("asked", "address", "hardware"),
    [
        (ask(MessageType.DISCOVER), HOME, NODE),
        (ask(MessageType.DISCOVER, flags=BROADCAST_FLAG), ALL_ONES, BROADCAST_MAC),
        (ask(MessageType.REQUEST, HOME), HOME, NODE),
        (ask(MessageType.REQUEST, ciaddr=HOME), HOME, NODE),
        (ask(MessageType.REQUEST, ciaddr=HOME, flags=BROADCAST_FLAG), HOME, NODE),
        (ask(MessageType.INFORM, ciaddr=HOME), HOME, NODE),
        (ask(MessageType.REQUEST, STRANGER), ALL_ONES, BROADCAST_MAC),
        (ask(MessageType.REQUEST, ciaddr=STRANGER), ALL_ONES, BROADCAST_MAC),
    ],
    ids=["offer", "offer-b", "ack", "renewal", "renewal-b", "inform", "nak", "nak-renewal"],
)
def test_where_the_answer_goes(asked: DhcpMessage, address: Ipv4, hardware: bytes) -> None:
    """RFC 2131 4.1 and 4.3.2."""
    reply = answered(asked)
    frame, packet, message = received(reply)
    assert (packet.destination, frame.destination) == (address, hardware)
    assert message == reply
