"""Tunnels for DHCP of nodes that have no address yet: asked for at their LMA, opened, and forgotten (N45-N57).

Nothing here outlives the process: a node that is not answered asks again.
"""

from collections import Counter
from typing import Final

import attrs

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.mag import observed
from pmip_tw.mag.effects import MagEffect
from pmip_tw.mag.registration.exchanges import Exchange
from pmip_tw.mag.registration.grants import tunnel_of
from pmip_tw.mag.registration.judging import Answer, Judge, Outcome
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.registration.registrar import Registrar
from pmip_tw.mag.registration.repairs import plainer
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import CloseDhcp, OpenDhcp
from pmip_tw.mobility.timers import Wheel
from pmip_tw.mobility.tunnels import AccessKey, Tunnel
from pmip_tw.wire.codes import Code
from pmip_tw.wire.pretunnel import PreTunnelReply

RELIED_ON: Final = 45.0
"""Seconds for which an LMA's yes is relied on; it keeps the tunnel for a minute, unless it is told otherwise."""

KEPT: Final = 60.0
"""Seconds for which what comes out of it is awaited."""

APART: Final = 1.0
"""Seconds at least between two questions about one node, whoever may be flooding (N52)."""

_GRANULARITY = 1 / 64


@attrs.define(slots=True, kw_only=True, eq=False)
class PreTunnel:
    """That of one visitor. Times are monotonic.

    ``lma``: that was asked last. ``exchange``: while it is asked; ``tunnel``: None until it has said yes;
    ``relied_until``: DHCP goes into it without another question; ``ends_at``: when it is forgotten; ``asked_at``: when
    it was last asked for.
    """

    visitor: Visitor
    lma: Ipv4
    exchange: Exchange | None = None
    tunnel: Tunnel | None = None
    relied_until: float = 0.0
    ends_at: float
    asked_at: float

    @property
    def deadline(self) -> float:
        return self.ends_at if self.exchange is None else min(self.ends_at, self.exchange.next_try)


@attrs.frozen(slots=True, kw_only=True)
class Said:
    """What a reply means. ``tunnel``: DHCP may go through it now, None: not. ``refused``: why not at all."""

    effects: list[MagEffect]
    tunnel: Tunnel | None = None
    refused: str = ""


