"""802.1X on the access links: whose EAP goes to AAA, and what its verdict means here (IEEE 802.1X-2010, RFC 3579).

Nothing of a node is carried or answered before it has succeeded; what it sends meanwhile is held as in any handover
(P78). Who shows up without a word of EAP is asked who it is at once, so that a supplicant which has moved, and does not
know, proves itself here in one go.
"""

from collections.abc import Iterator
from functools import partial

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept, Challenge, Conversation, EapCredential, Reject, Verdict
from pmip_tw.access.authenticator import Authenticator, Phase
from pmip_tw.access.eap_steps import AskServer, Began, Ended, Ignored, Outcome, Passed, Step, Tell
from pmip_tw.errors import WireError
from pmip_tw.mag import observed
from pmip_tw.mag.authentication import observed_eap
from pmip_tw.mag.authentication.access_policy import PortAuthentication
from pmip_tw.mag.authentication.admitting import Admitting
from pmip_tw.mag.authentication.conversations import Conversations
from pmip_tw.mag.authentication.gate import Gate
from pmip_tw.mag.authentication.mac_authentication import MacAuthentication
from pmip_tw.mag.authentication.questions import Questions
from pmip_tw.mag.authentication.reauthorizing import UNDECIDED, Reauthorizing
from pmip_tw.mag.effects import MagEffect, Transmit
from pmip_tw.mag.newest import Newest
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.session.departures import Departures
from pmip_tw.mag.visitors import EAP, State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.due import Due
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.eap import Eap, EapCode
from pmip_tw.wire.eapol import EAP_PACKET, LOGOFF, PAE_GROUP, START, Eapol, eapol_frame
from pmip_tw.wire.ethernet import EthernetFrame, is_individual

_MOST_SILENT = 4096

_UNSERVED = (State.AUTHENTICATING, State.LEAVING)


