"""DHCP method "relay": the registration comes first, and the relayed DISCOVER waits for it (P61, D28).

node          MAG                   LMA      DHCP server
 |--DISCOVER-->|--registration------->|          |
 |             |<-accepted, address---|          |
 |             |--DISCOVER, its subnet---------->|
 |<-OFFER------|<---------------------------OFFER|

Both must give one address: the server by a reservation, for which it is told the NAI (option 82, subscriber id), or the
LMA by taking the server's word, with ``follow_dhcp``.
"""

from typing import Final

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.access.evidence import Evidence
from pmip_tw.addresses import UNSPECIFIED, Ipv4, Mac, ipv4_text
from pmip_tw.dhcp.questions import Answer
from pmip_tw.dhcp.relaying import Circuit
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import MAX_DHCP_WAIT, Told
from pmip_tw.mag.addressing.dhcp_first import PARTINGS
from pmip_tw.mag.addressing.relayed import Relayed
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.newest import Newest
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.dhcp import DhcpMessage, MessageType

FOLLOWED_FOR: Final = 60.0
"""Seconds in which a node is registered with what a server has offered it; no other offer is followed meanwhile."""

_MOST_FOLLOWED = 4096


@attrs.frozen(slots=True)
class _Followed:
    """What a server offered a node, and when, monotonic."""

    address: Ipv4
    at: float


class RegisteredFirst(Relayed):
    """A visitor's ``hint`` is what it is registered with, if the LMA has nothing against it."""

    lma_assigns = True

    def __init__(self, policy: MagPolicy, links: HomeLinks, visitors: VisitorList) -> None:
        super().__init__(policy, links, visitors)
        self._followed: Newest[Mac, _Followed] = Newest(_MOST_FOLLOWED)

    # What nodes do

    def admitted(self, visitor: Visitor, now: Now) -> Told:
        """An address in use, or that AAA names, or that a server has offered; else the LMA's choice (D28)."""
        assert visitor.profile is not None
        if not visitor.configured:
            followed = self._follows(visitor, now)
            offered = UNSPECIFIED if followed is None else followed.address
            visitor.hint = visitor.profile.home_address or offered or visitor.hint
        return Told(registers=visitor.hint)

    def heard(self, visitor: Visitor, found: Evidence, now: Now) -> Told:
        if visitor.state is State.AUTHENTICATING:
            visitor.hint = self._in_use(found)
        return Told()

    def before(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        """The last message waits for the registration."""
        if message.message_type in PARTINGS:
            return super().before(visitor, message, now)
        visitor.waiting_dhcp, visitor.waiting_dhcp_since = message, now.monotonic
        if visitor.state is State.AUTHENTICATING:
            asked = message.ciaddr or message.requested_address or UNSPECIFIED
            visitor.hint = self._home_address(asked)
        return Told()

    # What the LMA says

    def accepted(self, visitor: Visitor, now: Now) -> Told:
        """The DISCOVER goes on; a node that uses another address than it is registered with cannot be served."""
        message, visitor.waiting_dhcp = visitor.waiting_dhcp, None
        if message is None:
            uses_another = visitor.configured and visitor.home_address != visitor.hint
            return super().accepted(visitor, now) if uses_another else Told()
        if visitor.waiting_dhcp_since + MAX_DHCP_WAIT < now.monotonic:
            return Told()  # the client has asked again, or will
        return Told(effects=self._ask(visitor, message, now))

    def address_refused(self, visitor: Visitor, now: Now) -> Told | None:
        """Any other will do for who has none yet; what it may have, the server will say."""
        if visitor.grant is not None:
            return None
        if visitor.configured and visitor.waiting_dhcp is None:
            return None
        visitor.hint = UNSPECIFIED
        return Told(registers=UNSPECIFIED)

    # What servers answer

    def _answered_by_server(self, visitor: Visitor, answer: Answer, now: Now) -> Told:
        if visitor.state is not State.REGISTERED:
            return Told()  # it asks again when it is
        message = answer.message
        if message.message_type is MessageType.OFFER and message.yiaddr != visitor.home_address:
            return self._another(visitor, message.yiaddr, now)
        return super()._answered_by_server(visitor, answer, now)

    def _leased(self, visitor: Visitor, lease: Answer, now: Now) -> Told:
        told = super()._leased(visitor, lease, now)
        if told.leaves and self._policy.follow_dhcp and self._follows(visitor, now) is None:
            self._followed[visitor.mac] = _Followed(lease.message.yiaddr, now.monotonic)
        return told

    def _another(self, visitor: Visitor, address: Ipv4, now: Now) -> Told:
        """An OFFER of another address than the registered one: the binding is replaced, or the OFFER dropped (D28)."""
        mine, its = ipv4_text(visitor.home_address), ipv4_text(address)
        cause = f"a DHCP server offers {its}, but the LMA has given {mine}: reserve {mine} there for {visitor.nai}"
        noted = observed.visitor_event("dhcp-offer-differs", visitor, cause=cause, reason="other-address")
        assert visitor.profile is not None
        fixed = bool(visitor.profile.home_address) or not self._policy.follow_dhcp
        if fixed or self._follows(visitor, now) is not None:
            return Told(effects=[noted])
        self._followed[visitor.mac] = _Followed(address, now.monotonic)
        why = f"its DHCP server offers {its} in the place of {mine}"
        return Told(effects=[noted], leaves=why, terminate_cause=TerminateCause.NAS_REQUEST)

    def _follows(self, visitor: Visitor, now: Now) -> _Followed | None:
        followed = self._followed.get(visitor.mac)
        return followed if followed is not None and followed.at + FOLLOWED_FOR > now.monotonic else None

    def _circuit(self, visitor: Visitor) -> Circuit:
        """The subnet is that of its home address, if servers are told of any (D13, D28)."""
        circuit = super()._circuit(visitor)
        if not circuit.subnet or not visitor.home_address:
            return circuit
        return attrs.evolve(circuit, subnet=self._links.of(visitor.home_address).prefix.network)