class PreTunnels:
    """All that are asked for or open; several nodes may share one tunnel, which is open while one of them needs it."""

    def __init__(
        self, registrar: Registrar, judge: Judge, lmas: Lmas, visitors: VisitorList, udp: str
    ) -> None:
        """``udp``: "auto" where UDP tunnelling is offered and not insisted upon, see MagPolicy.nat_traversal."""
        self._registrar = registrar
        self._judge = judge
        self._lmas = lmas
        self._visitors = visitors
        self._may_do_without_udp = udp == "auto"
        self._of: dict[AccessKey, PreTunnel] = {}
        self._users: Counter[Tunnel] = Counter()
        self._deadlines: Wheel[AccessKey] = Wheel(_GRANULARITY, self._deadline)

    def usable(self, visitor: Visitor, now: Now) -> Tunnel | None:
        """The tunnel into which DHCP of ``visitor`` may go without another question."""
        found = self._found(visitor)
        return found.tunnel if found is not None and found.relied_until > now.monotonic else None

    def open_for(self, visitor: Visitor) -> Tunnel | None:
        """The tunnel out of which its DHCP may come."""
        found = self._found(visitor)
        return None if found is None else found.tunnel

    def lma_of(self, visitor: Visitor) -> Ipv4 | None:
        """The LMA that was asked last."""
        found = self._found(visitor)
        return None if found is None else found.lma

    def doubt(self, visitor: Visitor) -> None:
        """Nothing came back: the LMA is asked again before more goes into it."""
        found = self._found(visitor)
        if found is not None:
            found.relied_until = 0.0

    def ask(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """Ask the LMA of ``visitor`` for a tunnel, if that is not under way already (N47)."""
        found = self._found(visitor)
        if found is not None and (found.exchange is not None or found.asked_at + APART > now.monotonic):
            return []
        return self._begin(visitor, now, frozenset())

    def answered(
        self, visitor: Visitor, payload: bytes, reply: PreTunnelReply, source: Endpoint, now: Now
    ) -> Said:
        """A reply that names ``visitor``."""
        found = self._found(visitor)
        if found is None or found.exchange is None:
            return _discarded(visitor, source, "unexpected-reply", "no tunnel is being asked for it")
        exchange = found.exchange
        answer = self._judge.accepting(visitor.nai, exchange, payload, reply, source, now)
        if isinstance(answer, Answer):
            return self._not_accepted(found, exchange, answer, source, now)
        self._lmas.answered(exchange.lma)
        effects = self._close(found)
        found.exchange, found.tunnel = None, tunnel_of(exchange, answer)
        found.relied_until, found.ends_at = now.monotonic + RELIED_ON, now.monotonic + KEPT
        self._users[found.tunnel] += 1
        if self._users[found.tunnel] == 1:
            effects.append(OpenDhcp(found.tunnel))
        self._lmas.sees_us_at(found.tunnel.remote, answer.care_of_address)
        public = ipv4_text(answer.care_of_address)  # N57: told, and never used
        effects.append(
            observed.visitor_event("pre-tunnel-accepted", visitor, tunnel=str(found.tunnel), public=public)
        )
        return Said(effects=effects, tunnel=found.tunnel)

    def forget(self, visitor: Visitor) -> list[MagEffect]:
        """It is registered, which replaces it (N55), or has left."""
        found = self._found(visitor)
        if found is None:
            return []
        del self._of[visitor.key]
        return self._close(found)

    def forget_all(self) -> list[MagEffect]:
        """Our own address is another one (P82): what was agreed upon is of no use any more."""
        self._lmas.nothing_is_public()
        effects = [effect for found in self._of.values() for effect in self._close(found)]
        self._of.clear()
        return effects

    def wake(self, now: Now) -> list[MagEffect]:
        effects: list[MagEffect] = []
        for key in self._deadlines.due(now.monotonic):
            found = self._of[key]
            visitor = self._visitors.get(key)
            gone = visitor is not found.visitor or found.visitor.state is State.LEAVING
            if gone or found.ends_at <= now.monotonic:
                del self._of[key]
                effects += self._close(found)
            elif found.exchange is not None:
                effects += self._unanswered(found, found.exchange, now)
                self._deadlines.file(key, found.deadline)
        return effects

    def next_deadline(self) -> float | None:
        return self._deadlines.next_deadline()

    def _begin(self, visitor: Visitor, now: Now, given_up: frozenset[Ipv4]) -> list[MagEffect]:
        """At the best LMA that is not ``given_up`` (P81)."""
        assert visitor.profile is not None
        lma = self._lmas.choose(visitor.profile, given_up, visitor.nai, now.monotonic)
        if lma is None:
            return [
                _failed(visitor, "no LMA: AAA names none for it, and [mag] default_lmas is empty", "no-lma")
            ]
        wait = self._lmas.blocked_for(lma, visitor.nai, now.monotonic)
        if wait:
            cause = f"LMA {ipv4_text(lma)} takes nothing of it; asked again in {wait:.0f} s"
            return [_failed(visitor, cause, "blocked")]
        exchange = self._registrar.pre_tunnel(visitor, lma, now, given_up)
        if isinstance(exchange, str):
            return [_failed(visitor, exchange, "no-association")]
        return self._ask(visitor, exchange, now)

    def _ask(self, visitor: Visitor, exchange: Exchange, now: Now) -> list[MagEffect]:
        found, closed = self._of.get(visitor.key), []
        if found is None or found.visitor is not visitor:
            closed = [] if found is None else self._close(found)
            found = self._of[visitor.key] = PreTunnel(
                visitor=visitor, lma=exchange.lma, ends_at=now.monotonic + KEPT, asked_at=now.monotonic
            )
        found.lma, found.exchange, found.asked_at = exchange.lma, exchange, now.monotonic
        found.ends_at = now.monotonic + KEPT
        effects = [*closed, *self._registrar.attempt_pre_tunnel(visitor, exchange, now)]
        self._deadlines.file(visitor.key, found.deadline)
        return effects

    def _not_accepted(
        self, found: PreTunnel, exchange: Exchange, answer: Answer, source: Endpoint, now: Now
    ) -> Said:
        visitor = found.visitor
        if answer.outcome is Outcome.DISCARDED:
            return _discarded(visitor, source, answer.reason, answer.cause)
        if answer.code != Code.PMIP_UNSUPPORTED:
            self._lmas.answered(exchange.lma)
        if answer.outcome is Outcome.RESYNCHRONIZED:
            noted = observed.visitor_event("clock-resynchronized", visitor, cause=answer.cause, reason="133")
            again = self._registrar.attempt_pre_tunnel(visitor, exchange, now)
            self._deadlines.file(visitor.key, found.deadline)
            return Said(effects=[noted, *again])
        found.exchange = None
        self._deadlines.file(visitor.key, found.deadline)
        cause = f"LMA {ipv4_text(exchange.lma)}: {answer.cause}"
        effects: list[MagEffect] = [
            observed.visitor_event("pre-tunnel-refused", visitor, cause=cause, reason=answer.reason),
        ]
        if answer.code == Code.PMIP_UNSUPPORTED:
            self._lmas.block(exchange.lma, now.monotonic)
        elif answer.code == Code.PMIP_DISALLOWED:
            self._lmas.disallow(exchange.lma, visitor.nai, now.monotonic)
        if answer.code in (Code.PMIP_UNSUPPORTED, Code.PMIP_DISALLOWED):
            given_up = exchange.given_up | {exchange.lma}
            if self._has_another(visitor, given_up, now):  # P16: as a registration goes on to the next
                return Said(effects=[*effects, *self._begin(visitor, now, given_up)])
        another = plainer(exchange, answer.code, may_do_without_udp=self._may_do_without_udp)
        if another is not None:  # N11
            return Said(effects=[*effects, *self._ask(visitor, another, now)])
        if answer.code in (Code.HA_RESOURCES, Code.HA_ID_MISMATCH):
            return Said(effects=effects)  # the node asks again, and by then it may be better
        return Said(effects=effects, refused=cause)

    def _unanswered(self, found: PreTunnel, exchange: Exchange, now: Now) -> list[MagEffect]:
        """N49: again, at another LMA, or not any more."""
        visitor = found.visitor
        if exchange.tries < exchange.max_tries:
            return [*self._registrar.attempt_pre_tunnel(visitor, exchange, now)]
        self._lmas.fell_silent(exchange.lma, now.monotonic)
        why = exchange.complaint or self._lmas.why_silent(exchange.lma, now.monotonic)
        noted = _failed(
            visitor, f"LMA {ipv4_text(exchange.lma)} gives no tunnel for its DHCP: {why}", "no-answer"
        )
        found.exchange, given_up = None, exchange.given_up | {exchange.lma}
        if not self._has_another(visitor, given_up, now):
            return [noted]
        return [noted, *self._begin(visitor, now, given_up)]

    def _has_another(self, visitor: Visitor, given_up: frozenset[Ipv4], now: Now) -> bool:
        """Whether there is an LMA left that may be asked now."""
        assert visitor.profile is not None
        other = self._lmas.choose(visitor.profile, given_up, visitor.nai, now.monotonic)
        return other is not None and not self._lmas.blocked_for(other, visitor.nai, now.monotonic)

    def _found(self, visitor: Visitor) -> PreTunnel | None:
        found = self._of.get(visitor.key)
        return found if found is not None and found.visitor is visitor else None

    def _close(self, found: PreTunnel) -> list[MagEffect]:
        """Nothing of this node is awaited any more."""
        tunnel, found.tunnel = found.tunnel, None
        if tunnel is None:
            return []
        self._users[tunnel] -= 1
        if self._users[tunnel]:
            return []
        del self._users[tunnel]
        return [CloseDhcp(tunnel)]

    def _deadline(self, key: AccessKey) -> float | None:
        found = self._of.get(key)
        return None if found is None else found.deadline


def _failed(visitor: Visitor, cause: str, reason: str) -> MagEffect:
    return observed.visitor_event("pre-tunnel-failed", visitor, cause=cause, reason=reason)


def _discarded(visitor: Visitor, source: Endpoint, reason: str, cause: str) -> Said:
    note = observed.discarded(reason, source, cause, nai=visitor.nai, session=str(visitor.key))
    return Said(effects=[note])