class Dot1x:
    """Everybody who is examined, on all ports."""

    def __init__(
        self,
        *,
        policy: MagPolicy,
        visitors: VisitorList,
        gate: Gate,
        questions: Questions,
        admitting: Admitting,
        by_mac: MacAuthentication,
        reauthorizing: Reauthorizing,
        departures: Departures,
    ) -> None:
        self._policy = policy
        self._access = policy.access
        self._visitors = visitors
        self._gate = gate
        self._questions = questions
        self._admitting = admitting
        self._by_mac = by_mac
        self._reauthorizing = reauthorizing
        self._departures = departures
        self._conversations = Conversations(policy.access)
        self._too_many = observed.BadFrames("eapol-limit")
        # Who did not answer at all: its packets begin nothing for a moment, its EAPOL does.
        self._silent: Newest[AccessKey, float] = Newest(_MOST_SILENT)

    @property
    def examined(self) -> int:
        """How many nodes are at this moment, or were just now."""
        return len(self._conversations)

    def awaits_first_word(self, key: AccessKey) -> bool:
        """Whether nobody there has said who it is, so that AAA was not asked."""
        machine = self._conversations.get(key)
        return machine is not None and machine.awaits_identity

    # What comes from the access link

    def turns_away(self, key: AccessKey, now: Now) -> list[MagEffect] | None:
        """Whether a packet of this stranger is not worth a look, and what that means; None if it is."""
        if self._gate.is_held_off(key.mac, now.monotonic):
            return []
        machine = self._under_way(key)
        if machine is not None:
            return [] if machine.phase is Phase.HELD else None
        until = self._silent.get(key)
        if until is not None and until > now.monotonic:
            return []
        return None if self._may_begin(key, now) else [self._too_many[key.port]]

    def _may_begin(self, key: AccessKey, now: Now) -> bool:
        known = self._visitors.is_known(key.mac)
        return self._conversations.may_begin(key.port, now.monotonic, known=known)

    def stranger(self, key: AccessKey, now: Now) -> list[MagEffect]:
        """A visitor that has shown itself by a packet: who is it?"""
        return [] if self._under_way(key) else self._begin(key, "packet", now)

    def shown(self, key: AccessKey, now: Now) -> list[MagEffect]:
        """Another packet of a visitor that is examined."""
        machine = self._conversations.get(key)
        steps = [] if machine is None else machine.shown(now)
        return self._follow(key, machine, steps, now) if machine is not None and steps else []

    def _under_way(self, key: AccessKey) -> Authenticator | None:
        """None as well after the end of a conversation, of which only that is remembered, when it began: the visit that
        came of it may be over, and the node would never be asked again.
        """
        machine = self._conversations.get(key)
        return None if machine is None or machine.phase is Phase.IDLE else machine

    def frame(self, key: AccessKey, octets: bytes, now: Now) -> list[MagEffect]:
        """An EAPOL frame."""
        if not self._access.of(key.port).by_eap:
            return []
        try:
            frame = EthernetFrame.decode(octets)
            if frame.destination not in (PAE_GROUP, self._policy.gateway_mac) or not is_individual(key.mac):
                return [observed.bad_frame(key.port, "eapol-not-for-us")]
            received = Eapol.decode(frame.payload)
            visitor = self._visitors.get(key)
            if visitor is not None:
                visitor.heard_at = now.monotonic
            return self._received(key, received, now)
        except WireError as error:
            return [observed.bad_frame(key.port, f"eapol-{error.reason}", str(error))]

    def _received(self, key: AccessKey, received: Eapol, now: Now) -> list[MagEffect]:
        """WireError: it holds no EAP packet."""
        if received.kind not in (EAP_PACKET, START, LOGOFF):
            return [observed.bad_frame(key.port, "eapol-kind")]  # keys, announcements: nothing of ours
        machine = self._conversations.get(key)
        if machine is None:
            served = self._served(key)
            if received.kind == LOGOFF and (served is None or not served.by_eap):
                return [observed.bad_frame(key.port, "logoff-of-nobody")]
            if served is None:
                return self._shows_supplicant(key, received, now)
            if received.kind == EAP_PACKET:
                return [observed.frame_dropped(served, "eap-unexpected")]
            machine = self._conversations.of_served(key, now, authenticated=served.by_eap)
        if received.kind in (START, LOGOFF):
            return self._examination_wished(key, machine, received.kind, now)
        if machine.awaits_identity and not machine.authenticated and self._gate.is_full(now.monotonic):
            return [observed.bad_frame(key.port, "authentication-limit")]  # it is asked again
        return self._follow(key, machine, machine.answer(received.body, now), now)

    def _examination_wished(
        self, key: AccessKey, machine: Authenticator, kind: int, now: Now
    ) -> list[MagEffect]:
        """By a node that is examined, or is served; of those, whoever is on the link knows the MACs."""
        is_served = self._served(key) is not None
        if is_served and not self._conversations.may_wish(key.port, now.monotonic):
            self._conversations.changed(key)
            return [self._too_many[key.port]]
        awaited = machine.will_begin
        steps = machine.started(now) if kind == START else machine.logged_off(now)
        begins = (machine.will_begin and not awaited) or any(isinstance(step, Began) for step in steps)
        if is_served and begins:
            self._conversations.wished(key.port, now.monotonic)
        return self._follow(key, machine, steps, now)

    def _shows_supplicant(self, key: AccessKey, received: Eapol, now: Now) -> list[MagEffect]:
        """A Start of somebody who is not served; an answer to a MAG that it has left says as much."""
        why = "eapol-start"
        if received.kind == EAP_PACKET:
            if Eap.decode(received.body).code is not EapCode.RESPONSE:
                return [observed.bad_frame(key.port, "eap-not-a-response")]
            why = "eap-response"
        alone = self._access.of(key.port) is PortAuthentication.DOT1X
        if alone and self._gate.is_held_off(key.mac, now.monotonic):
            return []  # where there is another way, that may be why
        if not self._may_begin(key, now):
            return [self._too_many[key.port]]
        return self._begin(key, why, now)

    def reauthenticate(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """Examine a visitor again that is served on meanwhile."""
        visitor.reauthorize_at = now.monotonic + UNDECIDED
        key = visitor.key
        machine = self._conversations.get(key)
        if machine is None:
            machine = self._conversations.of_served(key, now, authenticated=True)
        if machine.is_conversing:
            return []
        return self._follow(key, machine, machine.begin(now, "reauthentication"), now)

    def _begin(self, key: AccessKey, why: str, now: Now) -> list[MagEffect]:
        known = self._visitors.is_known(key.mac)
        machine, gone = self._conversations.of_stranger(key, now, known=known)
        effects = [] if gone is None else self._gone(gone)
        return [*effects, *self._follow(key, machine, machine.begin(now, why), now)]

    def _gone(self, key: AccessKey) -> list[MagEffect]:
        """Its conversation was given up for another."""
        visitor = self._visitors.get(key)
        if visitor is None or visitor.state is not State.AUTHENTICATING:
            return []
        cause = f"too many nodes are examined on {key.port}: others may begin"
        return self._departures.forget(
            visitor,
            "access-rejected",
            terminate_cause=TerminateCause.SERVICE_UNAVAILABLE,
            cause=cause,
            reason="port-full",
        )

    def expel(self, key: AccessKey, now: Now) -> list[MagEffect]:
        """AAA has ended the visit of ``key`` (AA17): its supplicant is told, and is examined again in a while."""
        if not self._access.of(key.port).by_eap:
            return []
        machine = self._conversations.get(key)
        if machine is None:
            machine = self._conversations.of_served(key, now, authenticated=False)
        return self._follow(key, machine, machine.expelled(self._policy.reject_hold, now), now)

    # What AAA says

    def _answered(
        self, key: AccessKey, machine: Authenticator, question: int, verdict: Verdict, now: Now
    ) -> list[MagEffect]:
        is_asked = machine.phase is Phase.ASKING and machine.questions == question
        if self._conversations.get(key) is not machine or not is_asked:
            return []
        if isinstance(verdict, Challenge):
            steps = machine.challenged(verdict.message, verdict.conversation, verdict.timeout, now)
            return self._follow(key, machine, steps, now)
        if isinstance(verdict, Accept):
            noted = observed_eap.eap_succeeded(key, machine, verdict.profile.nai, now)
            told = self._follow(key, machine, machine.accepted(verdict.message, now), now)
            return [noted, *told, *self._admitted(key, machine, verdict.profile, now)]
        if isinstance(verdict, Reject):
            return self._follow(key, machine, machine.rejected(verdict.message, verdict.cause, now), now)
        return self._follow(key, machine, machine.unavailable(verdict.cause, now), now)

    def _admitted(
        self, key: AccessKey, machine: Authenticator, profile: Profile, now: Now
    ) -> list[MagEffect]:
        method = EAP + (machine.method or "unknown")
        identity = machine.identity.decode(errors="replace")
        served = self._served(key)
        if served is not None and served.nai == profile.nai:
            served.method, served.identity = method, identity
            return self._reauthorizing.accepted(served, profile, now)
        effects: list[MagEffect] = []
        if served is not None:
            why = f"it calls itself {profile.nai} now"
            effects += self._departures.leave(
                served, why, now, terminate_cause=TerminateCause.SUPPLICANT_RESTART
            )
        former = self._visitors.with_nai(profile.nai)
        if former is not None and former.mac != key.mac and former.state not in _UNSERVED:
            self._hold(former.key, now)
        visitor = self._visitors.get(key)
        if visitor is None or visitor.state is not State.AUTHENTICATING:
            effects += self._admitting.make_room(key, profile.nai, now)
            visitor = self._admitting.newcomer(key, now)
        return effects + self._admitting.admit(visitor, profile, method, now, identity)

    def _hold(self, key: AccessKey, now: Now) -> None:
        """Two nodes with one name would take it from each other without end."""
        if not self._access.of(key.port).by_eap:
            return
        machine = self._conversations.get(key)
        if machine is None:
            machine = self._conversations.of_served(key, now, authenticated=False)
        machine.hold(self._policy.reject_hold, now)
        self._conversations.changed(key)

    # Time

    def wake(self, now: Now) -> Iterator[Due[MagEffect]]:
        for key, machine in self._conversations.due(now.monotonic):
            put_off = partial(self._conversations.put_off, key, now.monotonic)
            yield Due(f"802.1X of {key}", partial(self._due, key, machine, now), put_off)

    def _due(self, key: AccessKey, machine: Authenticator, now: Now) -> list[MagEffect]:
        return self._follow(key, machine, machine.due(now), now)

    def next_deadline(self) -> float | None:
        return self._conversations.next_deadline()

    # What a conversation causes

    def _follow(self, key: AccessKey, machine: Authenticator, steps: list[Step], now: Now) -> list[MagEffect]:
        effects: list[MagEffect] = []
        for step in steps:
            match step:
                case Began():
                    effects.append(observed_eap.eap_started(key, step.why))
                case Tell():
                    effects += self._told(key, step)
                case AskServer():
                    effects.append(self._asked(key, machine, step, now))
                case Passed():
                    effects.append(observed_eap.eap_passed(key, step))
                case Ignored():
                    effects.append(observed_eap.eap_ignored(key, step))
                case Ended():
                    effects += self._ended(key, machine, step, now)
        self._conversations.changed(key)
        return effects

    def _told(self, key: AccessKey, step: Tell) -> list[MagEffect]:
        """To its MAC; to everybody only where nobody else could think that he is meant."""
        gateway = self._policy.gateway_mac
        told: list[MagEffect] = [Transmit(key.port, eapol_frame(key.mac, gateway, step.eap))]
        if step.widely and self._is_alone(key):
            told.append(Transmit(key.port, eapol_frame(PAE_GROUP, gateway, step.eap)))
        return told

    def _is_alone(self, key: AccessKey) -> bool:
        visitors = self._visitors.on_port(key.port) - (self._visitors.get(key) is not None)
        return not visitors and not self._conversations.others_on_port(key)

    def _asked(self, key: AccessKey, machine: Authenticator, step: AskServer, now: Now) -> MagEffect:
        assert step.conversation is None or isinstance(step.conversation, Conversation)
        credential = EapCredential(
            mac=key.mac,
            port=key.port,
            identity=step.identity,
            message=step.message,
            conversation=step.conversation,
        )
        then = partial(self._answered, key, machine, machine.questions)
        return self._questions.ask(key, credential, then, now)

    def _ended(self, key: AccessKey, machine: Authenticator, ended: Ended, now: Now) -> list[MagEffect]:
        visitor = self._visitors.get(key)
        noted = observed_eap.eap_failed(key, machine, ended, visitor)
        if visitor is None or visitor.state is State.LEAVING:
            return [noted]
        if visitor.state is not State.AUTHENTICATING:
            return [noted, *self._ended_of_served(visitor, ended, now)]
        if ended.outcome is Outcome.SILENT and not machine.answered:
            if self._access.of(key.port) is PortAuthentication.DOT1X_OR_MAC:
                return [noted, *self._asked_by_mac(visitor, now)]
            # It may have passed by, and come again without a word: it is asked as often as others are.
            self._silent[key] = now.monotonic + self._access.dot1x.times.tx_period
        name = "aaa-unavailable" if ended.outcome is Outcome.UNAVAILABLE else "access-rejected"
        gone = self._departures.forget(
            visitor,
            name,
            terminate_cause=TerminateCause.SERVICE_UNAVAILABLE,
            cause=ended.cause,
            reason=ended.outcome.value,
        )
        return [noted, *gone]

    def _asked_by_mac(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """Unless too many are asked about at AAA already: its next packet begins anew then (P83)."""
        if not self._gate.is_full(now.monotonic):
            return self._by_mac.ask(visitor, now)
        return self._departures.forget(
            visitor,
            "aaa-unavailable",
            terminate_cause=TerminateCause.SERVICE_UNAVAILABLE,
            cause="too many nodes are being authenticated: it has to come again",
            reason="authentication-limit",
        )

    def _ended_of_served(self, visitor: Visitor, ended: Ended, now: Now) -> list[MagEffect]:
        """Who is served for its MAC's sake loses nothing by a conversation that anybody could have begun."""
        if not visitor.by_eap:
            return []
        if ended.outcome is Outcome.UNAVAILABLE:
            return self._reauthorizing.postponed(visitor, ended.cause, now)
        if ended.outcome is Outcome.REJECTED:
            return self._reauthorizing.refused(visitor, ended.cause, now)
        logged_off = ended.outcome is Outcome.LOGGED_OFF
        terminate_cause = (
            TerminateCause.USER_REQUEST if logged_off else TerminateCause.REAUTHENTICATION_FAILURE
        )
        return self._reauthorizing.over(visitor, ended.cause, terminate_cause, now)

    def _served(self, key: AccessKey) -> Visitor | None:
        visitor = self._visitors.get(key)
        return None if visitor is None or visitor.state in _UNSERVED else visitor
