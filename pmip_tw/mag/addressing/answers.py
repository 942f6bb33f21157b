"""How mobile nodes get their addresses: what a MAG's DHCP methods have in common (P60, P62, P63)."""

from abc import ABC, abstractmethod

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.access.evidence import Evidence, EvidenceKind
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, Mac
from pmip_tw.dhcp.requests import Refusal
from pmip_tw.mag import observed
from pmip_tw.mag.effects import MagEffect
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.newest import Newest
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import Tunnel
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.ethernet import EthernetFrame

LEASE_GRACE = 0.1
"""Part of the lease that a node may be late by (D22)."""

LEASE_EXPIRED = "DHCP lease expired"
RELEASED = "released by DHCP"
DECLINED = "address declined by DHCP"

LAST_PACKETS = 1.0
"""Seconds after a DHCPRELEASE in which a host may still be sending from the address: a client takes it away only when
the message has left, and what was under way before is no arrival."""

_MOST_RELEASED = 1024

MAX_DHCP_WAIT = 4.0
"""Seconds that a DHCP message is worth answering; then the client's retransmission is (RFC 2131 4.1)."""


def lease_over(lease_cause: str) -> TerminateCause:
    """What AAA hears of the end of a lease: nobody extended it, or the node does not want it any more (AA20)."""
    return TerminateCause.IDLE_TIMEOUT if lease_cause == LEASE_EXPIRED else TerminateCause.USER_REQUEST


@attrs.frozen(slots=True, kw_only=True)
class Told:
    """What a node was told, and what follows for its registration.

    ``effects`` to carry out first; of who is registered now, when the packet plane has its entry. ``ends``: those that
    are carried out whatever that says. ``promises``: what the node is told that a restart must not undo, a lease: to
    be carried out when that is written down. ``renews``: its lease was extended, and its binding is to be as well.
    ``registers``: the address to register now, 0 for any, None to leave things as they are; ``at``: the LMA that must
    know of that address, None: any; ``awaits_dhcp``: there is no address yet. ``leaves``: why the node is to be
    de-registered, "" if it stays, and what AAA hears of that, its ``terminate_cause``; ``refused``: it cannot be served
    as it is, and AAA is not asked about it again for a while.
    """

    effects: list[MagEffect] = attrs.field(factory=list)
    ends: list[MagEffect] = attrs.field(factory=list)
    promises: list[MagEffect] = attrs.field(factory=list)
    renews: bool = False
    registers: Ipv4 | None = None
    at: Ipv4 | None = None
    awaits_dhcp: bool = False
    leaves: str = ""
    terminate_cause: TerminateCause = TerminateCause.USER_REQUEST
    refused: bool = False


class Addressing(ABC):
    """One DHCP method. It knows visitors, and what they say by DHCP; the registration is for others to change.

    What a method has nothing to say about leaves things as they are.
    """

    shows_dhcp: bool = False
    """Whether a registered node's DHCP with servers beyond the tunnel is to be shown to us (P65)."""

    lma_assigns = False
    """Whether the LMA's word on the address counts; where it does not, the node has one already."""

    def __init__(self, policy: MagPolicy, links: HomeLinks, visitors: VisitorList) -> None:
        self._policy = policy
        self._links = links
        # The address that it released, and when.
        self._gone: Newest[Mac, tuple[Ipv4, float]] = Newest(_MOST_RELEASED)

    def attaches(self, found: Evidence, now: Now) -> bool:
        """Whether ``found`` is reason enough to serve somebody (P15). Who has released its address and asks by DHCP
        is here again."""
        if found.kind is EvidenceKind.DHCP:
            self._gone.pop(found.mac, None)
        else:
            address, released_at = self._gone.get(found.mac, (UNSPECIFIED, 0.0))
            if address and found.address == address and now.monotonic < released_at + LAST_PACKETS:
                return False
        return self._serves(found)

    @abstractmethod
    def _serves(self, found: Evidence) -> bool:
        """Whether this method can do something for who shows itself so."""

    @abstractmethod
    def admitted(self, visitor: Visitor, now: Now) -> Told:
        """AAA has accepted it."""

    @abstractmethod
    def accepted(self, visitor: Visitor, now: Now) -> Told:
        """Its registration was accepted: what it may be told now, and not earlier (D23)."""

    def heard(self, visitor: Visitor, found: Evidence, now: Now) -> Told:
        """What else, besides DHCP messages for the MAG, a node does that is not registered yet."""
        return Told()

    def read(self, visitor: Visitor, frame: EthernetFrame) -> DhcpMessage | Refusal | None:
        """The DHCP message in ``frame`` if it is for the MAG; None for all other frames. Raises WireError."""
        return None

    def before(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        """A message, as ``read`` gave it, of a node that is not registered yet."""
        return Told()

    def dhcp(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        """The same of a registered node."""
        return Told()

    def uses_another(self, visitor: Visitor, address: Ipv4, now: Now) -> Told:
        """A registered node asks by ARP from ``address`` instead of its home address; ``doubt`` has it probed."""
        return Told()

    def shown(self, visitor: Visitor, packet: bytes, now: Now) -> Told:
        """An IP packet between a registered node and a DHCP server beyond the tunnel, which was carried (P65)."""
        return Told()

    def answered(self, payload: bytes, source: Endpoint, now: Now) -> tuple[Visitor | None, Told]:
        """A datagram of a DHCP server; whom it is about, if anybody."""
        return None, Told()

    def signalled(self, payload: bytes, source: Endpoint, now: Now) -> "tuple[Visitor | None, Told] | None":
        """A message of port 434 that is no registration's; None: this method knows no such type. Raises WireError."""
        return None

    def tunneled(self, tunnel: Tunnel, packet: bytes, now: Now) -> tuple[Visitor | None, Told]:
        """DHCP out of a tunnel that was opened for it; whom it is about, if anybody (N52)."""
        return None, Told()

    def address_refused(self, visitor: Visitor, now: Now) -> Told | None:
        """The LMA does not take the address; what to do instead (P19), None: nothing can be done."""
        return None

    def refused(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """No registration for it: who claims an address is told that it has none."""
        return []

    def _released(self, visitor: Visitor, now: Now) -> MagEffect:
        """The node has given its address back: its last packets shall not bring it in again."""
        self._gone[visitor.mac] = visitor.home_address or visitor.hint, now.monotonic
        return observed.visitor_event("dhcp-release", visitor)

    def address_changed(self, address: Ipv4) -> list[MagEffect]:
        """Our own, towards the core, is ``address`` from now on (P82)."""
        return []

    def wake(self, now: Now) -> list[MagEffect]:
        """Time has passed."""
        return []

    def next_deadline(self) -> float | None:
        """When to call ``wake`` at the latest, monotonic seconds."""
        return None
