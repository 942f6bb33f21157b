"""Named filters, which AAA gives mobile nodes by Filter-Id (RFC 2865 5.11, AA25): what may pass between one and others.

A filter knows no connections: each packet is judged by itself, by what its correspondent is.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from pmip_tw.wire.ipv4 import PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP

PROTOCOL_SCTP = 132

WITH_PORTS = frozenset({PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP})
"""Protocols whose payload begins with the sender's port and the receiver's."""

_ICMP_ERRORS = frozenset({3, 4, 11, 12})
"""Types of ICMP that say what became of a packet, which is in their payload (RFC 792)."""

_ICMP_HEADER = 8
_SMALLEST = 20
_OFFSET = 0x1FFF

PortRange = tuple[int, int]
"""The first and the last."""


class FilterRule(Struct, frozen=True, array_like=True):
    """What to do with a packet that is as all of this says; what is None or empty says nothing.

    ``up``: from the node, ``down``: to it. ``network`` and ``mask``: the correspondent's address, ``ports`` its ports,
    ``node_ports`` the node's, each of which needs a ``protocol`` that has ports.
    """

    permits: bool
    up: bool
    down: bool
    protocol: int | None = None
    network: int = 0
    mask: int = 0
    ports: tuple[PortRange, ...] = ()
    node_ports: tuple[PortRange, ...] = ()


class PacketFilter(Struct, frozen=True, array_like=True):
    """The first of ``rules`` that a packet is as decides about it; if none is, ``permits_others`` does."""

    name: str
    rules: tuple[FilterRule, ...] = ()
    permits_others: bool = False

    def admits(self, packet: bytes, up: bool) -> bool:
        """Whether ``packet``, which has a whole header, may pass, from the node (``up``) or to it.

        An ICMP error may, to whoever has sent the packet that it is about, where that might have passed the other way:
        without it nobody would find out what a path takes, and to others it would be a way past every rule. A rule with
        ports speaks of later fragments, which show none, only to let them pass: alone they are good for nothing. A
        first fragment too short for its ports passes no such rule.
        """
        if packet[9] != PROTOCOL_ICMP or not _is_error(packet):
            return self._decides(packet, up)
        about = packet[(packet[0] & 0xF) * 4 + _ICMP_HEADER :]
        if len(about) < _SMALLEST or about[0] >> 4 != 4 or about[12:16] != packet[16:20]:
            return False
        return self._decides(about, not up)

    def _decides(self, packet: bytes, up: bool) -> bool:
        protocol = packet[9]
        far = int.from_bytes(packet[16:20] if up else packet[12:16], "big")
        later = _offset(packet) != 0
        for rule in self.rules:
            if not (rule.up if up else rule.down):
                continue
            if rule.protocol is not None and rule.protocol != protocol:
                continue
            if far & rule.mask != rule.network:
                continue
            if rule.ports or rule.node_ports:
                if later:
                    if rule.permits:
                        return True
                    continue
                ports = _ports(packet)
                if ports is None:
                    return False
                near_port, far_port = ports if up else (ports[1], ports[0])
                if not (_is_in(far_port, rule.ports) and _is_in(near_port, rule.node_ports)):
                    continue
            return rule.permits
        return self.permits_others


PacketFilters = tuple[PacketFilter, ...]
"""All that a node has: what passes must pass each of them. Nearly every node has none."""


def objecting(filters: PacketFilters, packet: bytes, up: bool) -> PacketFilter | None:
    """The first of ``filters`` that does not admit ``packet``; None: it may pass."""
    for one in filters:
        if not one.admits(packet, up):
            return one
    return None


def chosen(known: Mapping[str, PacketFilter], names: Iterable[str]) -> tuple[PacketFilters, tuple[str, ...]]:
    """The filters of these ``names``, and those names that none has."""
    wanted = tuple(dict.fromkeys(names))
    found = tuple(known[name] for name in wanted if name in known)
    return found, tuple(name for name in wanted if name not in known)


def _offset(packet: bytes) -> int:
    return int.from_bytes(packet[6:8], "big") & _OFFSET


def _is_error(packet: bytes) -> bool:
    """Whether it is an ICMP error, or the first fragment of one."""
    at = (packet[0] & 0xF) * 4
    return len(packet) > at and packet[at] in _ICMP_ERRORS and not _offset(packet)


def _ports(packet: bytes) -> tuple[int, int] | None:
    """The sender's and the receiver's, None if they are not all there."""
    at = (packet[0] & 0xF) * 4
    if len(packet) < at + 4:
        return None
    return int.from_bytes(packet[at : at + 2], "big"), int.from_bytes(packet[at + 2 : at + 4], "big")


def _is_in(port: int, ranges: tuple[PortRange, ...]) -> bool:
    return not ranges or any(first <= port <= last for first, last in ranges)
