"""What a registered mobile node is told in the name of its home network: ARP and ICMP here, DHCP as configured."""

from pmip_tw.access import homelink
from pmip_tw.dhcp import requests
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.errors import WireError
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import Addressing, Told
from pmip_tw.mag.effects import Transmit
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.arp import Arp
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame
from pmip_tw.wire.ipv4 import Ipv4Packet


class HomeSide:
    """The home link as the MAG imitates it (P53-P60)."""

    def __init__(self, policy: MagPolicy, links: HomeLinks, addressing: Addressing) -> None:
        self._policy = policy
        self._links = links
        self._addressing = addressing

    def frame(self, visitor: Visitor, frame: EthernetFrame, now: Now) -> Told:
        """A frame of a registered node that the packet plane did not carry."""
        link = self._links.of(visitor.home_address)
        try:
            message = self._addressing.read(visitor, frame)
            if isinstance(message, requests.Refusal):
                return self._dropped(visitor, message)
            if message is not None:
                return self._addressing.dhcp(visitor, message, now)
            if frame.ethertype == ETHERTYPE_ARP:
                return self._arp(visitor, link, Arp.decode(frame.payload), now)
            if frame.ethertype == ETHERTYPE_IPV4 and frame.destination == self._policy.gateway_mac:
                return self._last_hop(visitor, link, Ipv4Packet.decode(frame.payload))
        except WireError as error:
            return self._dropped(visitor, error.reason, str(error))
        return Told()

    def probe(self, visitor: Visitor) -> Transmit:
        """Is it still there? A unicast ARP request that any host answers (P15)."""
        address = visitor.home_address or visitor.hint
        link = self._links.of(address)
        frame = homelink.arp_probe(address, visitor.mac, link.gateway, self._policy.gateway_mac)
        return Transmit(visitor.key.port, frame)

    def _arp(self, visitor: Visitor, link: HomeConfiguration, request: Arp, now: Now) -> Told:
        if request.sender_address == visitor.home_address:
            visitor.doubt = None
        answer = homelink.arp_answer(
            request,
            visitor.mac,
            home_address=visitor.home_address,
            prefix=link.prefix,
            gateway=link.gateway,
            gateway_mac=self._policy.gateway_mac,
        )
        told = self._answer(visitor, answer)
        if answer is not homelink.Refusal.SPOOFED_ARP_ADDRESS:
            return told
        another = self._addressing.uses_another(visitor, request.sender_address, now)
        probes = [] if visitor.doubt is None or another.leaves else [self.probe(visitor)]
        return Told(effects=[*told.effects, *probes], leaves=another.leaves)

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
            return Told()
        if isinstance(answer, homelink.Refusal):
            return self._dropped(visitor, answer)
        return Told(effects=[Transmit(visitor.key.port, answer)])

    def _dropped(self, visitor: Visitor, reason: str, cause: str = "") -> Told:
        return Told(effects=[observed.frame_dropped(visitor, reason, cause)])
