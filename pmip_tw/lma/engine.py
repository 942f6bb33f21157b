"""The LMA's machine: datagrams and time in, effects out.

``receive`` answers with a Send (a refusal, a repeated answer), a Commit (what must be durable and carried out before
the reply) or nothing but an Observe; with a Save for what must be durable as well, but cannot be refused. The agent
reports each Commit back, in the order in which they were made, by one of ``committed``, ``superseded`` and ``failed``,
and what waits for a Save by ``saved``.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import partial

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.node_keys import Brought, KeyAnswer, KeyQuestion
from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.errors import WireError
from pmip_tw.lma import observed
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.lma.dhcp.leases import DhcpLeases
from pmip_tw.lma.journal.records import BoundOwner, LeaseEnded
from pmip_tw.lma.journal.restoring import Rows
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.lma.keys.questions import Held
from pmip_tw.lma.mags import KnownMags
from pmip_tw.lma.parts import LmaParts
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration.commitment import Asked, AskTraffic, Commit, Effect, Save, Waiting
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.lma.revocation.attempts import Attempt
from pmip_tw.mobility.associations import AssociationTable
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.due import Due
from pmip_tw.mobility.effects import Install, Observe, Remove
from pmip_tw.mobility.mn_aaa import AaaTable
from pmip_tw.mobility.replay import seconds_between
from pmip_tw.mobility.tunnels import AlikeEntries, AnchorEntry, AnchorKey
from pmip_tw.wire.codes import MessageType

# As plain numbers: comparing with a member of an enumeration takes longer.
_REQUEST = int(MessageType.REGISTRATION_REQUEST)
_REQUEST_OCTET = bytes((_REQUEST,))
_REVOCATION = int(MessageType.REVOCATION)
_REVOCATION_ACK = int(MessageType.REVOCATION_ACK)
_NO_MESSAGE = -2
_ACK_OCTET = bytes((_REVOCATION_ACK,))


class LmaEngine:
    """Every rule of the LMA that needs its state. ``local``: our address or a broadcast, where a datagram was sent.

    ``dhcp``: what there is of DHCP if ``policy`` allows pre-tunnels, which is relayed by ``dhcp_relay``. ``keys``: how
    keys are asked of AAA that ``associations`` has not (AA10); None: they are not.
    """

    def __init__(
        self,
        policy: LmaPolicy,
        associations: AssociationTable,
        pools: Pools,
        *,
        mags: KnownMags | None = None,
        aaa: AaaTable | None = None,
        dhcp_relay: RelayPolicy | None = None,
        keys: KeyPolicy | None = None,
    ) -> None:
        parts = LmaParts(policy, associations, pools, mags, aaa, dhcp_relay, keys)
        self._clock = parts.clock
        self._bindings = parts.bindings
        self._floors = parts.floors
        self._underway = parts.underway
        self.keys = parts.keys
        self.associations = associations
        self._revoker = parts.revoker
        self._intake = parts.intake
        self._registrations = parts.registrations
        self._undoing = parts.undoing
        self._newcomers = parts.newcomers
        self._renewals = parts.renewals
        self._former = parts.former
        self._revoked = parts.revoked
        self._ending = parts.ending
        self._expiring = parts.expiring
        self._leasing = parts.leasing
        self._limiting = parts.limiting
        self.sessions = parts.sessions
        self.dhcp = parts.dhcp
        self._restorer = parts.restorer
        self._pools = pools
        self._pre_tunnel_request = _NO_MESSAGE if self.dhcp is None else policy.pre_tunnel_request_type
        self.address = policy.address
        self.keepalive_interval = policy.keepalive_interval
        self._timestamp_window = policy.timestamp_window
        self._mags = mags

    @property
    def bindings(self) -> BindingTable:
        return self._bindings

    @property
    def leases(self) -> DhcpLeases:
        """What DHCP servers have given through this LMA."""
        return self._pools.leases

    @property
    def revoking(self) -> int:
        """How many revocations have not been acknowledged yet."""
        return len(self._revoker)

    def ipsec_mags(self) -> list[Ipv4]:
        """Whose signalling is to be proven by IPsec; nothing of it is believed before ``protect``."""
        mags = self._mags or ()
        return [mag.address for mag in mags if mag.mode is AuthenticationMode.IPSEC]

    def protect(self, mag: Ipv4) -> None:
        """The kernel takes the signalling of ``mag`` through ESP only (P74)."""
        assert self._mags is not None
        self._mags.protect(mag)

    @property
    def underway(self) -> int:
        """How many owners have something that is not durable yet."""
        return len(self._underway)

    def restore(self, rows: Rows, now: Now) -> list[Observe]:
        """What former processes have left, before anything is heard; entries are the agent's business."""
        if self.keys is not None:
            self.keys.wake(now)
        restorer = self._restorer()
        notes = restorer.restore(rows, now)
        if restorer.latest is not None:
            ahead = seconds_between(restorer.latest, now.wall)
            if ahead > self._timestamp_window:
                # The machine's clock was set back meanwhile: see SteadyClock.
                self._clock.go_on_from(now.wall + ahead, now)
        return notes

    def knows_all(self, outlines: Sequence[BoundOwner]) -> bool:
        """Whether an older row of these bindings could tell ``restore`` nothing."""
        return all(map(self._bindings.owners.__contains__, [outline.owner for outline in outlines]))

    def recognize(
        self, payload: bytes, source: Endpoint, local: Ipv4, now: Now
    ) -> Commit | Sequence[Effect] | None:
        """A datagram, if it is one of those that nearly all are, or would be if its authenticator was right.

        None: it is for ``receive``.
        """
        if local != self.address:
            return None
        kind = payload[:1]
        if kind == _REQUEST_OCTET:
            now = self._clock.of(now)
            decided = self._renewals.decide(payload, source, now)
            return self._newcomers.decide(payload, source, now) if decided is None else decided
        if kind == _ACK_OCTET:
            return self._revoker.echoed(payload, source, self._clock.of(now))
        return None

    def renewed(self, commit: Commit) -> Binding | None:
        """A renewal is durable: its binding, and its ``answer`` is sent. None: it is none, or see ``stands``."""
        return commit.binding if commit.renews and self._underway.settle(commit) else None

    def arrives(self, commit: Commit) -> bool:
        """Whether a ``commit`` that is durable can be carried out and told with others of its kind: see ``arrived``."""
        return commit.arrives and self._underway.stands(commit)

    def unsettled(self) -> set[AnchorKey]:
        """Home addresses of bindings that are over but for the journal and the packet plane."""
        return self._underway.keys()

    def entries(self) -> Iterator[AnchorEntry | AlikeEntries]:
        """What the packet plane must hold after ``restore``."""
        yield from self._former.entries(self._bindings.waiting())
        for binding in self._bindings.asked_for():
            yield binding.entry

    def receive(self, payload: bytes, source: Endpoint, local: Ipv4, now: Now) -> Sequence[Effect]:
        """A datagram of port 434. Nothing that is not authentic changes any state."""
        now = self._clock.of(now)
        kind = payload[0] if payload else -1
        try:
            if kind == _REQUEST:
                asked = self._intake.take(payload, source, self.address, now)
                if not isinstance(asked, Asked):
                    return [*asked]
                if local != self.address:
                    return self._registrations.sent_to_all(asked, now)
                return self._registrations.decide(asked, now)
            if kind == _REVOCATION:
                return self._revoked.received(payload, source, self.address, now)
            if kind == _REVOCATION_ACK:
                return [*self._revoker.acknowledged(payload, source, now)]
            if kind == self._pre_tunnel_request and self.dhcp is not None:
                return self.dhcp.requested(payload, source, local, now)
        except WireError as error:
            return [observed.discarded(error.reason, source, str(error))]
        return [observed.discarded("unknown-message-type", source, f"message type {kind} is not for an LMA")]

    def key_answered(self, question: KeyQuestion, answer: KeyAnswer | Brought, now: Now) -> list[Effect]:
        """AAA has answered a Fetch: what has waited for it, or is Brought, is read as if it had come now (AA10)."""
        assert self.keys is not None
        read = partial(self._read, now=now)
        return self.keys.answered(question, answer, read, self._clock.of(now))

    def _read(self, held: Held, whole: bool, now: Now) -> Sequence[Effect]:
        """``now`` is that of the machine's clock, as it always is when something comes."""
        found = None if whole else self.recognize(held.payload, held.source, held.local, now)
        if found is None:
            return self.receive(held.payload, held.source, held.local, now)
        return [found] if isinstance(found, Commit) else found

    def traffic(self, asked: AskTraffic, moved: int, now: Now) -> list[Effect]:
        """``moved``: packets, either way, that its entry has carried since it is there."""
        return self._limiting.traffic(asked, moved, self._clock.of(now))

    def saved(self, waited: Sequence[Waiting], now: Now) -> list[Effect]:
        """What Saves have waited for: they are durable, with everything before them."""
        revocations = [one for one in waited if isinstance(one, Attempt)]
        answers = [one for one in waited if not isinstance(one, Attempt)]
        return [*self._revoker.send(revocations, self._clock.of(now)), *answers]

    def stands(self, commit: Commit) -> bool:
        """Whether a ``commit`` that is durable is to be carried out; nothing has made it obsolete."""
        return self._underway.stands(commit)

    def committed(self, commit: Commit, now: Now) -> list[Effect]:
        """The agent carried ``commit`` out: what it promised is true, and is said."""
        effects = self._registrations.committed(commit, self._clock.of(now))
        return effects if self.dhcp is None else [*effects, *self.dhcp.registered((commit,))]

    def arrived(self, commits: Collection[Commit], now: Now) -> list[Effect]:
        """As ``committed``, of several that arrive and are carried out."""
        effects = self._registrations.arrived(commits, self._clock.of(now))
        return effects if self.dhcp is None else [*effects, *self.dhcp.registered(commits)]

    def superseded(self, commit: Commit) -> list[Effect]:
        """A durable ``commit`` does not stand."""
        return self._undoing.superseded(commit)

    def undone(self, commit: Commit) -> list[Install | Remove]:
        """It did when the packet plane was asked, which has carried it out: what undoes that."""
        return self._undoing.undone(commit)

    def failed(self, commit: Commit, refusal: Refusal, now: Now, *, saved: bool = True) -> list[Effect]:
        """The agent could not carry ``commit`` out; not ``saved``: not even save it. The newest are told first."""
        if commit.asked is None and not saved:
            self._revoked.forget(commit.records)
        return self._undoing.failed(commit, refusal, self._clock.of(now), saved=saved)

    def cannot_be_served(self, bound: Binding, now: Now) -> list[Effect]:
        """After a restart: the packet plane does not take its entry any more."""
        return self._ending.end(bound, self._clock.of(now), TerminateCause.NAS_ERROR)

    def revoke(self, nai: bytes, now: Now) -> list[Effect]:
        """The operator ends every binding of ``nai`` (RV21, RV27); it may register again at once, if AAA lets it.

        Nothing: it has none.
        """
        now = self._clock.of(now)
        self.doubt(nai, now)
        effects: list[Effect] = []
        for bound in self._bindings.of_nai(nai):
            effects += self._ending.end(bound, now, TerminateCause.ADMIN_RESET, inform=True)
        return effects

    def doubt(self, nai: bytes, now: Now) -> bool:
        """The operator does not want ``nai`` to register before AAA is asked again; False: we had no key of AAA."""
        return self.keys is not None and self.keys.doubt(nai, now)

    def bound_to(self, home_address: AnchorKey) -> Binding | None:
        """What the owner of ``home_address`` has."""
        owner = self._pools.user(home_address)
        return None if owner is None else self._bindings.get(owner)

    def carried_at(self, home_address: AnchorKey) -> Binding | None:
        """The same, as the packet plane has it while something newer is not durable."""
        bound = self.bound_to(home_address)
        return None if bound is None else self._underway.carried(bound.owner, bound)

    def lease_ended(self, home_address: AnchorKey, now: Now) -> list[Effect]:
        """A DHCP server gave ``home_address`` and has it back (P38, RV27): whoever is registered with it is no longer.

        The server may give it to anybody, so it is not held (P80), even if the binding had ended before.
        """
        now = self._clock.of(now)
        lease = self._pools.leases.at(home_address)
        if lease is not None:
            return self._leasing.over(lease, "told", now)
        bound = self.bound_to(home_address)
        effects = [] if bound is None else self._ending.lease_over(bound, now)
        self._pools.end_hold(home_address, now.monotonic)
        effects.append(Save(LeaseEnded(*home_address, now.monotonic)))
        return effects

    def wake(self, now: Now) -> Iterator[Due[Effect]]:
        """Time has passed: lifetimes end, revocations are repeated; people are told that the clock was set back."""
        now = self._clock.of(now)
        if self._clock.set_back:
            told, self._clock.set_back = observed.clock_set_back(self._clock.set_back), 0.0
            yield Due("the clock", lambda: [told])
        yield from self._expiring.due(now)
        self._floors.forget_old(now.monotonic)
        yield from self._revoker.wake(now)
        yield from self._leasing.wake(now)
        yield from self._limiting.wake(now)
        for part in (self.keys, self.dhcp):
            if part is not None:
                yield Due(type(part).__name__, partial(part.wake, now))

    def expire_all(self, now: Now) -> Iterator[Due[Effect]]:
        """All lifetimes that are over end at once, not some of them for each ``wake``."""
        now = self._clock.of(now)
        while (deadline := self._bindings.next_deadline()) is not None and deadline <= now.monotonic:
            yield from self._expiring.due(now)

    def next_deadline(self) -> float | None:
        """When to call ``wake`` at the latest, monotonic seconds; long ago if there is something to tell at once."""
        if self._clock.set_back:
            return float("-inf")
        deadlines = (
            self._bindings.next_deadline(),
            self._floors.next_deadline(),
            self._revoker.next_deadline(),
            self._leasing.next_deadline(),
            self._bindings.limited.next_deadline(),
            None if self.dhcp is None else self.dhcp.next_deadline(),
            None if self.keys is None else self.keys.next_deadline(),
        )
        return min((deadline for deadline in deadlines if deadline is not None), default=None)
