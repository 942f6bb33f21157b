"""Putting a request out, or not: at which LMA, and prepared in the packet plane (P16, P77, P81).

Every method returns effects in the order in which they must be carried out.
"""

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import Addressing
from pmip_tw.mag.authentication.gate import Gate
from pmip_tw.mag.effects import MagEffect
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registration.exchanges import Exchange
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.registration.registrar import RETRANSMIT_AFTER, TRIES_BEFORE_ANOTHER, Registrar
from pmip_tw.mag.session.departures import Departures, frames_lost
from pmip_tw.mag.visitors import Place, State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.wire.codes import Code

TRIES_AFTER_WAITING = 2
"""Who has waited goes on waiting if its LMA is still silent: there may be thousands of them."""

JITTER = 0.1
"""Part of a wait by which it may be longer."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Asking:
    """Begins exchanges of visitors, and ends visits for which none can be begun."""

    _policy: MagPolicy
    _visitors: VisitorList
    _gate: Gate
    _addressing: Addressing
    _lmas: Lmas
    _registrar: Registrar
    _departures: Departures

    def begin(
        self,
        visitor: Visitor,
        home_address: Ipv4,
        now: Now,
        given_up: frozenset[Ipv4] = frozenset(),
        at: Ipv4 | None = None,
    ) -> list[MagEffect]:
        """Ask for a registration ``at`` that LMA, else at the best that is not ``given_up``."""
        assert visitor.profile is not None
        lma = at or self._lmas.choose(visitor.profile, given_up, visitor.nai, now.monotonic)
        if lma is None:
            cause = "no LMA: AAA names none for this node, and [mag] default_lmas is empty"
            return self.hopeless(visitor, cause, "no-lma", now)
        exchange = self._registrar.exchange(visitor, lma, home_address, now, given_up)
        if isinstance(exchange, str):
            return self.hopeless(visitor, exchange, "no-association", now)
        if visitor.state is State.WAITING:
            exchange.max_tries = min(exchange.max_tries, TRIES_AFTER_WAITING)
        return self.ask(visitor, exchange, now)

    def renew(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """Ask for what ``visitor`` has once more."""
        exchange = self._registrar.exchange(visitor, visitor.lma, visitor.home_address, now)
        if isinstance(exchange, str):
            return self.hopeless(visitor, exchange, "no-association", now)
        # Its address is worth more patience than a first registration is, unless nothing comes through any more.
        exchange.max_tries = TRIES_BEFORE_ANOTHER if visitor.tunnel_lost else len(RETRANSMIT_AFTER)
        visitor.exchange = exchange
        return self.attempt(visitor, exchange, now)

    def ask(self, visitor: Visitor, exchange: Exchange, now: Now) -> list[MagEffect]:
        """Downstream is ready before the request leaves (P77); a running registration keeps what it has."""
        wait = self._lmas.blocked_for(exchange.lma, visitor.nai, now.monotonic)
        if wait:
            return self.blocked(visitor, exchange, wait, now)
        visitor.exchange, visitor.probes = exchange, 0
        effects: list[MagEffect] = []
        if visitor.grant is None:
            visitor.state = State.REGISTERING
            visitor.lma = exchange.lma
            visitor.tunnel = self._registrar.provisional_tunnel(exchange, now)
            provisional = visitor.entry(upstream=False)
            if provisional is not None:
                place = Place.of(visitor.tunnel, provisional.home_address)
                holder = self._visitors.at(place)
                # Whoever claims the address of another visitor does not get that one's packets.
                if holder is None or holder is visitor or holder.state is State.LEAVING:
                    self._visitors.place(visitor, place)
                    effects.append(Install(provisional))
        return [*effects, *self._registrar.attempt(visitor, exchange, now)]

    def attempt(self, visitor: Visitor, exchange: Exchange, now: Now) -> list[MagEffect]:
        """One more try, unless its LMA may not be asked any more."""
        wait = self._lmas.blocked_for(exchange.lma, visitor.nai, now.monotonic)
        if wait:
            return self.blocked(visitor, exchange, wait, now)
        return [*self._registrar.attempt(visitor, exchange, now)]

    def blocked(
        self, visitor: Visitor, exchange: Exchange, wait: float, now: Now, *, refused: Code | None = None
    ) -> list[MagEffect]:
        """P16: nothing is sent to this LMA for ``wait`` seconds. Running registrations live on what they have, and
        who has an address waits. ``refused``: the code, if that was the answer just now.
        """
        visitor.exchange = None
        whom = " of this node" if refused is Code.PMIP_DISALLOWED else ""
        cause = (
            f"LMA {ipv4_text(exchange.lma)} takes no proxy registrations{whom}; asked again in {wait:.0f} s"
        )
        reason = str(int(refused or Code.PMIP_UNSUPPORTED))
        if visitor.state is State.LEAVING:
            return self._departures.forget(
                visitor,
                "visitor-removed",
                terminate_cause=TerminateCause.LOST_SERVICE,
                cause=cause,
                reason=reason,
            )
        withdrawn = self.withdraw(visitor)
        given_up = exchange.given_up | {exchange.lma}
        if self._has_another(visitor, exchange, now):
            return withdrawn + self.begin(visitor, exchange.home_address, now, given_up)
        wait = self._until_one_may_answer(visitor, exchange, wait, now)
        if visitor.grant is not None:
            visitor.check_at = now.monotonic + _apart(wait, now)
            return [observed.visitor_event("registration-postponed", visitor, cause=cause, reason=reason)]
        told = [] if refused is None else self._addressing.refused(visitor, now)
        if visitor.answers_arp and not told:
            visitor.wait(_apart(wait, now), now.monotonic)
            noted = observed.visitor_event("registration-postponed", visitor, cause=cause, reason=reason)
            return [*withdrawn, noted, *frames_lost(visitor)]
        hold = wait if refused is Code.PMIP_DISALLOWED else min(wait, self._policy.reject_hold)
        return [*withdrawn, *told, *self.hopeless(visitor, cause, reason, now, hold, answer_dhcp=False)]

    def elsewhere(self, visitor: Visitor, exchange: Exchange, now: Now, cause: str = "") -> list[MagEffect]:
        """On to the next LMA of the profile, if there is one (P81); else who has an address waits until one answers."""
        visitor.exchange = None
        given_up = exchange.given_up | {exchange.lma}
        assert visitor.profile is not None
        if self._lmas.choose(visitor.profile, given_up, visitor.nai, now.monotonic) is not None:
            address = visitor.home_address or visitor.hint
            return self.withdraw(visitor) + self.begin(visitor, address, now, given_up)
        if visitor.grant is not None:
            visitor.check_at = now.monotonic + RETRANSMIT_AFTER[-1]
            return []
        if visitor.answers_arp:
            visitor.wait(RETRANSMIT_AFTER[-1], now.monotonic)
            return [*self.withdraw(visitor), *frames_lost(visitor)]
        return self._departures.forget(
            visitor,
            "visitor-removed",
            terminate_cause=TerminateCause.LOST_SERVICE,
            cause=cause,
            reason="lma-silent",
        )

    def hopeless(
        self,
        visitor: Visitor,
        cause: str,
        reason: str,
        now: Now,
        hold: float | None = None,
        *,
        answer_dhcp: bool = True,
    ) -> list[MagEffect]:
        """It cannot be served, and AAA is not asked about it again for a while."""
        self._gate.hold_off(visitor.mac, now.monotonic, self._policy.reject_hold if hold is None else hold)
        told = self._addressing.refused(visitor, now) if answer_dhcp else []
        return told + self._departures.forget(
            visitor,
            "visitor-removed",
            terminate_cause=TerminateCause.SERVICE_UNAVAILABLE,
            cause=cause,
            reason=reason,
        )

    def withdraw(self, visitor: Visitor) -> list[MagEffect]:
        """No packets for who is not registered."""
        if visitor.grant is not None:
            return []
        self._visitors.displace(visitor)
        return [Remove(visitor.key)]

    def _has_another(self, visitor: Visitor, exchange: Exchange, now: Now) -> bool:
        """Whether there is an LMA left that may be asked now."""
        assert visitor.profile is not None
        given_up = exchange.given_up | {exchange.lma}
        other = self._lmas.choose(visitor.profile, given_up, visitor.nai, now.monotonic)
        return other is not None and not self._lmas.blocked_for(other, visitor.nai, now.monotonic)

    def _until_one_may_answer(self, visitor: Visitor, exchange: Exchange, wait: float, now: Now) -> float:
        """Seconds: ``wait`` for the LMA of ``exchange``, less if another was only silent, or may be asked sooner."""
        assert visitor.profile is not None
        own = set() if visitor.grant is None else {visitor.lma}
        others = own.union(self._lmas.candidates(visitor.profile)) - {exchange.lma}
        blocked = (self._lmas.blocked_for(lma, visitor.nai, now.monotonic) for lma in others)
        return min([wait, *(seconds or RETRANSMIT_AFTER[-1] for seconds in blocked)])


def _apart(wait: float, now: Now) -> float:
    """All nodes of an LMA wait for the same instant: they are not to ask in the same moment (P81, P82)."""
    return wait * (1 + JITTER * now.random_fraction())
