"""Whether a node is there: what was heard of it, and ARP probes where that is too long ago (P15)."""

from enum import Enum

from pmip_tw.mag.visitors import Visitor

PROBES = 3
PROBE_INTERVAL = 1.0
"""Tries and seconds of P15."""


class Presence(Enum):
    """What is known, and what to do about it."""

    THERE = "there"
    PROBE = "probe"
    GONE = "gone"


def presence(visitor: Visitor, heard_at: float, monotonic: float, max_age: float) -> Presence:
    """``heard_at``: the packet plane's word. A contested node must have been heard just now (AA24).

    Counts the probes; whoever is there has all of them again.
    """
    age = monotonic - max(heard_at, visitor.heard_at)
    if age <= (PROBE_INTERVAL if visitor.contested else max_age):
        visitor.probes, visitor.confirmed_at = 0, monotonic
        return Presence.THERE
    return _probed(visitor)


def heard_since_asked(visitor: Visitor) -> Presence:
    """Of a node that is being registered: whether it was heard since the last try.

    Its first frame may have been a stray one from before a handover: unless it is here, a repeated request would
    take it away from where it is (P79). A node without an address answers no ARP: its DHCP is to be trusted.
    """
    assert visitor.exchange is not None
    if not visitor.answers_arp or visitor.exchange.heard:
        visitor.probes = 0
        return Presence.THERE
    return _probed(visitor)


def heard_while_waiting(visitor: Visitor) -> Presence:
    """Of a node that cannot be registered now: whether it was heard since.

    An idle one is asked by ARP. One without an address is not worth remembering: it asks again by DHCP.
    """
    if visitor.heard_at > visitor.waiting_since:
        visitor.probes = 0
        return Presence.THERE
    return _probed(visitor) if visitor.answers_arp else Presence.GONE


def _probed(visitor: Visitor) -> Presence:
    if visitor.probes >= PROBES:
        return Presence.GONE
    visitor.probes += 1
    return Presence.PROBE
