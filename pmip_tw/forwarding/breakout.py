"""Local breakout: packets that leave by the MAG's own network, past the tunnel, and what comes back (N58)."""

from collections import Counter
from typing import Protocol

import attrs

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.access_session import AccessSession, LocalTraffic
from pmip_tw.forwarding.dhcp_packets import is_dhcp
from pmip_tw.wire.ipv4 import MINIMUM_HEADER

DEVICE = "mip-local0"


@attrs.frozen(slots=True, kw_only=True)
class BreakoutRules:
    """Nodes with a home address in ``home_prefixes`` reach ``prefixes`` by ``device`` and the machine's own routing.

    With the machine's address in place of theirs, or with ``proxy_arp`` as they are, so that who is in ``prefixes``
    reaches them, too. ``trusting``: who takes packets with this machine's address for this MAG's own: never them.
    """

    device: str = DEVICE
    proxy_arp: bool = False
    prefixes: tuple[Prefix, ...] = ()
    home_prefixes: tuple[Prefix, ...] = ()
    trusting: frozenset[Ipv4] = frozenset()

    @property
    def hosts(self) -> frozenset[Ipv4]:
        """Those listed one by one."""
        return frozenset(prefix.network for prefix in self.prefixes if prefix.length == 32)

    def require(self, home_address: Ipv4) -> None:
        """ForwardingError: a node with that address cannot have it."""
        shown = ipv4_text(home_address)
        if not any(home_address in prefix for prefix in self.home_prefixes):
            raise ForwardingError("break out", shown, "it is in none of [[mag.home_prefixes]]")
        if any(home_address in prefix for prefix in self.prefixes) or home_address in self.trusting:
            raise ForwardingError("break out", shown, "it is an address of the local network")


class LocalExit(Protocol):
    """The machine's own routing, as one node's packets leave by it and come back."""

    def admit(self, home_address: Ipv4) -> None:
        """From now on packets to ``home_address`` come out of it. ForwardingError: they cannot; nothing has changed."""

    def dismiss(self, home_address: Ipv4) -> None:
        """No longer."""

    def write(self, packet: bytes) -> bool:
        """Routed on, one hop older. False: lost and counted."""


class Breakout:
    """Of each home address one session has it, the first one; ``own`` is this MAG's address."""

    def __init__(
        self,
        rules: BreakoutRules,
        *,
        own: Ipv4,
        leave_by: LocalExit,
        dropped: drops.Drops,
    ) -> None:
        self.own = own
        self._rules = rules
        self._listed = [(prefix.mask, prefix.network) for prefix in rules.prefixes]
        self._hosts = rules.hosts
        self._exit = leave_by
        self._drops = dropped
        self._holders: dict[bytes, AccessSession] = {}
        self._far_ends: Counter[Ipv4] = Counter()

    def replace(self, before: AccessSession | None, session: AccessSession | None) -> str | None:
        """``session`` stands where ``before`` stood, None: nobody does. Why it has no local breakout, if that is news.

        A node that is not registered yet has the tunnel's downstream and nothing else (P77).
        """
        if session is not None:
            self._far_ends[session.entry.tunnel.remote] += 1
            session.local = before.local if before is not None else None
        if before is not None:
            self._forget_far_end(before.entry.tunnel.remote)
        return self._pass_on(before, session if session is not None and session.entry.upstream else None)

    def _forget_far_end(self, address: Ipv4) -> None:
        self._far_ends[address] -= 1
        if not self._far_ends[address]:
            del self._far_ends[address]

    def _pass_on(self, before: AccessSession | None, session: AccessSession | None) -> str | None:
        stays = before is not None and session is not None and before.home == session.home
        held = before is not None and self._holders.get(before.home) is before
        if before is not None and held and not stays:
            del self._holders[before.home]
            self._exit.dismiss(before.entry.home_address)
        if session is None:
            return None
        try:
            if not (held and stays):
                self._admit(session)
        except ForwardingError as error:
            is_known = before is not None and before.entry.upstream and stays
            return None if is_known else str(error)
        self._holders[session.home] = session
        session.local = session.local or LocalTraffic()
        return None

    def _admit(self, session: AccessSession) -> None:
        home_address = session.entry.home_address
        self._rules.require(home_address)
        holder = self._holders.get(session.home)
        if holder is not None:
            text = f"{holder.entry.key} has that address too, and came first (P45)"
            raise ForwardingError("break out", ipv4_text(home_address), text)
        self._exit.admit(home_address)

    def take(self, session: AccessSession, packet: bytes) -> bool:
        """Let a ``packet`` of the node leave, whose source is its home address. False: it is one for the tunnel.

        So is DHCP: a lease is the session's, and with our address a client could pass for a relay.
        """
        if not self._is_local(packet) or self._holders.get(session.home) is not session or is_dhcp(packet):
            return False
        if self._exit.write(packet):
            assert session.local is not None
            session.local.packets_up += 1
            session.local.octets_up += len(packet)
        return True

    def _is_local(self, packet: bytes) -> bool:
        destination = int.from_bytes(packet[16:20], "big")
        if not any(destination & mask == network for mask, network in self._listed):
            return False
        if destination in self._rules.trusting or destination in self._far_ends:
            return False
        return destination != self.own or destination in self._hosts

    def destined(self, packet: bytes) -> AccessSession | None:
        """Whose ``packet`` is, which the machine has routed to a home address; None: nobody's, or not from there."""
        if len(packet) < MINIMUM_HEADER or packet[0] >> 4 != 4:
            return None  # the device's own IPv6 chatter
        session = self._holders.get(packet[16:20])
        if session is None:
            self._drops[drops.NO_ENTRY] += 1
        elif is_dhcp(packet):
            self._drops[drops.LOCAL_DHCP] += 1
            return None
        return session
