"""What a registered mobile node is told in the name of its home network: DHCP, ARP, ICMP (P53-P60)."""

import attrs

from pmip_tw.access import homelink
from pmip_tw.dhcp import requests, server
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.dhcp.requests import RequestKind
from pmip_tw.errors import WireError
from pmip_tw.mag import observed
from pmip_tw.mag.effects import MagEffect, Transmit
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.arp import Arp
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame
from pmip_tw.wire.ipv4 import Ipv4Packet

LEASE_GRACE = 0.1
"""Part of the lease that a node may be late by (D22)."""

_EXPIRED = "DHCP lease expired"
_OTHER_SERVER = "it chose another DHCP server"

OTHER_SERVER_GRACE = 10.0
"""Seconds until a node that chose another DHCP server is de-registered."""

MAX_DHCP_WAIT = 4.0
"""Seconds that a DHCP message is worth answering; then the client's retransmission is (RFC 2131 4.1)."""


_CLAIMS = (RequestKind.SELECTING, RequestKind.INIT_REBOOT, RequestKind.RENEWING)


@attrs.frozen(slots=True)
class Told:
    """``effects`` to carry out; ``leaves``: why the node is to be de-registered, "" if it stays."""

    effects: list[MagEffect]
    leaves: str = ""


class HomeSide:
    """The home link as the MAG imitates it."""

    def __init__(self, policy: MagPolicy) -> None:
        self._policy = policy

    def read_dhcp(
        self, visitor: Visitor | None, frame: EthernetFrame
    ) -> DhcpMessage | requests.Refusal | None:
        """The DHCP client message in ``frame``, if it is one. Raises WireError."""
        known = None
        if visitor is not None and visitor.home_address:
            known = self._policy.home_link(visitor.home_address).gateway
        return requests.client_message(frame, known)

    def frame(self, visitor: Visitor, frame: EthernetFrame, now: Now) -> Told:
        """A frame of a registered node that the packet plane did not carry."""
        link = self._policy.home_link(visitor.home_address)
        try:
            message = self.read_dhcp(visitor, frame)
            if isinstance(message, requests.Refusal):
                return self._dropped(visitor, message)
            if message is not None:
                return self.dhcp(visitor, message, now)
            if frame.ethertype == ETHERTYPE_ARP:
                return self._arp(visitor, link, Arp.decode(frame.payload))
            if frame.ethertype == ETHERTYPE_IPV4 and frame.destination == self._policy.gateway_mac:
                return self._last_hop(visitor, link, Ipv4Packet.decode(frame.payload))
        except WireError as error:
            return self._dropped(visitor, error.reason, str(error))
        return Told([])

    def dhcp(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        """The table of docs/requirements.md, for a node whose registration is accepted (D23)."""
        link = self._policy.home_link(visitor.home_address)
        asked = requests.classify(message, visitor.home_address, link).kind
        if asked is RequestKind.RELEASE:
            return Told([observed.visitor_event("dhcp-release", visitor)], leaves="released by DHCP")
        if asked is RequestKind.DECLINE:
            return Told([observed.visitor_event("dhcp-decline", visitor)], leaves="address declined by DHCP")
        if asked is RequestKind.OTHER_SERVER:
            if message.message_type is not MessageType.REQUEST:
                return self._dropped(visitor, "dhcp-ignored")  # what it gives back there is not ours
            visitor.lease_ends = now.monotonic + OTHER_SERVER_GRACE
            visitor.lease_cause = _OTHER_SERVER
            return Told([observed.visitor_event("dhcp-other-server", visitor)])
        lease = self._lease(visitor, link, message, now)
        answer = server.answer(message, visitor.home_address, link, lease)
        if answer is None:
            return self._dropped(visitor, "dhcp-ignored")
        kind = answer.message_type
        if kind is MessageType.ACK and asked is not RequestKind.INFORM:
            visitor.lease_ends, visitor.lease_cause = now.monotonic + lease * (1 + LEASE_GRACE), _EXPIRED
        return Told([self._transmit(visitor, answer, link), _told(visitor, answer, lease)])

    def refuse(self, visitor: Visitor, message: DhcpMessage) -> list[MagEffect]:
        """No registration: NAK to whoever claims an address of ours, silence to whoever looks for one."""
        link = self._policy.home_link(message.requested_address or message.ciaddr)
        if requests.classify(message, None, link).kind not in _CLAIMS:
            return []
        nak = server.nak(message, link.gateway)
        return [self._transmit(visitor, nak, link), _told(visitor, nak, 0)]

    def probe(self, visitor: Visitor) -> Transmit:
        """Is it still there? A unicast ARP request that any host answers (P15)."""
        link = self._policy.home_link(visitor.home_address)
        frame = homelink.arp_probe(visitor.home_address, visitor.mac, link.gateway, self._policy.gateway_mac)
        return Transmit(visitor.key.port, frame)

    def _arp(self, visitor: Visitor, link: HomeConfiguration, request: Arp) -> Told:
        answer = homelink.arp_answer(
            request,
            visitor.mac,
            home_address=visitor.home_address,
            prefix=link.prefix,
            gateway=link.gateway,
            gateway_mac=self._policy.gateway_mac,
        )
        return self._answer(visitor, answer)

    def _last_hop(self, visitor: Visitor, link: HomeConfiguration, packet: Ipv4Packet) -> Told:
        answer = homelink.echo_answer(
            packet,
            visitor.mac,
            home_address=visitor.home_address,
            gateway=link.gateway,
            gateway_mac=self._policy.gateway_mac,
        )
        return self._answer(visitor, answer)

    def _answer(self, visitor: Visitor, answer: bytes | homelink.Refusal | None) -> Told:
        if answer is None:
            return Told([])
        if isinstance(answer, homelink.Refusal):
            return self._dropped(visitor, answer)
        return Told([Transmit(visitor.key.port, answer)])

    def _dropped(self, visitor: Visitor, reason: str, cause: str = "") -> Told:
        return Told([observed.frame_dropped(visitor.key, reason, nai=visitor.nai, cause=cause)])

    def _transmit(self, visitor: Visitor, reply: DhcpMessage, link: HomeConfiguration) -> Transmit:
        frame = server.encapsulate(reply, visitor.mac, self._policy.gateway_mac, link.gateway)
        return Transmit(visitor.key.port, frame)

    @staticmethod
    def _lease(visitor: Visitor, link: HomeConfiguration, message: DhcpMessage, now: Now) -> int:
        left = None if visitor.grant is None else visitor.grant.ends_at - now.monotonic
        return server.lease_time(link.lease_time, left, message.lease_time)


def _told(visitor: Visitor, reply: DhcpMessage, lease: int) -> MagEffect:
    kind = reply.message_type
    assert kind is not None
    return observed.visitor_event(f"dhcp-{kind.name.lower()}", visitor, lease=lease)
