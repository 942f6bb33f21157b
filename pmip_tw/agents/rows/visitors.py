"""What an operator sees of a MAG's visitors."""

from collections.abc import Iterable

from pmip_tw.addresses import ipv4_text, mac_text
from pmip_tw.agents.rows.tables import Row, encapsulation_text, filtered, traffic
from pmip_tw.interfaces import IForwardingPlane
from pmip_tw.mag.visitors import Visitor


def visitor_rows(visitors: Iterable[Visitor], forwarding: IForwardingPlane, monotonic: float) -> list[Row]:
    """One row for each."""
    return [visitor_row(visitor, forwarding, monotonic) for visitor in visitors]


def visitor_row(visitor: Visitor, forwarding: IForwardingPlane, monotonic: float) -> Row:
    grant, moved = visitor.grant, forwarding.counters(visitor.key)
    return {
        "nai": visitor.nai,
        "mac": mac_text(visitor.mac),
        "port": visitor.key.port,
        "state": visitor.state.value,
        "method": visitor.method,
        "identity": visitor.identity,
        "home_address": ipv4_text(visitor.home_address) if visitor.home_address else "",
        "lma": ipv4_text(visitor.lma) if visitor.profile else "",
        "tunnel": encapsulation_text(visitor.tunnel) if visitor.tunnel else "",
        "lifetime": grant.lifetime if grant else 0,
        "remaining": max(0, round(grant.ends_at - monotonic)) if grant else 0,
        **filtered(visitor.filters, moved),
        **traffic(moved),
    }
