"""The answers of the DHCP server that a MAG shows to its mobile nodes (P60, D19-D25).

It leases nothing by itself: the address comes from the node's registration, and no ACK is made before that was
accepted (D23). So these are functions of a message and of the registration it meets.
"""

from typing import Final

import attrs

from pmip_tw.addresses import ALL_ONES, BROADCAST_MAC, UNSPECIFIED, Endpoint, Ipv4, Mac
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.dhcp.requests import RequestKind, classify
from pmip_tw.wire.dhcp import (
    BOOTREPLY,
    CLIENT_PORT,
    SERVER_PORT,
    DhcpMessage,
    MessageType,
    Option,
    OptionCode,
)
from pmip_tw.wire.ethernet import ETHERTYPE_IPV4, ethernet_frame
from pmip_tw.wire.udp import udp_packet

MINIMUM_LEASE: Final = 60


def lease_time(configured: int, remaining_lifetime: float | None, requested: int | None) -> int:
    """Seconds of lease: the least of the three, and at least 60 (D19).

    ``remaining_lifetime`` is what is left of the registration, None if it never ends; ``requested`` is the
    client's option 51, None if it named none.
    """
    least: float = configured
    if remaining_lifetime is not None:
        least = min(least, remaining_lifetime)
    if requested is not None:
        least = min(least, requested)
    return max(MINIMUM_LEASE, int(least))


def answer(
    message: DhcpMessage, home_address: Ipv4, configuration: HomeConfiguration, lease: int
) -> DhcpMessage | None:
    """What a node whose registration with ``home_address`` was accepted is told; None for silence.

    ``lease`` is in seconds, from ``lease_time``. Releases and declines have no answer: the caller acts on them.
    """
    request = classify(message, home_address, configuration)
    match request.kind:
        case RequestKind.DISCOVER:
            return _grant(message, MessageType.OFFER, home_address, configuration, lease)
        case RequestKind.SELECTING | RequestKind.INIT_REBOOT | RequestKind.RENEWING:
            if request.address != home_address:
                return nak(message, configuration.gateway)
            return _grant(message, MessageType.ACK, home_address, configuration, lease)
        case RequestKind.INFORM:
            # It keeps its address: the link without a lease (RFC 2131 4.3.5).
            link = _link_options(configuration)
            return _reply(message, MessageType.ACK, configuration.gateway, link)
        case _:
            return None


def nak(message: DhcpMessage, server_identifier: Ipv4) -> DhcpMessage:
    """Tells the client to begin again, because its address is not valid here (RFC 2131 4.3.2)."""
    reply = _reply(message, MessageType.NAK, server_identifier, ())
    return attrs.evolve(reply, ciaddr=UNSPECIFIED)


def encapsulate(reply: DhcpMessage, client_mac: Mac, gateway_mac: Mac, server: Ipv4) -> bytes:
    """The Ethernet frame that carries ``reply`` to a client on the link, as ``packet_for`` says."""
    mac, packet = packet_for(reply, client_mac, server)
    return ethernet_frame(mac, gateway_mac, ETHERTYPE_IPV4, packet)


def packet_for(reply: DhcpMessage, client_mac: Mac, server: Ipv4) -> tuple[Mac, bytes]:
    """The IPv4 packet that carries ``reply``, and to which MAC: a client cannot be asked by ARP yet (D9).

    RFC 2131 4.1: a NAK is broadcast; a client that has its address gets it there; else its broadcast flag
    decides.
    """
    address, mac = reply.ciaddr or reply.yiaddr, client_mac
    wants_broadcast = reply.broadcast and not reply.ciaddr
    if reply.message_type is MessageType.NAK or wants_broadcast or not address:
        address, mac = ALL_ONES, BROADCAST_MAC
    packet = udp_packet(Endpoint(server, SERVER_PORT), Endpoint(address, CLIENT_PORT), reply.payload())
    return mac, packet


def _grant(
    message: DhcpMessage,
    kind: MessageType,
    home_address: Ipv4,
    configuration: HomeConfiguration,
    lease: int,
) -> DhcpMessage:
    """An OFFER or ACK; T1 is half of the lease, T2 seven eighths (RFC 2131 4.4.5, D20)."""
    times = (
        (OptionCode.LEASE_TIME, _seconds(lease)),
        (OptionCode.RENEWAL_TIME, _seconds(lease // 2)),
        (OptionCode.REBINDING_TIME, _seconds(lease * 7 // 8)),
    )
    reply = _reply(message, kind, configuration.gateway, times + _link_options(configuration))
    ciaddr = message.ciaddr if kind is MessageType.ACK else UNSPECIFIED
    return attrs.evolve(reply, yiaddr=home_address, ciaddr=ciaddr)


def _reply(
    message: DhcpMessage, kind: MessageType, server_identifier: Ipv4, options: tuple[Option, ...]
) -> DhcpMessage:
    """What all answers have in common (RFC 2131 table 3); the client identifier goes back (RFC 6842 3)."""
    identifier = message.client_identifier
    echoed = () if identifier is None else ((OptionCode.CLIENT_IDENTIFIER, identifier),)
    return DhcpMessage(
        op=BOOTREPLY,
        xid=message.xid,
        flags=message.flags,
        ciaddr=message.ciaddr,
        giaddr=message.giaddr,
        chaddr=message.chaddr,
        options=(
            (OptionCode.MESSAGE_TYPE, bytes((kind,))),
            (OptionCode.SERVER_IDENTIFIER, _octets(server_identifier)),
            *options,
            *echoed,
        ),
    )


def _link_options(configuration: HomeConfiguration) -> tuple[Option, ...]:
    """The home link: mask, router, name servers if there are any (P70), MTU if it is to be told (D26)."""
    options: list[Option] = [
        (OptionCode.SUBNET_MASK, _octets(configuration.prefix.mask)),
        (OptionCode.ROUTERS, _octets(configuration.gateway)),
    ]
    if configuration.dns:
        options.append((OptionCode.DNS_SERVERS, b"".join(map(_octets, configuration.dns))))
    if configuration.mtu is not None:
        options.append((OptionCode.INTERFACE_MTU, configuration.mtu.to_bytes(2, "big")))
    return tuple(options)


def _octets(address: Ipv4) -> bytes:
    return address.to_bytes(4, "big")


def _seconds(seconds: int) -> bytes:
    return seconds.to_bytes(4, "big")
