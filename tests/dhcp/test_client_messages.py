"""Who may ask a MAG by DHCP, and what is asked: every row of RFC 2131's table of client states."""

import attrs
import pytest

from pmip_tw.addresses import ALL_ONES, BROADCAST_MAC, UNSPECIFIED, Endpoint, Ipv4, ipv4, mac, prefix
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.dhcp.requests import Refusal, Request, RequestKind, classify, client_message
from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.dhcp import BOOTREQUEST, DhcpMessage, MessageType, OptionCode
from pmip_tw.wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6, EthernetFrame
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers
from tests.vectors import vectors

VECTORS = {vector["name"]: vector for vector in vectors("dhcp")}
NODE = mac("02:00:00:00:00:01")
GATEWAY_MAC = mac("02:00:5e:50:4d:49")
HOME, GATEWAY = ipv4("10.20.0.5"), ipv4("10.20.0.1")
STRANGER = ipv4("10.20.0.66")
CONFIGURATION = HomeConfiguration(prefix=prefix("10.20.0.0/24"), gateway=GATEWAY)


def message(
    kind: MessageType, requested: Ipv4 | None = None, server: Ipv4 | None = None, ciaddr: Ipv4 = UNSPECIFIED
) -> DhcpMessage:
    options = [(OptionCode.MESSAGE_TYPE, bytes((kind,)))]
    if requested is not None:
        options.append((OptionCode.REQUESTED_ADDRESS, requested.to_bytes(4, "big")))
    if server is not None:
        options.append((OptionCode.SERVER_IDENTIFIER, server.to_bytes(4, "big")))
    return DhcpMessage(op=BOOTREQUEST, xid=7, chaddr=NODE, ciaddr=ciaddr, options=tuple(options))


def sent(
    payload: bytes | DhcpMessage,
    source: Ipv4 = UNSPECIFIED,
    destination: Ipv4 = ALL_ONES,
    *,
    ports: tuple[int, int] = (68, 67),
) -> EthernetFrame:
    octets = payload if isinstance(payload, bytes) else payload.encode()
    return EthernetFrame(
        destination=BROADCAST_MAC if destination == ALL_ONES else GATEWAY_MAC,
        source=NODE,
        ethertype=ETHERTYPE_IPV4,
        payload=udp_packet(Endpoint(source, ports[0]), Endpoint(destination, ports[1]), octets) + bytes(4),
    )


DISCOVER = message(MessageType.DISCOVER)


class TestRecognition:
    """Which frames are for the MAG's server, and which are the node's own business."""

    def test_discover_vector_in_a_broadcast_frame(self) -> None:
        octets = bytes.fromhex(VECTORS["discover-from-client"]["udp_payload_hex"])
        found = client_message(sent(octets), None)
        assert isinstance(found, DhcpMessage)
        assert found.encode() == octets

    @covers("D21")
    def test_renewal_vector_unicast_to_the_server_it_knows(self) -> None:
        """D21: captured, not routed."""
        octets = bytes.fromhex(VECTORS["renew-request-unicast"]["udp_payload_hex"])
        found = client_message(sent(octets, HOME, GATEWAY), GATEWAY)
        assert isinstance(found, DhcpMessage)
        assert found.ciaddr == HOME

    def test_unicast_to_another_server_is_the_nodes_own_traffic(self) -> None:
        frame = sent(message(MessageType.INFORM, ciaddr=HOME), HOME, ipv4("192.0.2.53"))
        assert client_message(frame, GATEWAY) is None

    def test_before_anything_is_known_any_server_is_meant(self) -> None:
        """A node that moved renews with an address this MAG has not heard of yet."""
        renewal = message(MessageType.REQUEST, ciaddr=HOME)
        assert client_message(sent(renewal, HOME, GATEWAY), None) == renewal

    @pytest.mark.parametrize("ports", [(68, 68), (67, 67), (67, 68), (4000, 53)])
    def test_other_ports(self, ports: tuple[int, int]) -> None:
        assert client_message(sent(DISCOVER, ports=ports), None) is None

    def test_other_protocols(self) -> None:
        frame = sent(DISCOVER)
        assert client_message(attrs.evolve(frame, ethertype=ETHERTYPE_IPV6), None) is None
        tcp = attrs.evolve(Ipv4Packet.decode(frame.payload), protocol=6).encode()
        assert client_message(attrs.evolve(frame, payload=tcp), None) is None
        fragment = attrs.evolve(Ipv4Packet.decode(frame.payload), more_fragments=True).encode()
        assert client_message(attrs.evolve(frame, payload=fragment), None) is None

    @covers("D2")
    def test_broken_messages_raise(self) -> None:
        with pytest.raises(Truncated):
            client_message(sent(DISCOVER.encode()[:200]), None)
        whole = sent(DISCOVER)
        damaged = attrs.evolve(whole, payload=whole.payload[:-5] + b"!" + whole.payload[-4:])
        with pytest.raises(Malformed, match="UDP checksum"):
            client_message(damaged, None)


