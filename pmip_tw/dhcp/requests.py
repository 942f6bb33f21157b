"""What a mobile node asks by DHCP, and whether it may ask it."""

from enum import Enum, StrEnum
from typing import Final

import attrs

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.wire.dhcp import BOOTREQUEST, CLIENT_PORT, SERVER_PORT, DhcpMessage, MessageType, OptionCode
from pmip_tw.wire.ethernet import ETHERTYPE_IPV4, EthernetFrame
from pmip_tw.wire.ipv4 import PROTOCOL_UDP, Ipv4Packet
from pmip_tw.wire.udp import UdpDatagram

HOPS_OF_DHCP: Final = 16
"""No relay passes on what has come through more (RFC 1542 4.1.1, D3): a node that says so is no client."""

_CLIENT_TO_SERVER: Final = CLIENT_PORT.to_bytes(2, "big") + SERVER_PORT.to_bytes(2, "big")


class Refusal(StrEnum):
    """Why a message gets no answer, as a word for counters."""

    NOT_A_REQUEST = "dhcp-not-a-request"
    """A server's message from a mobile node (D10)."""
    SPOOFED_CHADDR = "dhcp-spoofed-chaddr"
    """``chaddr`` is not the frame's source (D24, D35)."""
    SPOOFED_SOURCE = "dhcp-spoofed-source"
    """It speaks about ``ciaddr`` and comes from another address (D35)."""
    RELAYED = "dhcp-relayed"
    """It pretends to come through a relay: giaddr, too many hops, or option 82 (D3, D7)."""


class RequestKind(Enum):
    """The client's state when it asked (RFC 2131 4.3.2)."""

    DISCOVER = "discover"
    SELECTING = "selecting"
    INIT_REBOOT = "init-reboot"
    RENEWING = "renewing"
    """Rebinding as well: the two differ only in where they are sent."""
    RELEASE = "release"
    DECLINE = "decline"
    INFORM = "inform"
    OTHER_SERVER = "other-server"
    """It chose another server's offer, or talks to that server."""
    IGNORED = "ignored"
    """Nothing that a client may ask for, or about an address that is not its own."""


@attrs.frozen(slots=True, kw_only=True)
class Request:
    """``address`` is the one the client speaks of: option 50, else ciaddr, 0.0.0.0 if it names none."""

    kind: RequestKind
    address: Ipv4


def client_message(frame: EthernetFrame, server: Ipv4 | None) -> DhcpMessage | Refusal | None:
    """The DHCP message that a client on the access link sent in ``frame``; None if the frame is something else.

    ``server`` is the server identifier that the node knows: what it sends to another server is its own traffic.
    None while nothing is known about the node; then every server may be meant (D21). Raises WireError for a
    broken IPv4 packet, and for a datagram between the DHCP ports that cannot be decoded.
    """
    if frame.ethertype != ETHERTYPE_IPV4:
        return None
    packet = Ipv4Packet.decode(frame.payload)
    if packet.protocol != PROTOCOL_UDP or packet.is_fragment:
        return None
    if packet.destination != ALL_ONES and server is not None and packet.destination != server:
        return None
    # The ports alone decide whose datagram it is; only then is it worth being checked.
    if packet.payload[:4] != _CLIENT_TO_SERVER:
        return None
    message = DhcpMessage.decode(UdpDatagram.decode(packet).payload)
    if message.op != BOOTREQUEST:
        return Refusal.NOT_A_REQUEST
    if message.chaddr != frame.source:
        return Refusal.SPOOFED_CHADDR
    if message.giaddr or message.hops > HOPS_OF_DHCP:
        return Refusal.RELAYED
    if message.option(OptionCode.RELAY_AGENT_INFORMATION) is not None:
        return Refusal.RELAYED
    if message.ciaddr and packet.source not in (UNSPECIFIED, message.ciaddr):
        return Refusal.SPOOFED_SOURCE
    return message


def classify(
    message: DhcpMessage, home_address: Ipv4 | None, configuration: HomeConfiguration | None
) -> Request:
    """What ``message`` asks, by the table of RFC 2131 4.3.6.

    ``home_address`` and ``configuration`` are the node's if it is registered. Without them a message to another
    server, or a release of another's address, cannot be told and is classified by its form alone.
    """
    kind = _kind(message)
    requested = message.requested_address or message.ciaddr
    address = message.ciaddr if kind in _SPEAKS_OF_CIADDR else requested
    chosen = message.server_identifier
    if configuration is not None and kind in _NAMES_A_SERVER and chosen not in (None, configuration.gateway):
        kind = RequestKind.OTHER_SERVER
    elif home_address is not None and kind in _NOT_FOR_OTHERS and address != home_address:
        # A release or decline of another's address must not end anything (D35).
        kind = RequestKind.IGNORED
    return Request(kind=kind, address=address)


_SPEAKS_OF_CIADDR: Final = frozenset((RequestKind.RENEWING, RequestKind.RELEASE, RequestKind.INFORM))
_NAMES_A_SERVER: Final = frozenset((RequestKind.SELECTING, RequestKind.RELEASE, RequestKind.DECLINE))
_NOT_FOR_OTHERS: Final = frozenset((RequestKind.RELEASE, RequestKind.DECLINE, RequestKind.INFORM))


def _kind(message: DhcpMessage) -> RequestKind:
    match message.message_type:
        case MessageType.DISCOVER:
            return RequestKind.DISCOVER
        case MessageType.REQUEST if message.server_identifier is not None:
            return RequestKind.SELECTING
        case MessageType.REQUEST if message.ciaddr:
            return RequestKind.RENEWING
        case MessageType.REQUEST if message.requested_address:
            return RequestKind.INIT_REBOOT
        case MessageType.RELEASE if message.ciaddr:
            return RequestKind.RELEASE
        case MessageType.DECLINE if message.requested_address:
            return RequestKind.DECLINE
        case MessageType.INFORM if message.ciaddr:
            return RequestKind.INFORM
        case _:
            return RequestKind.IGNORED
