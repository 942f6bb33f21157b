"""What becomes of a visitor's registration: replies, silence and time (P5-P21, P81).

Every method returns effects in the order in which they must be carried out.
"""

from functools import partial
from math import isinf

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.addresses import Endpoint, ipv4_text
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import Addressing, Told, lease_over
from pmip_tw.mag.authentication.gate import Gate
from pmip_tw.mag.effects import AskPresence, MagEffect
from pmip_tw.mag.homeside import HomeSide
from pmip_tw.mag.journal.recording import Recording
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.presence import PROBE_INTERVAL, PROBES, Presence, heard_since_asked, presence
from pmip_tw.mag.registration.accepting import Acceptance
from pmip_tw.mag.registration.asking import Asking
from pmip_tw.mag.registration.exchanges import Exchange
from pmip_tw.mag.registration.judging import Answer, Judge, Outcome
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.registration.registrar import RETRANSMIT_AFTER, Registrar
from pmip_tw.mag.registration.repairs import repaired, without_key
from pmip_tw.mag.registration.waiting import Waiting
from pmip_tw.mag.session.departures import WORTH_WAITING, Departures
from pmip_tw.mag.visitors import WITH_LEASE, State, Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.codes import Code
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.registration import RegistrationReply

_NOT_THIS_ADDRESS = (Code.HA_ADMIN_PROHIBITED, Code.FA_ADMIN_PROHIBITED)
"""P19; 65 means the same (P28)."""

_NO_PROXY = (Code.PMIP_UNSUPPORTED, Code.PMIP_DISALLOWED)
"""P16: not from anybody; not for this node."""

