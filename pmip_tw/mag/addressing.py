"""How mobile nodes get their addresses: what a MAG's DHCP methods have in common (P60, P62, P63)."""

from typing import Protocol

import attrs

from pmip_tw.access.evidence import Evidence
from pmip_tw.addresses import Ipv4
from pmip_tw.dhcp.requests import Refusal
from pmip_tw.mag.effects import MagEffect
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.ethernet import EthernetFrame

LEASE_GRACE = 0.1
"""Part of the lease that a node may be late by (D22)."""

LEASE_EXPIRED = "DHCP lease expired"

MAX_DHCP_WAIT = 4.0
"""Seconds that a DHCP message is worth answering; then the client's retransmission is (RFC 2131 4.1)."""


@attrs.frozen(slots=True, kw_only=True)
class Told:
    """What a node was told, and what follows for its registration.

    ``effects`` to carry out first. ``renews``: its lease was extended, and its binding is to be as well.
    ``registers``: the address to register now, 0 for any, None to leave things as they are. ``leaves``: why the node
    is to be de-registered, "" if it stays; ``refused``: it cannot be served as it is, and AAA is not asked about it
    again for a while.
    """

    effects: list[MagEffect] = attrs.field(factory=list)
    renews: bool = False
    registers: Ipv4 | None = None
    leaves: str = ""
    refused: bool = False


class Addressing(Protocol):
    """One DHCP method. It knows visitors, and what they say by DHCP; the registration is for others to change."""

    @property
    def shows_dhcp(self) -> bool:
        """Whether a registered node's DHCP with servers beyond the tunnel is to be shown to us (P65)."""

    @property
    def any_address_will_do(self) -> bool:
        """Whether a node can be given another address than the one it wished for (P19)."""

    def attaches(self, found: Evidence) -> bool:
        """Whether ``found`` is reason enough to serve somebody."""

    def admitted(self, visitor: Visitor, now: Now) -> Told:
        """AAA has accepted it. ``registers`` None: it has no address to register yet, DHCP comes first."""

    def read(self, visitor: Visitor, frame: EthernetFrame) -> DhcpMessage | Refusal | None:
        """The DHCP message in ``frame`` if it is for the MAG; None for all other frames. Raises WireError."""

    def before(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        """A message, as ``read`` gave it, of a node that is not registered yet."""

    def dhcp(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        """The same of a registered node."""

    def shown(self, visitor: Visitor, packet: bytes, now: Now) -> Told:
        """An IP packet between a registered node and a DHCP server beyond the tunnel, which was carried (P65)."""

    def accepted(self, visitor: Visitor, now: Now) -> Told:
        """Its registration was accepted: what it may be told now, and not earlier (D23)."""

    def refused(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """No registration for it: who claims an address is told that it has none."""
