"""What the packet plane remembers of one mobile node while it moves packets, and how packets show their tunnel."""

from msgspec import Struct

from pmip_tw.addresses import Ipv4
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.paths import Way
from pmip_tw.mobility.packet_filters import PacketFilters, objecting
from pmip_tw.mobility.tunnels import Counters


def octets(address: Ipv4) -> bytes:
    """The address as it stands in a packet."""
    return address.to_bytes(4, "big")


class Session(Struct, eq=False, kw_only=True, gc=False):
    """One entry's counters and its way; mutable, because it changes with every packet.

    ``home`` is the home address as it stands in a packet; ``way`` leads into the entry's tunnel; ``filters`` are the
    entry's, which nearly no node has: ask ``refuses`` only of one that has some.
    """

    home: bytes
    way: Way
    packets_up: int = 0
    octets_up: int = 0
    packets_down: int = 0
    octets_down: int = 0
    last_heard: float = 0.0
    filters: PacketFilters = ()
    filtered: int = 0

    def refuses(self, packet: bytes, dropped: drops.Drops, *, up: bool) -> bool:
        """Whether a filter stops ``packet``, from the node (``up``) or to it, which is counted (AA25)."""
        stopped_by = objecting(self.filters, packet, up)
        if stopped_by is None:
            return False
        self.filtered += 1
        dropped[drops.filtered_by(stopped_by.name)] += 1
        return True

    def counters(self) -> Counters:
        return Counters(
            packets_up=self.packets_up,
            octets_up=self.octets_up,
            packets_down=self.packets_down,
            octets_down=self.octets_down,
            last_heard=self.last_heard,
            filtered=self.filtered,
        )

    def inherit(self, before: "Session") -> None:
        """Go on counting where the entry that this one replaces stopped."""
        self.packets_up, self.octets_up = before.packets_up, before.octets_up
        self.packets_down, self.octets_down = before.packets_down, before.octets_down
        self.last_heard = before.last_heard
        self.filtered = before.filtered