class TestRefusals:
    """What a client must not send is named, so that it can be counted."""

    @covers("D24", "D35")
    def test_another_stations_hardware_address(self) -> None:
        """D24, D35."""
        spoofed = attrs.evolve(DISCOVER, chaddr=mac("02:00:00:00:00:02"))
        assert client_message(sent(spoofed), None) is Refusal.SPOOFED_CHADDR

    @covers("D10")
    def test_a_server_on_the_access_link(self) -> None:
        """D10."""
        assert client_message(sent(attrs.evolve(DISCOVER, op=2)), None) is Refusal.NOT_A_REQUEST

    @covers("D3", "D7")
    @pytest.mark.parametrize(
        "relayed",
        [
            attrs.evolve(DISCOVER, giaddr=ipv4("198.51.100.10")),
            attrs.evolve(DISCOVER, hops=17),
            attrs.evolve(DISCOVER, options=(*DISCOVER.options, (82, b"\x01\x01x"))),
        ],
        ids=["giaddr", "hops", "option 82"],
    )
    def test_relays(self, relayed: DhcpMessage) -> None:
        """D3, D7."""
        assert client_message(sent(relayed), None) is Refusal.RELAYED

    @covers("D35")
    def test_a_release_from_another_address(self) -> None:
        """D35: a spoofed release must not end a binding."""
        release = message(MessageType.RELEASE, server=GATEWAY, ciaddr=HOME)
        assert client_message(sent(release, STRANGER, GATEWAY), GATEWAY) is Refusal.SPOOFED_SOURCE
        assert client_message(sent(release, HOME, GATEWAY), GATEWAY) == release
        assert client_message(sent(release, UNSPECIFIED, GATEWAY), GATEWAY) == release


REGISTERED = [
    (message(MessageType.DISCOVER), RequestKind.DISCOVER, UNSPECIFIED),
    (message(MessageType.DISCOVER, requested=STRANGER), RequestKind.DISCOVER, STRANGER),
    (message(MessageType.REQUEST, HOME, GATEWAY), RequestKind.SELECTING, HOME),
    (message(MessageType.REQUEST, STRANGER, GATEWAY), RequestKind.SELECTING, STRANGER),
    (message(MessageType.REQUEST, HOME, ipv4("192.0.2.53")), RequestKind.OTHER_SERVER, HOME),
    (message(MessageType.REQUEST, HOME), RequestKind.INIT_REBOOT, HOME),
    (message(MessageType.REQUEST, ciaddr=HOME), RequestKind.RENEWING, HOME),
    (message(MessageType.REQUEST, STRANGER, ciaddr=HOME), RequestKind.RENEWING, HOME),
    (message(MessageType.REQUEST), RequestKind.IGNORED, UNSPECIFIED),
    (message(MessageType.RELEASE, server=GATEWAY, ciaddr=HOME), RequestKind.RELEASE, HOME),
    (message(MessageType.RELEASE, server=GATEWAY, ciaddr=STRANGER), RequestKind.IGNORED, STRANGER),
    (message(MessageType.RELEASE, HOME, GATEWAY, STRANGER), RequestKind.IGNORED, STRANGER),
    (message(MessageType.RELEASE, server=STRANGER, ciaddr=HOME), RequestKind.OTHER_SERVER, HOME),
    (message(MessageType.RELEASE, server=GATEWAY), RequestKind.IGNORED, UNSPECIFIED),
    (message(MessageType.DECLINE, HOME, GATEWAY), RequestKind.DECLINE, HOME),
    (message(MessageType.DECLINE, STRANGER, GATEWAY), RequestKind.IGNORED, STRANGER),
    (message(MessageType.INFORM, ciaddr=HOME), RequestKind.INFORM, HOME),
    (message(MessageType.INFORM, ciaddr=STRANGER), RequestKind.IGNORED, STRANGER),
    (message(MessageType.INFORM, server=STRANGER, ciaddr=HOME), RequestKind.INFORM, HOME),
    (message(MessageType.DISCOVER, server=STRANGER), RequestKind.DISCOVER, UNSPECIFIED),
    (message(MessageType.OFFER, HOME), RequestKind.IGNORED, HOME),
    (message(MessageType.LEASEQUERY, ciaddr=HOME), RequestKind.IGNORED, HOME),
]


@pytest.mark.parametrize(("asked", "kind", "address"), REGISTERED)
def test_what_a_registered_node_asks(asked: DhcpMessage, kind: RequestKind, address: Ipv4) -> None:
    """RFC 2131 4.3.6."""
    assert classify(asked, HOME, CONFIGURATION) == Request(kind=kind, address=address)


@covers("P5")
@pytest.mark.parametrize(
    ("asked", "kind", "hint"),
    [
        (message(MessageType.DISCOVER, requested=HOME), RequestKind.DISCOVER, HOME),
        (message(MessageType.REQUEST, HOME, STRANGER), RequestKind.SELECTING, HOME),
        (message(MessageType.REQUEST, HOME), RequestKind.INIT_REBOOT, HOME),
        (message(MessageType.REQUEST, ciaddr=HOME), RequestKind.RENEWING, HOME),
        (message(MessageType.RELEASE, server=STRANGER, ciaddr=HOME), RequestKind.RELEASE, HOME),
        (message(MessageType.INFORM, ciaddr=HOME), RequestKind.INFORM, HOME),
    ],
)
def test_an_unknown_node_is_classified_by_form_and_gives_a_hint(
    asked: DhcpMessage, kind: RequestKind, hint: Ipv4
) -> None:
    """The hint goes into the registration request."""
    assert classify(asked, None, None) == Request(kind=kind, address=hint)


def test_bootp_is_ignored() -> None:
    bootp = DhcpMessage(op=BOOTREQUEST, xid=1, chaddr=NODE)
    assert classify(bootp, HOME, CONFIGURATION).kind is RequestKind.IGNORED
