"""What an authentic request does to the bindings (RFC 5944 3.8.2.2, 3.8.3): decided, saved, carried out, answered."""

from collections.abc import Iterable

from pmip_tw.addresses import ipv4_text
from pmip_tw.lma import observed
from pmip_tw.lma.addresses.home_addresses import HomeAddresses
from pmip_tw.lma.bindings import NEVER_MOVED, Binding, BindingTable, together
from pmip_tw.lma.journal.recording import bound_record, unbound_record
from pmip_tw.lma.journal.records import Spent
from pmip_tw.lma.place import Place
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration import admission
from pmip_tw.lma.registration.authorization import proxy_refusal
from pmip_tw.lma.registration.commitment import Asked, Commit, Effect, Save, Told, Wait
from pmip_tw.lma.registration.granting import Granting
from pmip_tw.lma.registration.patterns import Patterns
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.lma.registration.replies import acceptance, deregistration, plain_acceptance, refusing
from pmip_tw.lma.registration.underway import Underway
from pmip_tw.lma.revocation.attempts import Attempt
from pmip_tw.lma.revocation.negotiating import revocation_refusal
from pmip_tw.lma.revocation.revoking import Revoker
from pmip_tw.lma.session.allowing import Allowing
from pmip_tw.lma.workers.leases import Ask
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, Send
from pmip_tw.mobility.records import Record
from pmip_tw.mobility.replay import ReplayFloors
from pmip_tw.wire.codes import Code
from pmip_tw.wire.registration import SIMULTANEOUS


