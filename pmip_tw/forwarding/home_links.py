"""Broadcasts at an LMA: each goes to everybody else on its home link who has asked for them (P68, HL4).

A packet of the limited broadcast address or of a link-local group belongs to the home link of its sender; one to a
home prefix's own broadcast address may also come from anywhere that the machine routes it from.
"""

from collections.abc import Callable, Iterable
from typing import Final

import attrs

from pmip_tw.addresses import Ipv4, Prefix
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.anchor_session import AnchorSession
from pmip_tw.forwarding.budget import Budget
from pmip_tw.forwarding.dhcp_packets import is_dhcp
from pmip_tw.forwarding.fragments import fragment
from pmip_tw.forwarding.paths import Way
from pmip_tw.mobility.tunnels import Broadcasts
from pmip_tw.wire.encapsulation import DONT_FRAGMENT, IP_IN_IP_OVERHEAD, ip_in_ip_header

BROADCASTS_PER_SECOND: Final = 10
"""Broadcasts of one sender that are copied; all that the machine routes to a home link count as one sender."""

COPIES_PER_SECOND: Final = 5000
"""Nodes of one home link that are reached: where many may shout, each to all the others, nobody's packets else."""


@attrs.define(slots=True, eq=False)
class _HomeLink:
    """Who listens on one home link: ``direct`` counts the nodes behind a tunnel, ``wrapped`` are single nodes."""

    direct: dict[Way, int] = attrs.Factory(dict)
    wrapped: dict[bytes, AnchorSession] = attrs.Factory(dict)
    routed: Budget = attrs.Factory(lambda: Budget(BROADCASTS_PER_SECOND))
    copies: Budget = attrs.Factory(lambda: Budget(COPIES_PER_SECOND))

    @property
    def listeners(self) -> int:
        return sum(self.direct.values()) + len(self.wrapped)


class HomeLinks:
    """The home links of one address space. ``local`` is the home agent address; ``now()`` monotonic seconds."""

    def __init__(self, local: Ipv4, dropped: drops.Drops, now: Callable[[], float]) -> None:
        self._local = local
        self._drops = dropped
        self._now = now
        self._links: dict[Prefix, _HomeLink] = {}
        self._by_address: dict[bytes, Prefix] = {}
        self._budgets: dict[bytes, Budget] = {}

    def add(self, session: AnchorSession) -> None:
        entry = session.entry
        if entry.prefix is None or entry.broadcasts is Broadcasts.NONE:
            return
        link = self._links.get(entry.prefix)
        if link is None:
            link = self._links[entry.prefix] = _HomeLink()
            self._by_address[entry.prefix.broadcast.to_bytes(4, "big")] = entry.prefix
        if entry.broadcasts is Broadcasts.WRAPPED:
            link.wrapped[session.home] = session
            return
        for way in session.ways:
            link.direct[way] = link.direct.get(way, 0) + 1

    def discard(self, session: AnchorSession) -> None:
        entry = session.entry
        if entry.prefix is None or entry.broadcasts is Broadcasts.NONE:
            return
        link = self._links[entry.prefix]
        if entry.broadcasts is Broadcasts.WRAPPED:
            del link.wrapped[session.home]
        else:
            for way in session.ways:
                link.direct[way] -= 1
                if not link.direct[way]:
                    del link.direct[way]
        if not link.direct and not link.wrapped:
            del self._links[entry.prefix], self._by_address[entry.prefix.broadcast.to_bytes(4, "big")]
        self._budgets.pop(session.home, None)

    def from_node(self, session: AnchorSession, packet: bytes) -> None:
        """Copy a sound ``packet``, which is for everybody on a link, to the others on the sender's home link."""
        entry = session.entry
        link = None if entry.prefix is None else self._links.get(entry.prefix)
        if link is None or entry.broadcasts is Broadcasts.NONE or is_dhcp(packet):
            self._drops[drops.GROUP_DESTINATION] += 1
            return
        budget = self._budgets.get(session.home)
        if budget is None:
            budget = self._budgets[session.home] = Budget(BROADCASTS_PER_SECOND)
        # The sender's MAG leaves the sender out; its tunnel is left out if it leads to nobody else.
        alone = session.ways if entry.broadcasts is Broadcasts.DIRECT else ()
        direct = (way for way, nodes in link.direct.items() if nodes > 1 or way not in alone)
        wrapped = (other for other in link.wrapped.values() if other is not session)
        if self._copy(link, budget, packet, direct, wrapped):
            session.packets_up += 1
            session.octets_up += len(packet)

    def routed(self, packet: bytes) -> bool:
        """Copy what the machine routes to a home link's broadcast address. False: it is no such address."""
        prefix = self._by_address.get(packet[16:20])
        if prefix is None:
            return False
        link = self._links[prefix]
        if is_dhcp(packet):
            self._drops[drops.GROUP_DESTINATION] += 1
        else:
            self._copy(link, link.routed, packet, link.direct, link.wrapped.values())
        return True

    def _copy(
        self,
        link: _HomeLink,
        sender: Budget,
        packet: bytes,
        direct: Iterable[Way],
        wrapped: Iterable[AnchorSession],
    ) -> bool:
        now = self._now()
        if not (sender.allows(now) and link.copies.allows(now)):
            self._drops[drops.BROADCAST_LIMIT] += 1
            return False
        sender.spend()
        link.copies.spend(link.listeners)
        for way in direct:
            if self._fits(packet, way.mtu):
                way.carry_any(packet)
        for session in wrapped:
            if session.filters and session.refuses(packet, self._drops, up=False):
                continue
            for way in session.ways:
                self._wrap(session, way, packet)
        return True

    def _wrap(self, session: AnchorSession, way: Way, packet: bytes) -> None:
        """Inside a packet to the home address: whoever decapsulates it knows whom it is for (HL4)."""
        room = way.mtu - IP_IN_IP_OVERHEAD
        if self._fits(packet, room):
            for piece in fragment(packet, room):
                way.carry(ip_in_ip_header(self._local, session.entry.home_address, piece) + piece)

    def _fits(self, packet: bytes, mtu: int) -> bool:
        if len(packet) <= mtu or not packet[6] & DONT_FRAGMENT:
            return True
        self._drops[drops.TOO_BIG] += 1  # no ICMP is sent about a broadcast (RFC 1122 3.2.2)
        return False
