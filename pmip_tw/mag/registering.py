"""A visitor's registration from the first request to the last: begin, retry, renew, leave (P5-P21).

Every method returns effects in the order in which they must be carried out.
"""

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.mag import observed
from pmip_tw.mag.addressing import Addressing, Told
from pmip_tw.mag.effects import AskPresence, Forward, MagEffect, Serve
from pmip_tw.mag.gate import Gate
from pmip_tw.mag.homeside import HomeSide
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registrar import RETRANSMIT_AFTER, Answer, Outcome, Registrar
from pmip_tw.mag.revoked import Revocations
from pmip_tw.mag.visitors import Exchange, State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.wire.codes import Code
from pmip_tw.wire.registration import RegistrationReply

PROBES = 3
PROBE_INTERVAL = 1.0
"""Tries and seconds of P15."""

_WORTH_WAITING = (Code.HA_RESOURCES, Code.HA_ID_MISMATCH)
"""Refusals that time may cure; all others last until somebody changes something."""

_NOT_THIS_ADDRESS = (Code.HA_ADMIN_PROHIBITED, Code.FA_ADMIN_PROHIBITED)
"""P19; 65 means the same (P28)."""

_MAX_UNREACHABLE = 256
"""ICMP may name any number of peers."""

_ICMP_CAUSES = {
    0: "its network is unreachable",
    1: "the host is unreachable",
    3: "nothing listens on UDP port 434 there: is the LMA running?",
    13: "a packet filter forbids it",
}


