"""Telling a node that its LMA has ended its session, where the LMA wants that (RV33, RV40)."""

from pmip_tw.addresses import Mac
from pmip_tw.dhcp import requests, server
from pmip_tw.errors import WireError
from pmip_tw.mag import observed
from pmip_tw.mag.effects import MagEffect, Transmit
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.newest import Newest
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.eapol import eap_failure
from pmip_tw.wire.ethernet import EthernetFrame

REMEMBERED = 3600.0
"""Seconds in which a node that keeps its address asks by DHCP again; most leases are no longer."""

_MOST = 4096


class Informing:
    """``on_revoke``: what is done to a node; a handover's revocation does not ask for it."""

    def __init__(self, policy: MagPolicy, links: HomeLinks) -> None:
        self._policy = policy
        self._links = links
        self._owed: Newest[Mac, float] = Newest(_MOST)

    def inform(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """The LMA asked to tell ``visitor``, which is served no more."""
        if self._policy.on_revoke == "l2_disconnect":
            noted = observed.visitor_event("node-disconnected", visitor)
            return [Transmit(visitor.key.port, eap_failure(visitor.mac, self._policy.gateway_mac)), noted]
        if self._policy.on_revoke == "dhcp_nak":
            self._owed[visitor.mac] = now.monotonic + REMEMBERED
        return []

    def owes(self, mac: Mac) -> bool:
        """Whether the next DHCP request of ``mac`` is to be refused."""
        return mac in self._owed

    def frame(self, key: AccessKey, frame: EthernetFrame, now: Now) -> list[MagEffect] | None:
        """The NAK for a node that wants to keep its address; None for any other frame."""
        try:
            message = requests.client_message(frame, None)
        except WireError:
            return None
        if not isinstance(message, DhcpMessage) or message.message_type is MessageType.INFORM:
            return None
        until = self._owed.pop(key.mac)  # once: whatever it asks for, it begins anew afterwards
        address = message.requested_address or message.ciaddr
        link = self._links.of(address)
        if until < now.monotonic or message.message_type is not MessageType.REQUEST:
            return None
        nak = server.encapsulate(
            server.nak(message, link.gateway), key.mac, self._policy.gateway_mac, link.gateway
        )
        return [Transmit(key.port, nak), observed.refused_by_dhcp(key)]
