"""What nobody should send: packets in another's name, datagrams that mean nothing, crowds of strangers.

Every function is pure; the same ``random.Random`` gives the same octets.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from pmip_tw.addresses import ALL_ONES, BROADCAST_MAC, UNSPECIFIED, Endpoint, Ipv4, Mac
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.replay import ntp_timestamp
from pmip_tw.secret import Secret
from pmip_tw.wire.arp import REQUEST, Arp
from pmip_tw.wire.dhcp import (
    BOOTREPLY,
    BOOTREQUEST,
    CLIENT_PORT,
    SERVER_PORT,
    DhcpMessage,
    MessageType,
    OptionCode,
)
from pmip_tw.wire.eap import Eap, EapCode
from pmip_tw.wire.eapol import EAP_PACKET, PAE_GROUP, START, Eapol
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_EAPOL, ETHERTYPE_IPV4, ethernet_frame
from pmip_tw.wire.icmp import ECHO_REQUEST, IcmpMessage
from pmip_tw.wire.ipv4 import PROTOCOL_ICMP, PROTOCOL_IP_IN_IP, Ipv4Packet
from pmip_tw.wire.pretunnel import PreTunnelRequest, ethernet_device
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation, RevocationAck
from pmip_tw.wire.udp import udp_packet

MARK: Final = b"in another's name"
"""Payload of every spoofed packet, to be looked for where none may arrive."""

_TYPES: Final = (1, 3, 7, 15, 4, 250)
_ALTERED: Final = 8
"""Octets of a message that chance changes at most."""


def echo_request(source: Ipv4, destination: Ipv4, payload: bytes = MARK, number: int = 0) -> bytes:
    """An IPv4 packet."""
    message = IcmpMessage(type=ECHO_REQUEST, code=0, rest=number, payload=payload)
    return Ipv4Packet(
        source=source, destination=destination, protocol=PROTOCOL_ICMP, payload=message.encode()
    ).encode()


def ip_frame(mac: Mac, gateway_mac: Mac, packet: bytes) -> bytes:
    """``packet``, sent from ``mac`` to the gateway."""
    return ethernet_frame(gateway_mac, mac, ETHERTYPE_IPV4, packet)


def arp_request(mac: Mac, sender_mac: Mac, sender: Ipv4, target: Ipv4) -> bytes:
    """A frame from ``mac`` that asks for ``target`` and says that ``sender`` is at ``sender_mac``."""
    request = Arp(
        operation=REQUEST,
        sender_mac=sender_mac,
        sender_address=sender,
        target_mac=Mac(bytes(6)),
        target_address=target,
    )
    return ethernet_frame(BROADCAST_MAC, mac, ETHERTYPE_ARP, request.encode())


def dhcp_discover(mac: Mac, chaddr: Mac, xid: int) -> bytes:
    """A frame from ``mac`` in which ``chaddr`` looks for an address."""
    message = DhcpMessage(
        op=BOOTREQUEST,
        xid=xid,
        chaddr=chaddr,
        options=((OptionCode.MESSAGE_TYPE, bytes([MessageType.DISCOVER])),),
    )
    return _dhcp(mac, Endpoint(UNSPECIFIED, CLIENT_PORT), Endpoint(ALL_ONES, SERVER_PORT), message)


def dhcp_release(mac: Mac, chaddr: Mac, address: Ipv4, server: Ipv4) -> bytes:
    """A frame from ``mac`` in which ``chaddr`` gives back ``address``."""
    kind = (OptionCode.MESSAGE_TYPE, bytes([MessageType.RELEASE]))
    options = (kind, (OptionCode.SERVER_IDENTIFIER, server.to_bytes(4, "big")))
    message = DhcpMessage(op=BOOTREQUEST, xid=1, chaddr=chaddr, ciaddr=address, options=options)
    return _dhcp(mac, Endpoint(address, CLIENT_PORT), Endpoint(ALL_ONES, SERVER_PORT), message)


def relayed_dhcp(mac: Mac) -> Iterator[bytes]:
    """Frames from ``mac``, which looks for an address as if it were behind a relay."""
    kind = (OptionCode.MESSAGE_TYPE, bytes([MessageType.DISCOVER]))
    agent = (OptionCode.RELAY_AGENT_INFORMATION, b"\1\4port")
    for message in (
        DhcpMessage(op=BOOTREQUEST, xid=1, chaddr=mac, options=(kind,), giaddr=Ipv4(0x0A010001)),
        DhcpMessage(op=BOOTREQUEST, xid=1, chaddr=mac, options=(kind,), hops=17),
        DhcpMessage(op=BOOTREQUEST, xid=1, chaddr=mac, options=(kind, agent)),
    ):
        yield _dhcp(mac, Endpoint(UNSPECIFIED, CLIENT_PORT), Endpoint(ALL_ONES, SERVER_PORT), message)


def dhcp_offer(mac: Mac, address: Ipv4) -> bytes:
    """A frame from ``mac``, which offers ``address`` as if it were a server."""
    kind = (OptionCode.MESSAGE_TYPE, bytes([MessageType.OFFER]))
    message = DhcpMessage(op=BOOTREPLY, xid=1, chaddr=mac, yiaddr=address, options=(kind,))
    return _dhcp(mac, Endpoint(UNSPECIFIED, CLIENT_PORT), Endpoint(ALL_ONES, SERVER_PORT), message)


def dhcp_with_options(mac: Mac, options: bytes) -> bytes:
    """A frame from ``mac`` in which it looks for an address with these octets after the magic cookie."""
    fixed = DhcpMessage(op=BOOTREQUEST, xid=1, chaddr=mac).encode()[: 236 + 4]
    packet = udp_packet(Endpoint(UNSPECIFIED, CLIENT_PORT), Endpoint(ALL_ONES, SERVER_PORT), fixed + options)
    return ethernet_frame(BROADCAST_MAC, mac, ETHERTYPE_IPV4, packet)


def _dhcp(mac: Mac, source: Endpoint, destination: Endpoint, message: DhcpMessage) -> bytes:
    packet = udp_packet(source, destination, message.encode())
    return ethernet_frame(BROADCAST_MAC, mac, ETHERTYPE_IPV4, packet)


def strangers(
    count: int, *, gateway_mac: Mac, gateway: Ipv4, destination: Ipv4, chance: Random
) -> Iterator[bytes]:
    """``count`` frames, each of a MAC of its own that nobody knows: a third DHCP, a third ARP, a third packets."""
    seen: set[bytes] = set()
    while len(seen) < count:
        number = len(seen)
        mac = Mac(b"\x06" + chance.randbytes(5))
        if mac in seen:
            continue
        seen.add(mac)
        address = Ipv4(gateway + 2 + chance.randrange(200))
        if number % 3 == 0:
            yield dhcp_discover(mac, mac, number)
        elif number % 3 == 1:
            yield arp_request(mac, mac, address, gateway)
        else:
            yield ip_frame(mac, gateway_mac, echo_request(address, destination, number=number))


def eapol_strangers(count: int, chance: Random) -> Iterator[bytes]:
    """``count`` frames of 802.1X, each of a MAC that nobody knows: beginnings, identities that nobody has asked for,
    a Success, which no supplicant may say, a body that is shorter than it says."""
    for number in range(count):
        mac = Mac(b"\x06" + chance.randbytes(5))
        identity = Eap(code=EapCode.RESPONSE, identifier=number & 0xFF, kind=1, data=b"somebody").encode()
        match number % 5:
            case 0 | 1:
                payload = Eapol(kind=START).encode()
            case 2:
                payload = Eapol(kind=EAP_PACKET, body=identity).encode()
            case 3:
                success = Eap(code=EapCode.SUCCESS, identifier=number & 0xFF)
                payload = Eapol(kind=EAP_PACKET, body=success.encode()).encode()
            case _:
                payload = Eapol(kind=EAP_PACKET, body=identity).encode()[:-1]
        yield ethernet_frame(PAE_GROUP, mac, ETHERTYPE_EAPOL, payload)


def forged_messages(
    *, nai: str, spi: int, home_address: Ipv4, home_agent: Ipv4, care_of_address: Ipv4, wall: float
) -> tuple[bytes, ...]:
    """One message of each kind that is right in everything but its authenticator; and tunnel data."""
    wrong = SecurityAssociation(spi, Secret(b"a key that nobody has"))
    identification = ntp_timestamp(wall)
    inner = echo_request(home_address, home_agent)
    return (
        RegistrationRequest(
            flags=COLOCATED | REVERSE_TUNNEL,
            lifetime=0,
            home_address=home_address,
            home_agent=home_agent,
            care_of_address=care_of_address,
            identification=identification,
            nai=nai.encode(),
        ).encode(mn_ha=wrong),
        RegistrationReply(
            code=0,
            lifetime=1800,
            home_address=home_address,
            home_agent=home_agent,
            identification=identification,
            nai=nai.encode(),
        ).encode(mn_ha=wrong),
        Revocation(
            from_home_agent=True,
            home_address=home_address,
            home_domain=home_agent,
            foreign_domain=care_of_address,
            identifier=1,
        ).encode(mn_ha=wrong),
        RevocationAck(home_address=home_address, identifier=1).encode(mn_ha=wrong),
        bytes((4, PROTOCOL_IP_IN_IP, 0, 0)) + inner,
    )


def forged_pre_tunnel(
    *, nai: str, spi: int, mac: Mac, home_agent: Ipv4, care_of_address: Ipv4, wall: float
) -> bytes:
    """A pre-tunnel request that is right in everything but its authenticator."""
    request = PreTunnelRequest(
        home_agent=home_agent,
        care_of_address=care_of_address,
        identification=ntp_timestamp(wall),
        nai=nai.encode(),
        identifiers=(ethernet_device(mac),),
    )
    return request.encode(mn_ha=SecurityAssociation(spi, Secret(b"a key that nobody has")))


def meaningless(count: int, messages: Sequence[bytes], chance: Random) -> Iterator[bytes]:
    """``count`` datagrams: noise, noise that begins with a known type, ``messages`` whole, cut and altered."""
    for number in range(count):
        message = messages[number // 5 % len(messages)]
        match number % 5:
            case 0:
                yield chance.randbytes(chance.randrange(200))
            case 1:
                yield bytes([chance.choice(_TYPES)]) + chance.randbytes(chance.randrange(200))
            case 2:
                yield message
            case 3:
                yield message[: chance.randrange(len(message))]
            case _:
                altered = bytearray(message)
                for _ in range(chance.randint(1, _ALTERED)):
                    altered[chance.randrange(1, len(altered))] = chance.randrange(256)
                yield bytes(altered)
