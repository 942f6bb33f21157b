"""DHCP methods in which servers give the addresses: DHCP comes first, the registration second (P63, P64).

An ACK is held until the LMA has accepted its address (D23); what nodes say to their server directly goes through the
tunnel and is listened to, as with "independent" (P65). How broadcasts reach the servers is for each method to say.
"""

from abc import abstractmethod

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.access.evidence import Evidence, EvidenceKind
from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4, Mac, ipv4_text
from pmip_tw.dhcp import requests, server
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.dhcp.questions import Answer
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import DECLINED, RELEASED, Told
from pmip_tw.mag.addressing.independent import REFUSED_BY_SERVER, Independent, extend_lease
from pmip_tw.mag.effects import MagEffect, Transmit
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.newest import Newest
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.ethernet import EthernetFrame

TRY_AGAIN_AFTER = 60.0
"""Seconds in which an LMA that took a node's address after all would have done so."""

_MOST_REMEMBERED = 1024

HAS_ASKED = (State.ADDRESSING, State.REGISTERING, State.WAITING, State.REGISTERED)
"""States of who may be answered: before them nothing is relayed, after them nobody waits for it."""

PARTINGS = (MessageType.RELEASE, MessageType.DECLINE)


class DhcpFirst(Independent):
    """A visitor's ``hint`` is an address that it uses already, or that a server has just given it."""

    def __init__(self, policy: MagPolicy, links: HomeLinks, visitors: VisitorList) -> None:
        super().__init__(policy, links, visitors)
        self._visitors = visitors
        self._gave_back: Newest[Mac, float] = Newest(_MOST_REMEMBERED)

    # What nodes do

    def _serves(self, found: Evidence) -> bool:
        return found.kind is EvidenceKind.DHCP or bool(self._in_use(found))

    def admitted(self, visitor: Visitor, now: Now) -> Told:
        """Who moved here with its address is registered with it; for all others DHCP comes first."""
        message, visitor.waiting_dhcp = visitor.waiting_dhcp, None
        effects = [] if message is None else self._ask(visitor, message, now)
        if visitor.hint:
            return Told(effects=effects, registers=visitor.hint)
        return Told(effects=effects, awaits_dhcp=True)

    def heard(self, visitor: Visitor, found: Evidence, now: Now) -> Told:
        address = self._in_use(found)
        if visitor.state is State.AUTHENTICATING:
            visitor.hint = address
        elif visitor.state is State.ADDRESSING and address and address != visitor.refused_address:
            visitor.hint = address
            return Told(registers=address)
        return Told()

    def read(self, visitor: Visitor, frame: EthernetFrame) -> DhcpMessage | requests.Refusal | None:
        """Broadcasts alone: what goes to one server is the node's own traffic (P65), once there is a tunnel for it."""
        return super().read(visitor, frame) or requests.client_message(frame, ALL_ONES)

    def before(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        leaving = message.message_type in PARTINGS
        if visitor.state is State.AUTHENTICATING and not leaving:
            visitor.waiting_dhcp = message
            visitor.hint = self._home_address(message.ciaddr)
            return Told()
        if not leaving:
            return Told(effects=self._ask(visitor, message, now))
        told = super().before(visitor, message, now)
        # Nothing reaches the servers before AAA has accepted the node: it might release what is another's.
        may_ask = told.leaves and visitor.state is not State.AUTHENTICATING
        relayed = self._ask(visitor, message, now) if may_ask else []
        return Told(effects=[*relayed, *told.effects], leaves=told.leaves)

    def dhcp(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        if message.message_type not in PARTINGS:
            return Told(effects=self._ask(visitor, message, now))
        if (message.requested_address or message.ciaddr) != visitor.home_address:
            return Told(effects=[self._ignored(visitor)])  # nobody ends another's lease (D35)
        effects = self._ask(visitor, message, now)
        if message.message_type is MessageType.RELEASE:
            return Told(effects=[*effects, self._released(visitor, now)], leaves=RELEASED)
        declined = observed.visitor_event("dhcp-decline", visitor)
        return Told(effects=[*effects, declined], leaves=DECLINED)

    # What servers answer

    def _answered_by_server(self, visitor: Visitor, answer: Answer, now: Now) -> Told:
        """What a server says to what ``visitor`` has asked."""
        if answer.is_lease:
            return self._leased(visitor, answer, now)
        told = self._deliver(visitor, answer.message)
        refused = answer.message.message_type is MessageType.NAK and visitor.state is not State.ADDRESSING
        if not refused:
            return Told(effects=told)
        return Told(
            effects=told, leaves=REFUSED_BY_SERVER, terminate_cause=TerminateCause.SERVICE_UNAVAILABLE
        )

    def _leased(self, visitor: Visitor, lease: Answer, now: Now) -> Told:
        """An ACK: it is passed on when, and only if, its address is registered here (D23)."""
        address = lease.message.yiaddr
        if visitor.state is State.ADDRESSING:
            self._hold(visitor, lease, now)
            visitor.hint = address
            return Told(registers=address, at=self._giver(visitor))
        current = visitor.home_address or visitor.hint
        if address != current:
            why = f"its DHCP server gave it {ipv4_text(address)} in the place of {ipv4_text(current)}"
            effects = self._take_back(visitor, lease, now)
            return Told(effects=effects, leaves=why, terminate_cause=TerminateCause.NAS_REQUEST)
        if visitor.state is State.REGISTERED:
            return Told(promises=self._grant(visitor, lease), renews=True)
        self._hold(visitor, lease, now)
        return Told()

    def _hold(self, visitor: Visitor, lease: Answer, now: Now) -> None:
        visitor.promise, visitor.promise_ends = lease, now.monotonic + self._policy.ack_hold

    def _giver(self, visitor: Visitor) -> Ipv4 | None:
        """The LMA that knows of the lease of ``visitor``; None: any will do."""
        return None

    # What the LMA says

    def accepted(self, visitor: Visitor, now: Now) -> Told:
        lease, visitor.promise = visitor.promise, None
        told = super().accepted(visitor, now)
        if lease is None:
            return told
        if told.leaves:
            refused = self._gave_back_lately(visitor, now)
            effects = self._take_back(visitor, lease, now)
            return Told(effects=effects, leaves=told.leaves, refused=refused)
        if visitor.promise_ends < now.monotonic:
            return Told()  # the client has asked again, or will (N54)
        return Told(promises=self._grant(visitor, lease))

    def address_refused(self, visitor: Visitor, now: Now) -> Told | None:
        """An address from before can be replaced: DHCP is asked for another.

        One that DHCP gave cannot. But the LMA may only have another one bound still, from before the node had this
        lease: asked for any, it says so, and that binding is ended.
        """
        if visitor.grant is not None:
            return None
        if visitor.promise is not None:
            return None if self._gave_back_lately(visitor, now) else Told(registers=UNSPECIFIED)
        visitor.refused_address, visitor.hint = visitor.hint, UNSPECIFIED
        return Told(awaits_dhcp=True)

    def refused(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        lease, visitor.promise = visitor.promise, None
        return [] if lease is None else self._take_back(visitor, lease, now)

    # On the way to the servers

    @abstractmethod
    def _ask(self, visitor: Visitor, message: DhcpMessage, now: Now) -> list[MagEffect]:
        """Let the servers have ``message``, which AAA lets the node say."""

    @abstractmethod
    def _return(self, visitor: Visitor, lease: Answer, now: Now) -> list[MagEffect]:
        """Tell the server that nobody has the address of ``lease``."""

    def _grant(self, visitor: Visitor, lease: Answer) -> list[MagEffect]:
        assert lease.message.lease_time is not None
        extend_lease(visitor, lease.message.lease_time, lease.asked_at)
        return self._deliver(visitor, lease.message)

    def _take_back(self, visitor: Visitor, lease: Answer, now: Now) -> list[MagEffect]:
        """The node is told to begin again, and the server that nobody has its address."""
        self._gave_back[visitor.mac] = now.monotonic
        nak = server.nak(lease.message, lease.message.server_identifier or lease.server)
        address = ipv4_text(lease.message.yiaddr)
        return [
            *self._deliver(visitor, nak),
            *self._return(visitor, lease, now),
            observed.visitor_event("dhcp-lease-returned", visitor, address=address),
        ]

    def _gave_back_lately(self, visitor: Visitor, now: Now) -> bool:
        """Whether ending a former binding was tried, and did not help."""
        return self._gave_back.get(visitor.mac, float("-inf")) + TRY_AGAIN_AFTER > now.monotonic

    def _deliver(self, visitor: Visitor, message: DhcpMessage) -> list[MagEffect]:
        """In the gateway's name, by MAC and without ARP (D9)."""
        link = self._link(message.yiaddr or visitor.home_address or visitor.hint)
        frame = server.encapsulate(message, visitor.mac, self._policy.gateway_mac, link.gateway)
        name = f"dhcp-{name_of(message)}"
        noted = observed.visitor_event(name, visitor, lease=message.lease_time or 0)
        return [Transmit(visitor.key.port, frame), noted]

    def _link(self, address: Ipv4) -> HomeConfiguration:
        """Of ``address``; for a node that has none and gets none, one of ours."""
        if address or not self._policy.home_links:
            return self._links.of(address)
        return self._policy.home_links[0]

    @staticmethod
    def _ignored(visitor: Visitor) -> MagEffect:
        return observed.frame_dropped(visitor, "dhcp-ignored")

    def _in_use(self, found: Evidence) -> Ipv4:
        return self._home_address(found.address) if found.in_use else UNSPECIFIED

    def _home_address(self, address: Ipv4) -> Ipv4:
        """``address`` if it is of one of our home links, else 0: a node may come with one from anywhere."""
        return address if self._links.is_known(address) else UNSPECIFIED


def name_of(message: DhcpMessage) -> str:
    kind = message.message_type
    return "" if kind is None else kind.name.lower()
