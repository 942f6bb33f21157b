"""Nodes that are here and cannot be registered now: kept, and registered as soon as an LMA takes them (P15, P16).

An idle node does not know that nobody can reach it, and would be forgotten until it speaks. So who has an address is
asked by ARP whether it is there, again and again; who does not answer is forgotten.
"""

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.mag import observed
from pmip_tw.mag.effects import MagEffect
from pmip_tw.mag.homeside import HomeSide
from pmip_tw.mag.presence import PROBE_INTERVAL, Presence, heard_while_waiting
from pmip_tw.mag.registration.asking import Asking
from pmip_tw.mag.registration.registrar import RETRANSMIT_AFTER
from pmip_tw.mag.session.departures import Departures
from pmip_tw.mag.visitors import LONGEST_UNCHECKED, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Remove


@attrs.frozen(eq=False, repr=False)
class Waiting:
    """Visitors in the state of that name; ``Visitor.wait`` brings them there."""

    _visitors: VisitorList
    _home: HomeSide
    _asking: Asking
    _departures: Departures

    def expired(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """Its registration was not renewed in time, which says nothing about the node: it may still be here."""
        noted = observed.visitor_event(
            "registration-expired", visitor, cause="the registration was not renewed in time"
        )
        self._visitors.displace(visitor)
        visitor.lose_registration()
        visitor.wait(0.0, now.monotonic)
        return [Remove(visitor.key), noted]

    def due(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """Frames from before say nothing: it may have moved away with them (P15, P79)."""
        assert visitor.check_at is not None
        if visitor.check_at > now.monotonic:
            return []
        found = heard_while_waiting(visitor)
        if found is Presence.PROBE:
            visitor.check_at = now.monotonic + PROBE_INTERVAL
            return [self._home.probe(visitor)]
        if found is Presence.GONE:
            cause = "not heard while it waited for its LMA"
            return self._departures.forget(
                visitor, "visitor-vanished", terminate_cause=TerminateCause.LOST_CARRIER, cause=cause
            )
        visitor.contested = False
        if visitor.retry_at <= now.monotonic:
            return self._asking.begin(visitor, visitor.hint, now)
        visitor.waiting_since = now.monotonic
        visitor.check_at = min(visitor.retry_at, now.monotonic + LONGEST_UNCHECKED)
        return []

    def contest(self, visitor: Visitor, now: Now) -> None:
        """Its MAC is heard on another port: is it still here? (AA24)"""
        if visitor.answers_arp and not visitor.contested:
            visitor.contested, visitor.probes = True, 0
            visitor.waiting_since = visitor.check_at = now.monotonic

    def hurry(self, visitor: Visitor, now: Now) -> None:
        """The node asks by DHCP: it need not wait for the back-off."""
        soonest = max(visitor.waiting_since + RETRANSMIT_AFTER[0], now.monotonic)
        visitor.retry_at = min(visitor.retry_at, soonest)
        visitor.check_at = min(visitor.retry_at, visitor.check_at or visitor.retry_at)
