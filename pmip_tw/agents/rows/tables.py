"""What operators see of an agent: rows of plain values."""

from pmip_tw.interfaces import IForwardingPlane, ISignalling
from pmip_tw.mobility.packet_filters import PacketFilters
from pmip_tw.mobility.tunnels import Counters, Tunnel

Row = dict[str, object]


def encapsulation_text(tunnel: Tunnel) -> str:
    """``ip-in-ip``, ``gre key 7`` (of what leaves), ``ip-in-ip in udp``."""
    key = "" if tunnel.key_out is None else f" key {tunnel.key_out}"
    return tunnel.encapsulation.label + key + (" in udp" if tunnel.over_udp else "")


def traffic(moved: Counters) -> Row:
    """What a mobile node moved; up is from the node. Of one with local breakout also what went past its tunnel."""
    row: Row = {
        "packets_up": moved.packets_up,
        "octets_up": moved.octets_up,
        "packets_down": moved.packets_down,
        "octets_down": moved.octets_down,
    }
    if moved.local is not None:
        row |= {f"local_{name}": value for name, value in traffic(moved.local).items()}
    return row


def filtered(filters: PacketFilters, moved: Counters) -> Row:
    """What may not pass (AA25): the names of its filters, and how many packets they have stopped."""
    return {"filters": ", ".join(one.name for one in filters), "filtered": moved.filtered}


def drop_rows(forwarding: IForwardingPlane, signalling: ISignalling) -> list[Row]:
    """What the packet plane and the signalling dropped, in the form of the other counters."""
    return [
        {"name": name, "reason": reason, "count": count}
        for name, drops in (("datagram-dropped", signalling.drops()), ("packet-dropped", forwarding.drops()))
        for reason, count in sorted(drops.items())
    ]
