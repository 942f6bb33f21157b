"""The ways into the tunnels: one for each tunnel, however many mobile nodes share it (P42)."""

from collections import Counter
from collections.abc import Callable
from typing import Final

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.fragments import fragment
from pmip_tw.forwarding.path_traffic import PathTraffic
from pmip_tw.forwarding.tunnel_ends import TunnelEnds, arriving_ends, leaving_ends
from pmip_tw.interfaces import ISignalling
from pmip_tw.mobility.tunnels import Activity, AnchorEntry, Encapsulation, Entry, Tunnel
from pmip_tw.wire import minimal
from pmip_tw.wire.encapsulation import DONT_FRAGMENT, overhead, tunnel_data_header
from pmip_tw.wire.gre import gre_header
from pmip_tw.wire.icmp import FRAGMENTATION_NEEDED
from pmip_tw.wire.ipv4 import is_fragment

Carry = Callable[[bytes], bool]
"""Puts one inner packet into a tunnel; False if it was lost on the way out (and counted there)."""

OpenPath = Callable[[Tunnel], Carry]

SMALLEST_MTU = 68
"""What every link takes (RFC 791)."""


def inner_mtu(tunnel: Tunnel, path_mtu: int) -> int:
    """The longest inner packet that goes over a path of ``path_mtu`` octets in one piece (T9)."""
    taken = overhead(tunnel.encapsulation, over_udp=tunnel.over_udp, keyed=tunnel.key_out is not None)
    return max(path_mtu - taken, SMALLEST_MTU)


@attrs.define(slots=True, eq=False, kw_only=True)
class Way:
    """Into ``tunnel``, by ``carry``, which takes inner packets of ``mtu`` octets; ``ends`` is what its packets show.

    ``traffic``: shared with the ways of other keys. Whoever carries or takes a packet says so there.
    """

    tunnel: Tunnel
    ends: TunnelEnds
    carry: Carry
    mtu: int
    traffic: PathTraffic
    users: int = 0

    def carry_any(self, packet: bytes) -> bool:
        """``carry`` or ``carry_long``, as its length demands."""
        return self.carry(packet) if len(packet) <= self.mtu else self.carry_long(packet)

    def carry_long(self, packet: bytes) -> bool:
        """``carry`` for a packet longer than ``mtu`` that may be fragmented, which it is before it goes in (N32).

        Fragments do not fit minimal encapsulation (T3). Over IP it therefore fragments what it has made, as RFC 2004
        allows; in UDP it must not, and the first fragment ends as MINIMAL_FRAGMENT.
        """
        tunnel = self.tunnel
        if tunnel.encapsulation is Encapsulation.MINIMAL and not tunnel.over_udp:
            return self.carry(packet)
        return all(self.carry(piece) for piece in fragment(packet, self.mtu))


NOWHERE: Final = b"nowhere"
"""The ends of a way that leads nowhere yet: nothing that arrives shows them."""


class TunnelPaths:
    """Opens a way with the first entry that needs it and forgets it with the last.

    ``path_mtu(tunnel)`` says what the way to its other end takes.
    """

    def __init__(self, open_path: OpenPath, path_mtu: Callable[[Tunnel], int]) -> None:
        self._open = open_path
        self._path_mtu = path_mtu
        self._ways: dict[Tunnel, Way] = {}
        self._leaving: dict[TunnelEnds, Way] = {}
        self._in_udp: dict[tuple[Ipv4, Endpoint], Counter[int]] = {}
        self._traffic: dict[Tunnel, PathTraffic] = {}

    def acquire(self, tunnel: Tunnel) -> Way:
        """ForwardingError: there is no way into such a tunnel."""
        way = self._ways.get(tunnel)
        if way is None:
            _require_keys(tunnel)
            carry = self._open(tunnel)
            traffic = self._traffic.setdefault(tunnel.path, PathTraffic())
            traffic.ways += 1
            way = Way(tunnel=tunnel, ends=arriving_ends(tunnel), carry=carry, mtu=0, traffic=traffic)
            self.learn_mtu(way)
            self._ways[tunnel] = self._leaving[leaving_ends(tunnel)] = way
            if tunnel.over_udp:
                self._in_udp.setdefault(_at(tunnel), Counter())[tunnel.encapsulation] += 1
        way.users += 1
        return way

    def nowhere(self, tunnel: Tunnel, carry: Carry) -> Way:
        """Instead of the way into ``tunnel``, as long as nobody knows where that ends."""
        _require_keys(tunnel)
        mtu = inner_mtu(tunnel, self._path_mtu(tunnel))
        return Way(tunnel=tunnel, ends=NOWHERE, carry=carry, mtu=mtu, traffic=PathTraffic(), users=1)

    def release(self, way: Way) -> None:
        way.users -= 1
        if way.users or way.ends == NOWHERE:
            return
        tunnel = way.tunnel
        del self._ways[tunnel]
        way.traffic.ways -= 1
        if not way.traffic.ways:
            del self._traffic[tunnel.path]
        if self._leaving.get(leaving_ends(tunnel)) is way:
            del self._leaving[leaving_ends(tunnel)]
        if tunnel.over_udp:
            left = self._in_udp[_at(tunnel)]
            left[tunnel.encapsulation] -= 1
            if not left.total():
                del self._in_udp[_at(tunnel)]

    def activity(self, tunnel: Tunnel) -> Activity:
        """What went through the path of ``tunnel``; nothing if no entry needs it."""
        traffic = self._traffic.get(tunnel.path)
        return Activity() if traffic is None else traffic.activity

    def leaving(self, ends: TunnelEnds) -> Way | None:
        """The way whose packets show ``ends`` as they leave."""
        return self._leaving.get(ends)

    def is_news(self, way: Way, code: int, inner: bytes) -> bool:
        """Is an error that ICMP reported about ``way`` something for the sender of ``inner`` (empty: not known)?

        What the path takes is asked of the kernel, which keeps a low limit and an eye on forgeries (T9): a packet that
        fits it, or may be fragmented, needs no word.
        """
        if code != FRAGMENTATION_NEEDED:
            return bool(inner)
        self.learn_mtu(way)
        return bool(inner) and bool(inner[6] & DONT_FRAGMENT) and int.from_bytes(inner[2:4], "big") > way.mtu

    def learn_mtu(self, way: Way) -> None:
        """Ask again what the path takes (T9).

        Wherever it would make a difference: the kernel forgets a limit that ICMP has taught after some minutes.
        """
        way.mtu = inner_mtu(way.tunnel, self._path_mtu(way.tunnel))

    def reason(self, ends: TunnelEnds, otherwise: str) -> str:
        """Why nothing is known of ``ends``: another encapsulation than this UDP tunnel's (N30), or ``otherwise``."""
        if isinstance(ends, tuple):
            agreed = self._in_udp.get((ends[0], ends[1]))
            shown = ends[2][0] if len(ends) > 2 else Encapsulation.IP_IN_IP
            if agreed and not agreed[shown]:
                return drops.NEXT_HEADER
        return otherwise