class Registrations:
    """The registration of each visitor, with what it means for the packet plane and for DHCP."""

    def __init__(
        self,
        policy: MagPolicy,
        visitors: VisitorList,
        gate: Gate,
        home: HomeSide,
        addressing: Addressing,
        revocations: Revocations,
    ) -> None:
        self._policy = policy
        self._visitors = visitors
        self._gate = gate
        self._home = home
        self._addressing = addressing
        self._revocations = revocations
        self.registrar = Registrar(policy)
        self._unreachable: dict[Ipv4, tuple[str, float]] = {}
        self._blocked: dict[Ipv4, float] = {}

    def follow(self, visitor: Visitor, told: Told, now: Now) -> list[MagEffect]:
        """Carry out what DHCP means for ``visitor``'s registration."""
        if told.refused:
            self._gate.hold_off(visitor.mac, now.monotonic, self._policy.reject_hold)
        if told.renews:
            self._extend(visitor, now)
        if told.leaves:
            return [*told.effects, *self.leave(visitor, told.leaves, now)]
        if told.registers is not None:
            return [*told.effects, *self.begin(visitor, told.registers, now)]
        return told.effects

    def begin(self, visitor: Visitor, home_address: Ipv4, now: Now) -> list[MagEffect]:
        """Ask the LMA for a registration; downstream is ready before the request leaves (P77)."""
        blocked_until = self._blocked.get(visitor.lma, 0.0)
        if blocked_until > now.monotonic:  # P16
            wait = blocked_until - now.monotonic
            self._gate.hold_off(visitor.mac, now.monotonic, min(wait, self._policy.reject_hold))
            cause = f"LMA {ipv4_text(visitor.lma)} takes no proxy registrations; asked again in {wait:.0f} s"
            return self.forget(visitor, "visitor-removed", cause=cause, reason=str(Code.PMIP_UNSUPPORTED))
        visitor.state = State.REGISTERING
        visitor.tunnel = self.registrar.first_tunnel(visitor)
        exchange = visitor.exchange = Exchange(lifetime=self._policy.lifetime, home_address=home_address)
        effects: list[MagEffect] = []
        provisional = visitor.entry(upstream=False)
        if provisional is not None:
            holder = self._visitors.at(visitor.lma, provisional.home_address)
            # Whoever claims the address of another visitor does not get that one's packets.
            if holder is None or holder is visitor or holder.state is State.LEAVING:
                self._visitors.place(visitor, provisional.home_address)
                effects.append(Install(provisional))
        return effects + self._try(visitor, exchange, now)

    def reply(
        self, visitor: Visitor, payload: bytes, reply: RegistrationReply, source: Endpoint, now: Now
    ) -> list[MagEffect]:
        """A registration reply that names this visitor."""
        answer = self.registrar.judge(visitor, payload, reply, now)
        if answer.outcome is Outcome.DISCARDED:
            session = str(visitor.key)
            return [observed.discarded(answer.reason, source, answer.cause, nai=visitor.nai, session=session)]
        if answer.outcome is Outcome.RESYNCHRONIZED:
            assert visitor.exchange is not None
            noted = observed.visitor_event("clock-resynchronized", visitor, cause=answer.cause, reason="133")
            return [noted, *self._try(visitor, visitor.exchange, now)]
        if visitor.state is State.LEAVING:
            return self._left(visitor, answer)
        if answer.outcome is Outcome.ACCEPTED:
            return self._accepted(visitor, now)
        return self._refused(visitor, answer, now)

    def due(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """Something of ``visitor`` may be due."""
        at = now.monotonic
        if visitor.session_ends is not None and visitor.session_ends <= at:
            visitor.session_ends = None
            return self.leave(visitor, "the session timeout that AAA set is over", now)
        if visitor.lease_ends is not None and visitor.lease_ends <= at and visitor.state is State.REGISTERED:
            return self.leave(visitor, visitor.lease_cause, now)
        if visitor.grant is not None and visitor.grant.ends_at <= at:
            cause = "the registration was not renewed in time"
            return self.forget(visitor, "registration-expired", cause=cause)
        if visitor.exchange is not None:
            if visitor.exchange.next_try <= at:
                return self._unanswered(visitor, visitor.exchange, now)
        elif visitor.state is State.WAITING and visitor.retry_at <= at:
            # Heard since the refusal: it is here. Frames from before a handover say nothing (P15, P79).
            if visitor.heard_at > visitor.refused_at:
                return self.begin(visitor, visitor.hint, now)
            return self.forget(visitor, "visitor-vanished", cause="not heard since the LMA refused it")
        elif visitor.grant is not None:
            check_at = visitor.grant.renew_at if visitor.check_at is None else visitor.check_at
            if check_at <= at:
                return [AskPresence(visitor.key)]
        return []

    def presence(self, visitor: Visitor, last_heard: float, now: Now) -> list[MagEffect]:
        """The packet plane says when it last heard the node; only one that is there is renewed (P15)."""
        if visitor.grant is None or visitor.exchange is not None:
            return []
        silence = now.monotonic - max(last_heard, visitor.heard_at)
        contested = visitor.contested
        if silence <= (PROBE_INTERVAL if contested else self._policy.attach_probe_max_age):
            visitor.check_at, visitor.probes, visitor.contested = None, 0, False
            if contested:
                return []
            visitor.exchange = Exchange(lifetime=self._policy.lifetime, home_address=visitor.home_address)
            return self._try(visitor, visitor.exchange, now)
        if visitor.probes < PROBES:
            visitor.probes += 1
            visitor.check_at = now.monotonic + PROBE_INTERVAL
            return [self._home.probe(visitor)]
        return self.leave(visitor, f"silent for {silence:.0f} s and through {PROBES} ARP probes", now)

    def contest(self, visitor: Visitor, now: Now) -> None:
        """Its MAC is heard on another port: if it does not answer probes here any more, it has moved (AA24)."""
        if visitor.state is State.REGISTERED and visitor.exchange is None and not visitor.contested:
            visitor.contested, visitor.probes = True, 0
            visitor.check_at = now.monotonic

    def leave(self, visitor: Visitor, why: str, now: Now) -> list[MagEffect]:
        """De-register (P21): its packets stop here at once.

        A request that is still out may have been accepted: its binding is given up as well.
        """
        if visitor.state is State.LEAVING:
            return []
        if visitor.grant is None and visitor.exchange is None:
            return self.forget(visitor, "visitor-left", cause=why)
        effects: list[MagEffect] = [
            Remove(visitor.key),
            observed.visitor_event("visitor-left", visitor, cause=why),
            *_frames_lost(visitor),
        ]
        if visitor.grant is not None and visitor.grant.lma_timestamp is not None:
            # A revocation that is already on its way wants an acknowledgment all the same (RV37).
            self._revocations.bury(visitor, visitor.grant.lma_timestamp, now.monotonic)
        asked_for = visitor.exchange.home_address if visitor.exchange is not None else visitor.hint
        visitor.state = State.LEAVING
        visitor.grant = visitor.lease_ends = visitor.check_at = None
        visitor.exchange = Exchange(lifetime=0, home_address=visitor.home_address or asked_for)
        return effects + self._try(visitor, visitor.exchange, now)

    def forget(self, visitor: Visitor, name: str, *, cause: str = "", reason: str = "") -> list[MagEffect]:
        """The visitor is no more; the LMA is not told."""
        self._visitors.remove(visitor)
        return [
            Remove(visitor.key),
            observed.visitor_event(name, visitor, cause=cause, reason=reason),
            *_frames_lost(visitor),
        ]

    def forwarding_failed(self, visitor: Visitor, cause: str, now: Now) -> list[MagEffect]:
        """The packet plane refused the entry of an accepted registration: its binding must not stay."""
        self._gate.hold_off(visitor.mac, now.monotonic, self._policy.reject_hold)
        noted = observed.visitor_event("forwarding-failed", visitor, cause=cause, reason="forwarding")
        return [noted, *self.leave(visitor, cause, now)]

    def _extend(self, visitor: Visitor, now: Now) -> None:
        """The binding lives as long as the lease (P65): renew it now if it would end before (D36)."""
        if visitor.grant is None or visitor.exchange is not None:
            return
        if visitor.lease_ends is None or visitor.lease_ends > visitor.grant.ends_at:
            visitor.check_at = now.monotonic

    def unreachable(self, peer: Endpoint, code: int, now: Now) -> None:
        """ICMP about an LMA: an explanation for silence, nothing more (RFC 5944 3.7.3)."""
        self._unreachable.pop(peer.address, None)
        while len(self._unreachable) >= _MAX_UNREACHABLE:
            del self._unreachable[next(iter(self._unreachable))]
        self._unreachable[peer.address] = (_ICMP_CAUSES.get(code, f"ICMP code {code}"), now.monotonic)

    def hurry(self, visitor: Visitor, now: Now) -> None:
        """The node asks again by DHCP while the LMA is silent: do not let it wait for the back-off (M8)."""
        exchange = visitor.exchange
        if exchange is not None and exchange.sent_at + RETRANSMIT_AFTER[0] <= now.monotonic:
            exchange.next_try = now.monotonic
        elif visitor.state is State.WAITING:
            soonest = max(visitor.refused_at + RETRANSMIT_AFTER[0], now.monotonic)
            visitor.retry_at = min(visitor.retry_at, soonest)

    def _try(self, visitor: Visitor, exchange: Exchange, now: Now) -> list[MagEffect]:
        send = self.registrar.send(visitor, exchange, now)
        name = "registration-sent" if exchange.lifetime else "deregistration-sent"
        tries = len(exchange.identifications)
        return [send, observed.visitor_event(name, visitor, lma=ipv4_text(visitor.lma), tries=tries)]

    def _accepted(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        renewal = visitor.state is State.REGISTERED
        visitor.state, visitor.retries = State.REGISTERED, 0
        displaced = self._displace_others(visitor)
        self._visitors.place(visitor, visitor.home_address)
        entry = visitor.entry(upstream=True)
        assert entry is not None
        name = "registration-renewed" if renewal else "registration-accepted"
        then: list[MagEffect] = [observed.registered(visitor, name)]
        if not renewal and self._policy.configured_link(visitor.home_address) is None:
            then.append(observed.home_prefix_unknown(visitor))
        told = self._addressing.accepted(visitor, now)
        if told.leaves:
            return [*displaced, *then, *self.follow(visitor, told, now)]
        then += told.effects
        frames, lost = visitor.frames.take(now.monotonic)
        then += [Forward(visitor.key.port, frame) for frame in frames]
        then += [observed.frame_dropped(visitor.key, "held-too-long", nai=visitor.nai)] * lost
        return [*displaced, Serve(entry, tuple(then))]

    def _displace_others(self, visitor: Visitor) -> list[MagEffect]:
        """The LMA decides whose an address is: who had it here has lost it, who only claimed it never had it."""
        holder = self._visitors.at(visitor.lma, visitor.home_address)
        if holder is None or holder is visitor:
            return []
        if holder.grant is None:
            self._visitors.displace(holder)
            return [Remove(holder.key)]
        cause = f"the LMA has given {ipv4_text(visitor.home_address)} to {visitor.nai}"
        return self.forget(holder, "visitor-removed", cause=cause, reason="address-moved")

    def _left(self, visitor: Visitor, answer: Answer) -> list[MagEffect]:
        """The answer to a de-registration."""
        if answer.outcome is Outcome.ACCEPTED:
            self._visitors.remove(visitor)
            return [observed.visitor_event("deregistered", visitor)]
        noted = observed.visitor_event(
            "deregistration-refused", visitor, cause=answer.cause, reason=answer.reason
        )
        if answer.code not in _WORTH_WAITING:
            self._visitors.remove(visitor)
        return [noted]

    def _refused(self, visitor: Visitor, answer: Answer, now: Now) -> list[MagEffect]:
        exchange = visitor.exchange
        assert exchange is not None
        effects: list[MagEffect] = [
            observed.visitor_event(
                "registration-refused",
                visitor,
                cause=f"LMA {ipv4_text(visitor.lma)}: {answer.cause}",
                reason=answer.reason,
            )
        ]
        visitor.exchange = None
        if visitor.state is State.REGISTERED and answer.code in _WORTH_WAITING:
            visitor.check_at = now.monotonic + self._back_off(visitor)
            return effects
        if visitor.grant is None:
            self._visitors.displace(visitor)
            effects.append(Remove(visitor.key))  # the provisional entry goes with a refusal (P77)
        another = answer.code in _NOT_THIS_ADDRESS and self._addressing.any_address_will_do
        if another and exchange.home_address and visitor.grant is None:
            effects += self._addressing.refused(visitor, now)
            visitor.hint = Ipv4(0)
            return [*effects, *self.begin(visitor, Ipv4(0), now)]  # P19
        if answer.code in _WORTH_WAITING:
            visitor.state = State.WAITING
            visitor.refused_at = now.monotonic
            visitor.retry_at = now.monotonic + self._back_off(visitor)
            return effects
        effects += self._addressing.refused(visitor, now)
        hold = self._policy.reject_hold
        if answer.code == Code.PMIP_UNSUPPORTED:
            self._blocked[visitor.lma] = now.monotonic + self._policy.pmip_backoff
        elif answer.code == Code.PMIP_DISALLOWED:
            hold = self._policy.pmip_backoff  # P16
        self._gate.hold_off(visitor.mac, now.monotonic, hold)
        return effects + self.forget(visitor, "visitor-removed", cause=answer.cause, reason=answer.reason)

    def _back_off(self, visitor: Visitor) -> float:
        wait = RETRANSMIT_AFTER[min(visitor.retries, len(RETRANSMIT_AFTER) - 1)]
        visitor.retries += 1
        return wait

    def _unanswered(self, visitor: Visitor, exchange: Exchange, now: Now) -> list[MagEffect]:
        tries = len(exchange.identifications)
        if exchange.complaint:
            cause = f"LMA {ipv4_text(visitor.lma)} gives no valid answer: {exchange.complaint}"
        else:
            cause = f"LMA {ipv4_text(visitor.lma)} does not answer: {self._why_silent(visitor.lma, now)}"
        noted = observed.visitor_event("registration-unanswered", visitor, cause=cause, tries=tries)
        if not self.registrar.exhausted(exchange):
            if visitor.state is State.REGISTERING and self._vanished(visitor, now):
                return [noted, *self.forget(visitor, "visitor-vanished", cause="not heard any more")]
            return [noted, *self._try(visitor, exchange, now)]
        visitor.exchange = None
        if visitor.state is State.REGISTERED:
            visitor.check_at = now.monotonic + RETRANSMIT_AFTER[-1]
            return [noted]
        return [noted, *self.forget(visitor, "visitor-removed", cause=cause, reason="lma-silent")]

    def _vanished(self, visitor: Visitor, now: Now) -> bool:
        return now.monotonic - visitor.heard_at > self._policy.attach_probe_max_age

    def _why_silent(self, lma: Ipv4, now: Now) -> str:
        cause, at = self._unreachable.get(lma, ("", 0.0))
        if cause and at + RETRANSMIT_AFTER[-1] >= now.monotonic:
            return cause
        return (
            "it is down, unreachable, or discards the request (it does when it knows no key for this NAI and SPI; "
            "its log says so)"
        )


def _frames_lost(visitor: Visitor) -> list[MagEffect]:
    """Held frames that go nowhere are dropped and counted (P78)."""
    frames, old = visitor.frames.take(0.0)
    lost = observed.frame_dropped(visitor.key, "never-registered", nai=visitor.nai)
    return [lost] * (len(frames) + old)
