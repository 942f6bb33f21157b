"""The MAG's machine: frames, verdicts, datagrams and time in, effects out."""

from collections.abc import Container, Iterator
from functools import partial

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Verdict
from pmip_tw.addresses import Endpoint, Ipv4, Mac
from pmip_tw.errors import WireError
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import Told
from pmip_tw.mag.effects import AskActivity, MagEffect, Promise
from pmip_tw.mag.journal.restoring import Rows
from pmip_tw.mag.parts import MagParts
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.session.departures import written_off
from pmip_tw.mag.tunnels.keepalives import PathReport
from pmip_tw.mag.visitors import NEVER, State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.due import Due
from pmip_tw.mobility.effects import Remove
from pmip_tw.mobility.tunnels import AccessEntry, AccessKey, Activity, Tunnel
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.ethernet import ETHERTYPE_EAPOL, EthernetFrame
from pmip_tw.wire.registration import RegistrationReply

_EAPOL = ETHERTYPE_EAPOL.to_bytes(2, "big")


class MagEngine:
    """Everything a MAG decides. Each input returns the effects it causes, in order."""

    def __init__(self, policy: MagPolicy) -> None:
        self._policy = policy
        parts = MagParts(policy)
        self._deadlines = parts.deadlines
        self._visitors = parts.visitors
        self._informing = parts.informing
        self._care_of = parts.care_of
        self._clocks = parts.clocks
        self._lmas = parts.lmas
        self._addressing = parts.addressing
        self._home = parts.home
        self._revocations = parts.revocations
        self._departures = parts.departures
        self._registrations = parts.registrations
        self._aaa = parts.aaa
        self._elsewhere = parts.aaa.elsewhere
        self.sessions = parts.aaa.sessions
        self._anew = parts.anew
        self._restorer = parts.restorer
        self._links = parts.links

    @property
    def visitors(self) -> VisitorList:
        return self._visitors

    @property
    def care_of_address(self) -> Ipv4:
        """Ours, which is registered (P4)."""
        return self._care_of.address

    def clock_offset(self, lma: Ipv4) -> int:
        """Seconds by which ``lma``'s clock is ahead of ours, as far as we follow it (P17)."""
        return self._clocks.offset(lma)

    def public_address(self, tunnel_end: Ipv4) -> Ipv4 | None:
        """Where the LMA with tunnels from ``tunnel_end`` has seen us; None: it has not said (N57)."""
        return self._lmas.public(tunnel_end)

    def gateway_for(self, home_address: Ipv4) -> Ipv4:
        """The default gateway of the home link that ``home_address`` lives on (P70)."""
        return self._links.of(home_address).gateway

    def restore(self, rows: Rows, now: Now, going_on: Container[str] | None = None) -> list[MagEffect]:
        """What a former process has written down, newest first: to be called once, before anything else.

        ``going_on``: ids of the sessions of which AAA has not heard the end (AA20); None: it hears of none.
        """
        effects = self._restorer.restore(rows, now, going_on)
        self._elsewhere.restored()
        return effects

    def frame_received(self, port: str, octets: bytes, now: Now) -> list[MagEffect]:
        """An Ethernet frame of an access port that the packet plane did not carry."""
        key = AccessKey(port, Mac(octets[6:12]))
        if octets[12:14] == _EAPOL:
            return self._aaa.dot1x.frame(key, octets, now)
        visitor = self._visitors.get(key)
        if visitor is None or visitor.state is State.LEAVING:
            turned_away = self._aaa.attaching.turns_away(key, now)
            if turned_away is not None:
                return turned_away
        try:
            frame = EthernetFrame.decode(octets)
        except WireError as error:
            return [observed.bad_frame(port, error.reason, str(error))]
        if self._informing.owes(key.mac):
            told = self._informing.frame(key, frame, now)
            if told is not None:
                return told
        if visitor is None or visitor.state is State.LEAVING:
            return self._aaa.attaching.stranger(key, visitor, frame, octets, now)
        visitor.heard_at = now.monotonic
        if visitor.state is State.REGISTERED:
            effects = self._registrations.follow(visitor, self._home.frame(visitor, frame, now), now)
        else:
            effects = self._aaa.attaching.frame(visitor, frame, octets, now)
            if visitor.state is State.AUTHENTICATING:
                effects += self._aaa.dot1x.shown(key, now)
            self._registrations.heard(visitor, now)
        self._deadlines.schedule(visitor)
        return effects

    def dhcp_shown(self, key: AccessKey, packet: bytes, now: Now) -> list[MagEffect]:
        """A DHCP packet that the packet plane carried to or from a node (P65)."""
        visitor = self._visitors.get(key)
        if visitor is None or visitor.state is not State.REGISTERED:
            return []
        effects = self._registrations.follow(visitor, self._addressing.shown(visitor, packet, now), now)
        self._deadlines.schedule(visitor)
        return effects

    def authenticated(self, attempt: int, verdict: Verdict, now: Now) -> list[MagEffect]:
        """AAA's verdict on what Authenticate asked."""
        return self._aaa.answered(attempt, verdict, now)

    def judged(self, verdict: Verdict) -> Verdict:
        """What ``verdict`` means here: an Accept that nobody can be served by is a Reject (AA25)."""
        return self._aaa.allowing.judged(verdict)

    def attached_elsewhere(
        self, key: AccessKey, profile: Profile, examined: Examined, now: Now
    ) -> list[MagEffect]:
        """AAA has accepted ``key``, for which an access point has asked it through us (AA27)."""
        return self._elsewhere.accepted(key, profile, examined, now)

    def detached_elsewhere(
        self, key: AccessKey, why: str, terminate_cause: TerminateCause, now: Now
    ) -> list[MagEffect]:
        """The access point of ``key`` does not serve it any more."""
        return self._elsewhere.ended(key, why, terminate_cause, now)

    def datagram_received(self, payload: bytes, source: Endpoint, local: Ipv4, now: Now) -> list[MagEffect]:
        """A datagram of port 434."""
        kind = payload[0] if payload else -1
        try:
            if kind == MessageType.REGISTRATION_REPLY:
                return self._reply(payload, source, now)
            if kind == MessageType.REVOCATION:
                return self._revocation(payload, source, local, now)
            found = self._addressing.signalled(payload, source, now) if payload else None
            if found is not None:
                return self._follow(*found, now)
        except WireError as error:
            return [observed.discarded(error.reason, source, str(error))]
        return [observed.discarded("unknown-message-type", source, f"message type {kind} is not for a MAG")]

    def dhcp_received(self, payload: bytes, source: Endpoint, now: Now) -> list[MagEffect]:
        """A datagram of a DHCP server that we relay to."""
        return self._follow(*self._addressing.answered(payload, source, now), now)

    def dhcp_tunneled(self, tunnel: Tunnel, packet: bytes, now: Now) -> list[MagEffect]:
        """DHCP for a node without an entry came out of a tunnel (N52)."""
        return self._follow(*self._addressing.tunneled(tunnel, packet, now), now)

    def presence(self, key: AccessKey, last_heard: float, now: Now) -> list[MagEffect]:
        """The packet plane's answer to AskPresence: monotonic seconds, 0 for never."""
        visitor = self._visitors.get(key)
        if visitor is None:
            return []
        effects = self._registrations.presence(visitor, last_heard or NEVER, now)
        self._deadlines.schedule(visitor)
        return effects

    def traffic(self, key: AccessKey, moved: int, now: Now) -> list[MagEffect]:
        """The packet plane's answer to AskTraffic: packets."""
        visitor = self._visitors.get(key)
        if visitor is None:
            return []
        effects = self._aaa.allowing.traffic(visitor, moved, now)
        self._deadlines.schedule(visitor)
        return effects

    def may_keep(self, promise: Promise) -> bool:
        """Whether what it promises is still so."""
        visitor = self._visitors.get(promise.key)
        return (
            visitor is not None
            and visitor.state is State.REGISTERED
            and visitor.home_address == promise.home_address
        )

    def forwarding_failed(self, entry: AccessEntry, cause: str, now: Now) -> list[MagEffect]:
        """The packet plane could not take ``entry``.

        Without a provisional entry (P77) a packet or two may be lost; without a final one the node cannot be served.
        """
        visitor = self._visitors.get(entry.key)
        if visitor is None:
            return []
        if not entry.upstream:
            return [observed.visitor_event("not-prepared", visitor, cause=cause, reason="forwarding")]
        effects = self._registrations.forwarding_failed(visitor, cause, now)
        self._deadlines.schedule(visitor)
        return effects

    def breakout_refused(self, key: AccessKey, cause: str) -> list[MagEffect]:
        """The node of ``key`` is served through its tunnel alone, although there is local breakout here (N58)."""
        visitor = self._visitors.get(key)
        if visitor is None:
            return []
        return [observed.visitor_event("breakout-refused", visitor, cause=cause, reason="local-breakout")]

    def unreachable(self, peer: Endpoint, code: int, now: Now) -> list[MagEffect]:
        """ICMP about a datagram that we sent."""
        self._lmas.unreachable(peer.address, code, now.monotonic)
        return []

    def detach(self, nai: str, now: Now) -> list[MagEffect]:
        """The operator ends the session of ``nai``; nothing if it has none here."""
        visitor = self._visitors.with_nai(nai)
        if visitor is None or visitor.state is State.LEAVING:
            return []
        why = "detached by the operator"
        effects = self._departures.leave(visitor, why, now, terminate_cause=TerminateCause.ADMIN_RESET)
        self._deadlines.schedule(visitor)
        return [*effects, *self._elsewhere.expel(visitor.key, now)]

    def keepalive_answered(self, key: AccessKey, now: Now) -> list[MagEffect]:
        """The far end of the tunnel of ``key`` has answered (N37)."""
        self._anew.answered(key, now)
        return []

    def activity(self, asked: AskActivity, activity: Activity, now: Now) -> list[MagEffect]:
        """The packet plane's answer to AskActivity."""
        return self._anew.activity(asked, activity, now)

    @property
    def forces_udp(self) -> bool:
        """Whether UDP tunnels say nothing of a NAT (N1)."""
        return self._policy.nat_traversal == "force"

    def path_report(self, tunnel: Tunnel) -> PathReport | None:
        """What keepalives have shown of the way of ``tunnel``; None: it has none."""
        return self._anew.keepalives.report(tunnel)

    def address_changed(self, address: Ipv4, now: Now) -> list[MagEffect]:
        """The care-of address is ``address`` from now on: every visitor is registered anew with it (P82)."""
        effects = self._anew.address_changed(address, now)
        return [*effects, *self._addressing.address_changed(address)] if effects else []

    def wake(self, now: Now) -> Iterator[Due[MagEffect]]:
        """Time has passed: what is to be done, each when its turn comes."""
        yield Due("tunnels", partial(self._anew.pulse, now))
        yield Due("DHCP", partial(self._addressing.wake, now))
        yield from self._aaa.wake(now)
        for visitor in self._deadlines.due(now.monotonic):
            put_off = partial(self._deadlines.put_off, visitor, now.monotonic)
            yield Due(visitor.key, partial(self._due, visitor, now), put_off)

    def _due(self, visitor: Visitor, now: Now) -> Iterator[MagEffect]:
        yield from self._registrations.due(visitor, now)
        yield from self._aaa.due(visitor, now)
        self._deadlines.schedule(visitor)

    def next_deadline(self) -> float | None:
        """When to call ``wake`` at the latest, monotonic seconds."""
        deadlines = (
            self._deadlines.next(),
            self._addressing.next_deadline(),
            self._anew.next_deadline(),
            self._aaa.next_deadline(),
        )
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _reply(self, payload: bytes, source: Endpoint, now: Now) -> list[MagEffect]:
        reply = RegistrationReply.decode(payload)
        nai = reply.nai.decode(errors="replace")
        visitor = self._visitors.with_nai(nai)
        if visitor is None:
            return [observed.discarded("unexpected-reply", source, f"no visitor is {nai!r}")]
        effects = self._registrations.reply(visitor, payload, reply, source, now)
        effects += self._anew.registered(visitor, now)
        self._deadlines.schedule(visitor)
        return effects

    def _revocation(self, payload: bytes, source: Endpoint, local: Ipv4, now: Now) -> list[MagEffect]:
        """The visitor is removed before the acknowledgment leaves (RV32)."""
        judgement = self._revocations.received(payload, source, local, now)
        if judgement.visitor is None:
            return [*judgement.effects]
        self._visitors.remove(judgement.visitor)
        told = self._informing.inform(judgement.visitor, now) if judgement.inform else []
        gone = written_off(
            judgement.visitor, TerminateCause.NAS_REQUEST, continues=judgement.goes_on_elsewhere
        )
        return [Remove(judgement.visitor.key), *gone, *told, *judgement.effects]

    def _follow(self, visitor: Visitor | None, told: Told, now: Now) -> list[MagEffect]:
        if visitor is None:
            return told.effects
        effects = self._registrations.follow(visitor, told, now)
        self._deadlines.schedule(visitor)
        return effects