def told_mtu(code: int, way: Way) -> int:
    """The second word of an unreachable with ``code``: of a too-big what fits ``way``."""
    return way.mtu if code == FRAGMENTATION_NEEDED else 0


def _at(tunnel: Tunnel) -> tuple[Ipv4, Endpoint]:
    return tunnel.local, Endpoint(tunnel.remote, tunnel.remote_port)


def require_carriable(entry: Entry) -> None:
    """ForwardingError: a tunnel that would swallow itself, by what leads into it."""
    _require_outside(entry, entry.tunnel)
    if isinstance(entry, AnchorEntry):
        for tunnel in entry.copies:
            _require_outside(entry, tunnel)


def _require_outside(entry: Entry, tunnel: Tunnel) -> None:
    if entry.home_address in (tunnel.local, tunnel.remote):
        text = "its home address is an end of its own tunnel (T2)"
        raise ForwardingError("install", str(entry.key), text)


def _require_keys(tunnel: Tunnel) -> None:
    """ForwardingError: keys where the encapsulation has none, or none that GRE has."""
    keys = (tunnel.key_in, tunnel.key_out)
    if keys == (None, None):
        return
    if tunnel.encapsulation is not Encapsulation.GRE:
        text = f"{tunnel.encapsulation.label} has no keys, GRE has (T5)"
        raise ForwardingError("install", str(tunnel), text)
    if not all(key is None or 0 <= key <= 0xFFFFFFFF for key in keys):
        raise ForwardingError("install", str(tunnel), "a GRE key has 32 bits")


def whole_only(carry: Carry, dropped: drops.Drops) -> Carry:
    """``carry`` for packets that are no fragments: the forwarding header has no room for a fragment's place (T3).

    Nor does the packet grow beyond what IPv4 has room for.
    """

    def carry_whole(packet: bytes) -> bool:
        if is_fragment(packet):
            dropped[drops.MINIMAL_FRAGMENT] += 1
            return False
        if len(packet) > minimal.LONGEST:
            dropped[drops.OUTER_TOO_BIG] += 1
            return False
        return carry(packet)

    return carry_whole


def udp_path(signalling: ISignalling, tunnel: Tunnel, dropped: drops.Drops) -> Carry:
    """Into RFC 3519 UDP tunnelling, from the very port that the registrations use (N12)."""
    header = tunnel_data_header(tunnel.encapsulation)
    if tunnel.encapsulation is Encapsulation.GRE:
        header += gre_header(tunnel.key_out)
    destination = Endpoint(tunnel.remote, tunnel.remote_port)
    source = tunnel.local
    send = signalling.send

    def carry(packet: bytes) -> bool:
        return put(packet, packet[1])

    def put(octets: bytes, tos: int) -> bool:
        refused = send(header + octets, destination, source, tos)
        if refused:
            dropped[drops.reason_of(refused)] += 1
        return not refused

    def carry_minimal(packet: bytes) -> bool:
        # Our own address as it leaves is not what arrives behind a NAT: the original source is always told.
        return put(minimal.forwarding_header(packet) + packet[(packet[0] & 0xF) * 4 :], packet[1])

    if tunnel.encapsulation is Encapsulation.MINIMAL:
        return whole_only(carry_minimal, dropped)
    return carry