class Registrations:
    """Who gets which binding. ``decide`` answers with a refusal or with a Commit, which comes back in ``committed``,
    unless it is undone (``undoing.py``).
    """

    def __init__(
        self,
        policy: LmaPolicy,
        home_addresses: HomeAddresses,
        granting: Granting,
        bindings: BindingTable,
        floors: ReplayFloors,
        revoker: Revoker,
        underway: Underway,
        patterns: Patterns,
        allowing: Allowing,
    ) -> None:
        self._policy = policy
        self._home_addresses = home_addresses
        self._granting = granting
        self._bindings = bindings
        self._floors = floors
        self._revoker = revoker
        self._underway = underway
        self._patterns = patterns
        self._allowing = allowing
        self._accepting = policy.accepting

    def decide(self, asked: Asked, now: Now) -> list[Effect]:
        """An authentic request that is new."""
        problem = admission.message_refusal(asked.request, asked.local, self._policy)
        if problem is None and (asked.mag is not None or asked.request.per_node is not None):
            problem = proxy_refusal(asked)
        if problem is None and self._policy.require_revocation:
            problem = revocation_refusal(asked)
        if problem is not None:
            return self.refuse(asked, problem, now)
        bound = self._bindings.get(asked.owner)
        if asked.request.lifetime == 0:
            return self._deregister(asked, bound, now)
        return self._register(asked, bound, now)

    def sent_to_all(self, asked: Asked, now: Now) -> list[Effect]:
        """H7: an authentic request that was sent to a broadcast address is told where to ask."""
        cause = f"it was sent to a broadcast address; this LMA is {ipv4_text(self._policy.address)} (H7)"
        return self.refuse(asked, Refusal(Code.HA_UNKNOWN_ADDRESS, cause), now)

    def committed(self, commit: Commit, now: Now) -> list[Effect]:
        """It is durable and carried out: answer, and only then tell previous MAGs (P35, P36)."""
        self._underway.end(commit)
        asked, binding = commit.asked, commit.binding
        if commit.answers:
            return [*commit.answers, *self._revoke(commit, now)]
        if commit.arrives:
            return self.arrived((commit,), now)
        if asked is not None and (binding is None or asked.request.lifetime == 0):
            return self._deregistered(asked, commit, now)
        assert binding is not None
        place, carried = binding.place, commit.carried
        self._revoker.cancel(binding.owner, place)
        # What was decided before and never carried out nobody has seen.
        so_far = carried and carried.at_mag(place, binding.terms.fa_ha)
        told: list[Effect]
        if so_far is None:
            told = [_came(binding, carried)]
        else:
            told = [observed.registered(binding, so_far, moved=True)]
            if so_far.tunnel.over_udp and so_far.source != binding.source:
                told.append(observed.endpoint_changed(binding, so_far))
        return [self._acceptance(commit, binding), *told, *self._revoke(commit, now)]

    def arrived(self, commits: Iterable[Commit], now: Now) -> list[Effect]:
        """As ``committed``, of some that arrive."""
        effects: list[Effect] = []
        created: list[Binding] = []
        moved: list[Binding] = []
        revocations: list[Attempt] = []
        for commit in commits:
            self._underway.end(commit)
            binding = commit.binding
            assert binding is not None
            self._revoker.cancel(binding.owner, binding.place)
            effects.append(Send(commit.answer, binding.source, self._policy.address))
            (created if commit.previous is None else moved).append(binding)
            revocations += commit.revocations
        if created:
            effects.append(observed.created(created))
        if moved:
            effects.append(observed.moved(moved))
        effects += self._revoker.send(revocations, now)
        return effects

    def _acceptance(self, commit: Commit, binding: Binding) -> Send:
        answer = commit.answer or plain_acceptance(binding, self._accepting, self._policy.address)
        if answer:
            return Send(answer, binding.source, self._policy.address)
        assert commit.asked is not None  # what was not read has an answer
        return acceptance(commit.asked, binding, self._accepting, lifetime=binding.lifetime)

    def end(self, bound: Binding, now: Now) -> list[Effect]:
        """All of an owner's bindings are over before their time, and by no message: nobody can refuse that."""
        carried = self._underway.carried(bound.owner, bound)
        self._underway.forget(bound.owner)
        self._over(bound, bound.all, now)
        self.leave(bound, (), now)
        effects: list[Effect] = [Save(unbound_record(bound, bound.identification, now.monotonic))]
        effects += self._underway.changes(bound.owner, carried, None)
        return effects

    def replaced_unsaid(self, bound: Binding) -> tuple[Binding, ...]:
        """What MAGs believe to have of an owner, while what the table has, ``bound``, is still on its way."""
        carried = self._underway.carried(bound.owner, bound)
        if carried is None or carried is bound:
            return ()
        return tuple(one for one in carried.all if bound.at(one.place) is None)

    def ended_by_mag(
        self,
        bound: Binding,
        ended: Binding,
        record: Record,
        answers: tuple[Send | Observe, ...],
        now: Now,
    ) -> Commit:
        """A MAG has revoked one of an owner's bindings, which is said in ``record``."""
        self._over(bound, (ended,), now)
        left = self.leave(bound, tuple(one for one in bound.all if one is not ended), now)
        records = (*self._ending_records(bound, left, bound.identification, now), record)
        return self._ending(Commit(bound.owner, records, left, bound, answers=answers), ended.place, now)

    def _over(self, bound: Binding, ended: tuple[Binding, ...], now: Now) -> None:
        self._floors.note(bound.owner, bound.identification, now.monotonic)
        for one in ended:
            self._revoker.cancel(one.owner, one.place)

    def _register(self, asked: Asked, bound: Binding | None, now: Now) -> list[Effect]:
        """``bound``: what the owner has; ``present``: of that, what it has at the MAG that asks, replaced in any case.

        The rest is replaced as well, unless the S bit keeps it beside (L3).
        """
        present = None if bound is None else bound.at_mag(asked.place, asked.fa_ha)
        beside = bool(asked.request.flags & SIMULTANEOUS) and self._policy.max_bindings > 1
        found = self._granting.find(asked, bound, present, beside, now)
        if isinstance(found, Refusal):
            return self.refuse(asked, found, now)
        if isinstance(found, Ask):
            return [Wait(found, asked)]
        key, tunnel = found
        moved_at = NEVER_MOVED
        if bound is not None:
            moved_at = bound.moved_at if present is not None or beside else now.monotonic
        leave = self._allowing.leave(asked)
        most = None if leave is None else leave.allowed.lifetime
        new = self._granting.grant(asked, key, tunnel, moved_at, now, most=most)
        if most is None and asked.longest >= asked.request.lifetime:
            self._patterns.remember(new)
        if beside and bound is not None:
            new = together((new, *(one for one in bound.all if one is not present)))
        new = self._allowing.allow(new, bound, leave)
        commit, more = self.bind(new, bound, now, asked=asked)
        return [commit] if more is None else [Wait(more), commit]

    def bind(
        self,
        new: Binding,
        bound: Binding | None,
        now: Now,
        *,
        asked: Asked | None = None,
        answer: bytes = b"",
    ) -> tuple[Commit, Ask | None]:
        """``new`` in place of ``bound``, and what to ask of worker 0 then.

        ``asked``: the request; or the ``answer`` to one that was not read, of a node that was not there (Newcomers).
        """
        more: Ask | None = None
        if bound is None:
            self._home_addresses.take(new)
            more = self._home_addresses.ask_ahead(new.key, now.monotonic)
        self._bindings.put(new)
        commit = Commit(new.owner, (), new, bound, asked=asked, answer=answer)
        commit.arrives = bool(answer) and (bound is None or bound.tunnel != new.tunnel)
        self._underway.begin(commit)
        carried, place = commit.carried, new.place
        if carried is not None and (carried.others or carried.at_mag(place, new.terms.fa_ha) is None):
            self._tell_replaced(commit, carried, place, now)
        return commit, more

    def _deregister(self, asked: Asked, bound: Binding | None, now: Now) -> list[Effect]:
        """L2, P37: the binding of that care-of address ends, or all; another MAG's stays; none is fine too."""
        request = asked.request
        self._floors.note(asked.owner, request.identification, now.monotonic)
        ended: tuple[Binding, ...] = ()
        if bound is not None and admission.wanted_home_address(request.home_address) in (
            0,
            bound.home_address,
        ):
            everywhere = request.care_of_address == bound.home_address
            ended = tuple(one for one in bound.all if everywhere or _serves(one, asked))
        if bound is None or not ended:
            spent = Spent(asked.owner, request.identification, now.monotonic)
            return [self._underway.begin(Commit(asked.owner, (spent,), bound, bound, asked=asked))]
        left = self.leave(bound, tuple(one for one in bound.all if one not in ended), now)
        records = self._ending_records(bound, left, request.identification, now)
        return [self._ending(Commit(asked.owner, records, left, bound, asked=asked), asked.place, now)]

    def _ending(self, commit: Commit, place: Place, now: Now) -> Commit:
        """The MAG at ``place`` ends what it has. Others are told if what they have was to move there just now."""
        self._underway.begin(commit)
        if commit.carried is not None and commit.carried is not commit.previous:
            self._tell_replaced(commit, commit.carried, place, now)
        return commit

    def _tell_replaced(self, commit: Commit, carried: Binding, asking: Place, now: Now) -> None:
        """Those MAGs that believe to serve it and will not any more, but for the one that asks (P35)."""
        if not self._policy.revoke_on_handover:
            return
        binding = commit.binding
        for replaced in carried.all:
            place = replaced.place
            if place != asking and (binding is None or binding.at_mag(place, replaced.terms.fa_ha) is None):
                revocation = self._revoker.prepare(replaced, self._policy.address, now)
                if revocation is not None:
                    commit.revocations += (revocation,)

    def _revoke(self, commit: Commit, now: Now) -> list[Told]:
        """What it tells former MAGs of is durable and carried out."""
        return self._revoker.send(commit.revocations, now)

    def _ending_records(
        self, bound: Binding, left: Binding | None, identification: int, now: Now
    ) -> tuple[Record, ...]:
        if left is None:
            return (unbound_record(bound, identification, now.monotonic),)
        return (bound_record(left), Spent(bound.owner, identification, now.monotonic))

    def _deregistered(self, asked: Asked, commit: Commit, now: Now) -> list[Effect]:
        bound, left = commit.previous, commit.binding
        ended = [one for one in bound.all if left is None or left.at(one.place) is None] if bound else []
        for place in {asked.place, *(one.place for one in ended)}:
            self._revoker.cancel(asked.owner, place)
        home_address = admission.wanted_home_address(asked.request.home_address)
        if not home_address and bound is not None:
            home_address = bound.home_address
        answer = deregistration(asked, self._accepting, home_address, ended[0].tunnel if ended else None)
        return [answer, observed.deregistered(asked, ended), *self._revoke(commit, now)]

    def leave(self, bound: Binding, left: tuple[Binding, ...], now: Now) -> Binding | None:
        """Of what an owner has only ``left`` goes on, which is what the table has then."""
        if left:
            rest = together(left)
            self._bindings.put(rest)
            return rest
        self._bindings.remove(bound.owner)
        self._home_addresses.release(bound.key, now.monotonic)
        return None

    def refuse(self, asked: Asked, refusal: Refusal, now: Now) -> list[Effect]:
        """Its Identification was valid, and is spent (I6b), as a later one is that has failed before it."""
        floor = self._floors.note(asked.owner, asked.request.identification, now.monotonic)
        spent = Spent(asked.owner, floor, now.monotonic)
        return [refusing(asked, refusal, self._policy), observed.refused(asked, refusal), Save(spent)]


def _came(binding: Binding, carried: Binding | None) -> Effect:
    """It is at a MAG where its owner was not."""
    if carried is None:
        return observed.created((binding,))
    return observed.added(binding) if binding.others else observed.moved((binding,))


def _serves(binding: Binding, asked: Asked) -> bool:
    """Whether the MAG that asks is the binding's. A direct one may de-register by another way (N18)."""
    if binding.tunnel.over_udp:
        key = None if asked.request.fa_ha is None else asked.fa_ha
        return binding.at_mag(asked.place, key) is binding
    return binding.care_of_address == asked.request.care_of_address