EXTENSIONS_APART = 2.0
"""Seconds at least from one registration to the next for a lease: the node says how often its server extends that."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Registrations:
    """The registration of each visitor, with what it means for the packet plane and for DHCP."""

    _policy: MagPolicy
    _gate: Gate
    _home: HomeSide
    _addressing: Addressing
    _asking: Asking
    _acceptance: Acceptance
    _lmas: Lmas
    _registrar: Registrar
    _judge: Judge
    _recording: Recording
    _departures: Departures
    _waiting: Waiting

    def follow(self, visitor: Visitor, told: Told, now: Now) -> list[MagEffect]:
        """Carry out what DHCP means for ``visitor``'s registration."""
        if told.refused:
            self._gate.hold_off(visitor.mac, now.monotonic, self._policy.reject_hold)
        if told.promises or told.renews:
            told.effects.append(self._recording.registered(visitor, told.promises))
        if told.renews:
            self._extend(visitor, now)
        if told.leaves:
            leaving = self._departures.leave(visitor, told.leaves, now, terminate_cause=told.terminate_cause)
            return [*told.effects, *leaving]
        if told.registers is not None:
            return [*told.effects, *self._asking.begin(visitor, told.registers, now, at=told.at)]
        if told.awaits_dhcp:
            visitor.state = State.ADDRESSING
            visitor.retry_at = now.monotonic + self._policy.attach_probe_max_age
        return told.effects

    def reply(
        self, visitor: Visitor, payload: bytes, reply: RegistrationReply, source: Endpoint, now: Now
    ) -> list[MagEffect]:
        """A registration reply that names this visitor."""
        answer = self._judge.judge(visitor, payload, reply, source, now)
        if answer.outcome is Outcome.DISCARDED:
            session = str(visitor.key)
            return [observed.discarded(answer.reason, source, answer.cause, nai=visitor.nai, session=session)]
        assert visitor.exchange is not None and answer.reply is not None
        if answer.code != Code.PMIP_UNSUPPORTED:
            self._lmas.answered(visitor.exchange.lma)
        if answer.outcome is Outcome.RESYNCHRONIZED:
            noted = observed.visitor_event("clock-resynchronized", visitor, cause=answer.cause, reason="133")
            return [noted, *self._asking.attempt(visitor, visitor.exchange, now)]
        if visitor.state is State.LEAVING:
            return self._departures.answered(visitor, answer)
        if answer.outcome is Outcome.ACCEPTED:
            if visitor.exchange.discovers:
                return self._discovered(visitor, visitor.exchange, answer.reply, now)
            return self.follow(
                visitor, self._acceptance.accepted(visitor, visitor.exchange, answer.reply, now), now
            )
        return self._refused(visitor, visitor.exchange, answer, now)

    def due(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """Something of ``visitor`` may be due."""
        at = now.monotonic
        if visitor.session_ends is not None and visitor.session_ends <= at:
            why = "the session timeout that AAA set is over"
            return self._departures.leave(visitor, why, now, terminate_cause=TerminateCause.SESSION_TIMEOUT)
        if visitor.state in WITH_LEASE and visitor.lease_ends is not None and visitor.lease_ends <= at:
            return self._departures.leave(
                visitor, visitor.lease_cause, now, terminate_cause=lease_over(visitor.lease_cause)
            )
        if visitor.grant is not None and visitor.grant.ends_at <= at:
            return self._waiting.expired(visitor, now)
        if visitor.exchange is not None:
            if visitor.exchange.next_try <= at:
                return self._unanswered(visitor, visitor.exchange, now)
        elif visitor.state is State.WAITING:
            return self._waiting.due(visitor, now)
        elif visitor.state is State.ADDRESSING and visitor.retry_at <= at:
            visitor.retry_at = visitor.heard_at + self._policy.attach_probe_max_age
            if visitor.retry_at <= at:
                cause = "it has no address, and fell silent"
                return self._departures.forget(
                    visitor, "visitor-vanished", terminate_cause=TerminateCause.LOST_CARRIER, cause=cause
                )
        elif visitor.grant is not None:
            check_at = visitor.grant.renew_at if visitor.check_at is None else visitor.check_at
            if check_at <= at:
                return [AskPresence(visitor.key)]
        return []

    def presence(self, visitor: Visitor, last_heard: float, now: Now) -> list[MagEffect]:
        """The packet plane says when it last heard the node; only for one that is there something is sent (P15)."""
        if visitor.grant is None:
            return []
        silence = now.monotonic - max(last_heard, visitor.heard_at)
        contested, exchange = visitor.contested, visitor.exchange
        found = presence(visitor, last_heard, now.monotonic, self._policy.attach_probe_max_age)
        if found is Presence.GONE:
            how_long = "since this MAG was restarted" if isinf(silence) else f"for {silence:.0f} s"
            why = f"silent {how_long} and through {PROBES} ARP probes"
            return self._departures.leave(visitor, why, now, terminate_cause=TerminateCause.LOST_CARRIER)
        if found is Presence.PROBE:
            visitor.check_at = now.monotonic + PROBE_INTERVAL
            if exchange is not None:
                exchange.next_try = visitor.check_at
            return [self._home.probe(visitor)]
        visitor.check_at, visitor.contested = None, False
        if contested and not visitor.tunnel_lost:
            return []
        if exchange is None:
            return self._asking.renew(visitor, now)
        return self._asking.attempt(visitor, exchange, now)

    def contest(self, visitor: Visitor, now: Now) -> None:
        """Its MAC is heard on another port: if it does not answer probes here any more, it has moved (AA24)."""
        if visitor.state is State.REGISTERED and visitor.exchange is None and not visitor.contested:
            visitor.contested, visitor.probes = True, 0
            visitor.check_at = now.monotonic
        elif visitor.state is State.WAITING:
            self._waiting.contest(visitor, now)

    def _extend(self, visitor: Visitor, now: Now) -> None:
        """The binding lives as long as the lease (P65): renew it now if it would end before (D36)."""
        if visitor.grant is None or visitor.exchange is not None:
            return
        if visitor.lease_ends is None or visitor.lease_ends > visitor.grant.ends_at:
            soonest = max(now.monotonic, visitor.grant.accepted_at + EXTENSIONS_APART)
            visitor.check_at = min(soonest, visitor.grant.renew_at)

    def moved(self, visitor: Visitor, instant: float) -> list[MagEffect]:
        """Our own address is another one: at ``instant`` the visitor is registered with it (P82)."""
        visitor.exchange = None  # its answer would go to an address that we do not have
        if visitor.grant is not None:
            visitor.check_at, visitor.tunnel_lost = instant, True
            return []
        withdrawn = self._asking.withdraw(visitor)
        visitor.wait(0.0, instant)
        visitor.waiting_since = float("-inf")
        return withdrawn

    def lost(self, visitor: Visitor, instant: float) -> None:
        """Nothing comes back through its tunnel: at ``instant`` it is registered anew (P81)."""
        visitor.tunnel_lost = True
        if visitor.state is State.REGISTERED and visitor.exchange is None:
            visitor.check_at = instant

    def heard(self, visitor: Visitor, now: Now) -> None:
        """A frame of a node that is not registered yet: if that was doubted, its request is due now."""
        if visitor.state is State.REGISTERING and visitor.exchange is not None:
            visitor.exchange.heard = True
            if visitor.probes:
                visitor.exchange.next_try = now.monotonic
        elif visitor.state is State.WAITING and visitor.probes:
            visitor.check_at = now.monotonic

    def hurry(self, visitor: Visitor, message: DhcpMessage, now: Now) -> None:
        """The node asks again by DHCP while the LMA is silent: do not let it wait for the back-off (M8).

        Unless it is extending its lease it has no address by which it could be found.
        """
        exchange = visitor.exchange
        extends = message.message_type is MessageType.REQUEST and message.ciaddr == visitor.hint
        visitor.configured = visitor.configured and extends
        if exchange is not None and exchange.sent_at + RETRANSMIT_AFTER[0] <= now.monotonic:
            exchange.next_try = now.monotonic
        elif visitor.state is State.WAITING:
            self._waiting.hurry(visitor, now)

    def forwarding_failed(self, visitor: Visitor, cause: str, now: Now) -> list[MagEffect]:
        """The packet plane refused the entry of an accepted registration: its binding must not stay."""
        self._gate.hold_off(visitor.mac, now.monotonic, self._policy.reject_hold)
        noted = observed.visitor_event("forwarding-failed", visitor, cause=cause, reason="forwarding")
        leaving = self._departures.leave(visitor, cause, now, terminate_cause=TerminateCause.NAS_ERROR)
        return [noted, *leaving]

    def _discovered(
        self, visitor: Visitor, exchange: Exchange, reply: RegistrationReply, now: Now
    ) -> list[MagEffect]:
        """The LMA is known; what was registered was only to find it, for a few seconds (DY8, DY9)."""
        assigned = reply.home_agent
        noted = observed.visitor_event("lma-assigned", visitor, lma=ipv4_text(assigned))
        proper = (
            exchange.again()
            if assigned == exchange.lma
            else self._registrar.readdressed(visitor, exchange, assigned)
        )
        if proper is None:
            cause = f"LMA {ipv4_text(exchange.lma)} assigns {ipv4_text(assigned)}, with which we share no key"
            return [noted, *self._asking.hopeless(visitor, cause, "no-association", now)]
        proper.home_agent, proper.lifetime = assigned, self._registrar.lifetime_for(visitor)
        if self._addressing.lma_assigns:
            proper.home_address = reply.home_address  # DY2
            visitor.hint = visitor.hint and reply.home_address
        return [noted, *self._asking.ask(visitor, proper, now)]

    def _refused(self, visitor: Visitor, exchange: Exchange, answer: Answer, now: Now) -> list[MagEffect]:
        assert answer.reply is not None
        cause = f"LMA {ipv4_text(exchange.lma)}: {answer.cause}"
        effects: list[MagEffect] = [
            observed.visitor_event("registration-refused", visitor, cause=cause, reason=answer.reason)
        ]
        if answer.code in _NO_PROXY:
            if answer.code == Code.PMIP_UNSUPPORTED:
                self._lmas.block(exchange.lma, now.monotonic)
            else:
                self._lmas.disallow(exchange.lma, visitor.nai, now.monotonic)
            wait, code = self._policy.pmip_backoff, Code(answer.code)
            return effects + self._asking.blocked(visitor, exchange, wait, now, refused=code)
        cured = repaired(
            exchange,
            answer.reply,
            usual_lifetime=self._registrar.lifetime_for(visitor),
            may_do_without_udp=self._policy.nat_traversal == "auto",
            readdress=partial(self._registrar.readdressed, visitor, exchange),
        )
        if cured is not None:
            effects += self._asking.withdraw(visitor)
            return effects + self._asking.ask(visitor, cured, now)
        visitor.exchange = None
        moves = visitor.grant is not None and exchange.lma != visitor.lma
        if visitor.grant is not None and not moves and answer.code in WORTH_WAITING:
            visitor.check_at = now.monotonic + self._back_off(visitor)
            return effects
        effects += self._asking.withdraw(visitor)  # the provisional entry goes with a refusal (P77)
        if answer.code in _NOT_THIS_ADDRESS and exchange.home_address and (visitor.grant is None or moves):
            instead = self._addressing.address_refused(visitor, now)  # P19
            if instead is not None and instead.registers is not None:
                another = exchange.again(home_address=instead.registers)
                return [*effects, *instead.effects, *self._asking.ask(visitor, another, now)]
            if instead is not None:
                return effects + self.follow(visitor, instead, now)
        if moves:
            return effects + self._asking.elsewhere(visitor, exchange, now)
        if answer.code in WORTH_WAITING:
            visitor.wait(self._back_off(visitor), now.monotonic)
            return effects
        return effects + self._asking.hopeless(visitor, answer.cause, answer.reason, now)

    def _back_off(self, visitor: Visitor) -> float:
        wait = RETRANSMIT_AFTER[min(visitor.retries, len(RETRANSMIT_AFTER) - 1)]
        visitor.retries += 1
        return wait

    def _unanswered(self, visitor: Visitor, exchange: Exchange, now: Now) -> list[MagEffect]:
        """A try has been waited for. Another one needs a node that is still there (P15)."""
        if visitor.grant is not None and self._is_old(visitor.confirmed_at, now):
            return [AskPresence(visitor.key)]
        if visitor.state is State.REGISTERING:
            found = heard_since_asked(visitor)
            if found is Presence.PROBE:
                exchange.next_try = now.monotonic + PROBE_INTERVAL
                return [self._home.probe(visitor)]
            if found is Presence.GONE or self._is_old(visitor.heard_at, now):
                return self._departures.forget(
                    visitor,
                    "visitor-vanished",
                    terminate_cause=TerminateCause.LOST_CARRIER,
                    cause="not heard any more",
                )
        if exchange.complaint:
            cause = f"LMA {ipv4_text(exchange.lma)} gives no valid answer: {exchange.complaint}"
        else:
            why = self._lmas.why_silent(exchange.lma, now.monotonic)
            cause = f"LMA {ipv4_text(exchange.lma)} does not answer: {why}"
        noted = observed.visitor_event(
            "registration-unanswered", visitor, cause=cause, reason="no-answer", tries=exchange.tries
        )
        if exchange.tries < exchange.max_tries:
            return [noted, *self._asking.attempt(visitor, exchange, now)]
        self._lmas.fell_silent(exchange.lma, now.monotonic)
        if visitor.state is State.LEAVING:
            return [
                noted,
                *self._departures.forget(
                    visitor,
                    "visitor-removed",
                    terminate_cause=TerminateCause.LOST_SERVICE,
                    cause=cause,
                    reason="lma-silent",
                ),
            ]
        keyless = None if self._lmas.knows_keys(exchange.lma) else without_key(exchange)
        if keyless is not None and not exchange.complaint:
            return [noted, *self._asking.withdraw(visitor), *self._asking.ask(visitor, keyless, now)]
        return [noted, *self._asking.elsewhere(visitor, exchange, now, cause)]

    def _is_old(self, instant: float, now: Now) -> bool:
        return now.monotonic - instant > self._policy.attach_probe_max_age
