"""What an authentic request does to the bindings (RFC 5944 3.8.2.2, 3.8.3): decided, saved, carried out, answered."""

from functools import lru_cache

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.lma import admission, observed
from pmip_tw.lma.authorization import proxy_refusal
from pmip_tw.lma.bindings import NO_BROADCASTS, Binding, BindingTable, NegotiatedRevocation, together
from pmip_tw.lma.commitment import Asked, Commit, Effect, Save
from pmip_tw.lma.home_addresses import HomeAddresses
from pmip_tw.lma.home_agent import redirection
from pmip_tw.lma.intake import Intake
from pmip_tw.lma.negotiating import agreed, revocation_refusal
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.pools import Pools
from pmip_tw.lma.recording import bound_record, unbound_record
from pmip_tw.lma.records import Spent
from pmip_tw.lma.refusal import Refusal
from pmip_tw.lma.renewals import renewal_form
from pmip_tw.lma.replies import acceptance, deregistration, plain_acceptance, refusing
from pmip_tw.lma.revoking import Revoker
from pmip_tw.lma.tunnelling import tunnel_to, udp_reply
from pmip_tw.lma.underway import Underway, changes
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, Remove, Send
from pmip_tw.mobility.records import Record
from pmip_tw.mobility.replay import ReplayFloors
from pmip_tw.mobility.tunnels import AnchorKey, Broadcasts, Tunnel
from pmip_tw.wire.codes import Code
from pmip_tw.wire.registration import BROADCASTS, COLOCATED, SIMULTANEOUS, RegistrationRequest


class Registrations:
    """Who gets which binding. ``decide`` answers with a refusal or with a Commit, which comes back in one of
    ``committed``, ``superseded`` and ``failed``.
    """

    def __init__(
        self,
        policy: LmaPolicy,
        pools: Pools,
        bindings: BindingTable,
        floors: ReplayFloors,
        revoker: Revoker,
        underway: Underway,
        intake: Intake,
    ) -> None:
        self._policy = policy
        self._home_addresses = HomeAddresses(pools, bindings)
        self._bindings = bindings
        self._floors = floors
        self._revoker = revoker
        self._underway = underway
        self._intake = intake
        self._accepting = policy.accepting

    def decide(self, asked: Asked, now: Now) -> list[Effect]:
        """An authentic request that is new."""
        problem = admission.message_refusal(asked.request, asked.local, self._policy)
        if problem is None and (asked.mag is not None or asked.request.per_node is not None):
            problem = proxy_refusal(asked)
        if problem is None and self._policy.require_revocation:
            problem = revocation_refusal(asked)
        if problem is not None:
            return self._refuse(asked, problem, now)
        bound = self._bindings.get(asked.owner)
        if asked.request.lifetime == 0:
            return self._deregister(asked, bound, now)
        return self._register(asked, bound, now)

    def sent_to_all(self, asked: Asked, now: Now) -> list[Effect]:
        """H7: an authentic request that was sent to a broadcast address is told where to ask."""
        cause = f"it was sent to a broadcast address; this LMA is {ipv4_text(self._policy.address)} (H7)"
        return self._refuse(asked, Refusal(Code.HA_UNKNOWN_ADDRESS, cause), now)

    def committed(self, commit: Commit, now: Now) -> list[Effect]:
        """It is durable and carried out: answer, and only then tell previous MAGs (P35, P36)."""
        self._underway.end(commit)
        asked, binding, carried = commit.asked, commit.binding, commit.carried
        asked = self._asked(commit)
        if asked is None:
            return [*commit.answers]
        if binding is None or asked.request.lifetime == 0:
            return self._deregistered(asked, commit, now)
        place = binding.place
        self._revoker.cancel(binding.owner, place)
        so_far = None if commit.previous is None else commit.previous.at(place)
        plain = plain_acceptance(binding, self._accepting, asked.local)
        effects: list[Effect] = [
            acceptance(asked, binding, self._accepting, lifetime=binding.lifetime)
            if plain is None
            else Send(plain, asked.source, asked.local),
            observed.came(binding, moved=commit.previous is not None)
            if so_far is None
            else observed.registered(binding, so_far, moved=True),
        ]
        if carried is not None and (carried.others or carried.at(place) is None):
            effects += self._tell_replaced(carried, binding, asked, now)
        return effects

    def superseded(self, commit: Commit) -> list[Effect]:
        """It is durable, and over already: its requester has asked for something else, or was told of the end."""
        self._underway.end(commit)
        return [observed.superseded(commit)]

    def failed(self, commit: Commit, cause: str, now: Now, *, saved: bool) -> list[Effect]:
        """It could not be saved, or not be carried out: everything is as before, and the answer is 130.

        ``saved``: the journal has it already, and must learn that it is not true. A MAG whose revocation is not
        answered sends it again.
        """
        if not self._underway.stands(commit):
            return self.superseded(commit)
        effects: list[Effect] = []
        if commit.alters:
            before = self._underway.undo(commit)
            self._put_back(commit, commit.carried if before is None else before.binding, now)
            if before is None and (saved or commit.before is not None):
                effects += [Save(record) for record in self._what_is_true(commit, now)]
        asked = self._asked(commit)
        if asked is None:
            return [*effects, observed.revocation_not_carried_out(commit, cause)]
        return [*effects, *self._refuse(asked, Refusal(Code.HA_RESOURCES, cause), now)]

    def _asked(self, commit: Commit) -> Asked | None:
        """The request of a commit; that of a renewal is read now."""
        if commit.asked is not None or not commit.renewal:
            return commit.asked
        assert commit.binding is not None
        return self._intake.recall(commit.binding.request, commit.binding.source, self._policy.address)

    def expire(self, now: Now) -> list[Effect]:
        """Lifetimes that are over end in silence; an owner's other bindings stay (L6)."""
        effects: list[Effect] = []
        ended: list[Binding] = []
        for bound in self._bindings.expired(now.monotonic):
            if bound.owner in self._underway:
                # What follows may fail, and must find what it began with.
                self._bindings.look_again(bound.owner, now.monotonic + 1.0)
                continue
            self._floors.note(bound.owner, bound.identification, now.monotonic)
            if bound.others:
                ended += (one for one in bound.all if one.deadline <= now.monotonic)
                left = tuple(one for one in bound.all if one.deadline > now.monotonic)
                effects += changes(bound, self._leave(bound, left, now))
            else:
                ended.append(bound)
                self._leave(bound, (), now)
                effects.append(Remove(bound.key))
        return [*effects, observed.expired(ended)] if ended else effects

    def end(self, bound: Binding, now: Now) -> list[Effect]:
        """All of an owner's bindings are over before their time, and by no message: nobody can refuse that."""
        carried = self._underway.carried(bound.owner, bound)
        self._underway.forget(bound.owner)
        self._over(bound, bound.all, now)
        self._leave(bound, (), now)
        effects: list[Effect] = [Save(unbound_record(bound, bound.identification, now.monotonic))]
        effects += changes(carried, None)
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
        left = self._leave(bound, tuple(one for one in bound.all if one is not ended), now)
        records = (*self._ending_records(bound, left, bound.identification, now), record)
        return self._commit(bound.owner, records, left, bound, answers=answers)

    def _over(self, bound: Binding, ended: tuple[Binding, ...], now: Now) -> None:
        self._floors.note(bound.owner, bound.identification, now.monotonic)
        for one in ended:
            self._revoker.cancel(one.owner, one.place)

    def _register(self, asked: Asked, bound: Binding | None, now: Now) -> list[Effect]:
        """``bound``: what the owner has; ``present``: of that, what it has at the MAG that asks, replaced in any case.

        The rest is replaced as well, unless the S bit keeps it beside (L3).
        """
        present = None if bound is None else bound.at(asked.place)
        beside = bool(asked.request.flags & SIMULTANEOUS) and self._policy.max_bindings > 1
        found = self._find(asked, bound, present, beside, now)
        if isinstance(found, Refusal):
            return self._refuse(asked, found, now)
        key, tunnel = found
        if bound is None:
            self._home_addresses.take(key, asked)
            moved_at = float("-inf")
        else:
            moved_at = bound.moved_at if present is not None or beside else now.monotonic
        new = self._binding(asked, key, tunnel, moved_at, now)
        new.form = renewal_form(asked)
        if beside and bound is not None:
            new = together((new, *(one for one in bound.all if one is not present)))
        self._bindings.put(new)
        return [self._commit(asked.owner, (bound_record(new),), new, bound, asked=asked)]

    def _commit(
        self,
        owner: bytes,
        records: tuple[Record, ...],
        binding: Binding | None,
        previous: Binding | None,
        *,
        asked: Asked | None = None,
        answers: tuple[Send | Observe, ...] = (),
    ) -> Commit:
        carried = self._underway.carried(owner, previous)
        commit = Commit(
            owner=owner,
            records=records,
            binding=binding,
            previous=previous,
            carried=carried,
            asked=asked,
            answers=answers,
        )
        if commit.alters:
            commit.changes = changes(carried, binding)
        self._underway.begin(commit)
        return commit

    def _find(
        self, asked: Asked, bound: Binding | None, present: Binding | None, beside: bool, now: Now
    ) -> tuple[AnchorKey, Tunnel] | Refusal:
        """Home address and tunnel; or what forbids it, in the order of H8, H10-H12, H14."""
        request, policy = asked.request, self._policy
        problem = redirection(request, policy) if bound is None else None
        key = problem or self._home_addresses.find(asked, bound, now.monotonic)
        if isinstance(key, Refusal):
            return key
        if present is not None and present.asked_alike(request):
            return key, present.tunnel
        tunnel = admission.service_refusal(request) or tunnel_to(request, asked.source, policy)
        if isinstance(tunnel, Refusal):
            return tunnel
        if bound is not None and present is None:
            limits = admission.too_many if beside else admission.too_soon
            problem = limits(bound, policy, now)
            if problem is not None:
                return problem
        if request.gre_key is not None:
            so_far = None if present is None else present.tunnel
            tunnel = self._bindings.gre_keys.keyed(tunnel, request.gre_key, so_far, now)
        if present is not None and present.tunnel == tunnel:
            return key, present.tunnel
        return self._home_addresses.clash(key, tunnel) or (key, tunnel)

    def _binding(self, asked: Asked, key: AnchorKey, tunnel: Tunnel, moved_at: float, now: Now) -> Binding:
        policy, request = self._policy, asked.request
        longest = policy.nat_max_lifetime if tunnel.over_udp else policy.max_lifetime
        lifetime = _one_object(min(request.lifetime, longest, policy.max_lifetime))
        revocation = self._negotiated(asked, key.home_address, now) if request.revocation else None
        return self.binding(
            asked,
            key,
            tunnel,
            lifetime,
            now.monotonic + lifetime,
            moved_at=moved_at,
            revocation=revocation,
        )

    def binding(
        self,
        asked: Asked,
        key: AnchorKey,
        tunnel: Tunnel,
        lifetime: int,
        deadline: float,
        *,
        moved_at: float,
        revocation: NegotiatedRevocation | None,
    ) -> Binding:
        """What ``asked`` gets when these are decided: the rest follows from the request."""
        request = asked.request
        behind_nat = request.care_of_address != asked.source.address
        broadcasts, prefix = NO_BROADCASTS, None
        if request.flags & BROADCASTS and self._policy.tunnel_broadcast:
            broadcasts, prefix = self._broadcasts(request, key)
        return Binding(
            owner=asked.owner,
            nai=request.nai,
            key=key,
            # One object where it can be: there may be a million of these.
            care_of_address=request.care_of_address if behind_nat else asked.source.address,
            source=asked.source,
            flags=request.flags,
            association=asked.association,
            fa_ha=asked.fa_ha,
            identification=request.identification,
            request=asked.payload,
            lifetime=lifetime,
            deadline=deadline,
            moved_at=moved_at,
            tunnel=tunnel,
            udp_reply=udp_reply(request, tunnel, self._policy) if request.udp_tunnel else None,
            access_technology=request.access_technology,
            own_timestamp=None if revocation is None else revocation.own_timestamp,
            peer_timestamp=0 if revocation is None else revocation.peer_timestamp,
            inform=revocation is not None and revocation.inform,
            identifiers=request.identifiers,
            host_configuration=self._home_addresses.configuration(request, key) if request.unknown else (),
            broadcasts=broadcasts,
            prefix=prefix,
        )

    def _broadcasts(self, request: RegistrationRequest, key: AnchorKey) -> tuple[Broadcasts, Prefix | None]:
        """HL4: a co-located requester gets broadcasts as they are, behind a foreign agent they are wrapped."""
        link = self._home_addresses.link(key)
        if link is None:
            return Broadcasts.NONE, None
        return (Broadcasts.DIRECT if request.flags & COLOCATED else Broadcasts.WRAPPED), link.prefix

    def _negotiated(self, asked: Asked, home_address: Ipv4, now: Now) -> NegotiatedRevocation | None:
        own = self._revoker.timestamp_for(home_address, asked.source.address, now)
        return agreed(asked, own, inform=self._policy.revocation_inform)

    def _deregister(self, asked: Asked, bound: Binding | None, now: Now) -> list[Effect]:
        """L2, P37: the binding of that care-of address ends, or all; another MAG's stays; none is fine too."""
        request = asked.request
        self._floors.note(asked.owner, request.identification, now.monotonic)
        ended: tuple[Binding, ...] = ()
        if bound is not None and admission.wanted_home_address(request) in (0, bound.home_address):
            everywhere = request.care_of_address == bound.home_address
            ended = tuple(one for one in bound.all if everywhere or _serves(one, asked))
        if bound is None or not ended:
            spent = Spent(asked.owner, request.identification, now.monotonic)
            return [self._commit(asked.owner, (spent,), bound, bound, asked=asked)]
        left = self._leave(bound, tuple(one for one in bound.all if one not in ended), now)
        records = self._ending_records(bound, left, request.identification, now)
        return [self._commit(asked.owner, records, left, bound, asked=asked)]

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
        home_address = admission.wanted_home_address(asked.request)
        if not home_address and bound is not None:
            home_address = bound.home_address
        answer = deregistration(asked, self._accepting, home_address, ended[0].tunnel if ended else None)
        effects: list[Effect] = [answer, observed.deregistered(asked, ended)]
        if commit.alters and commit.carried is not None and commit.carried is not bound:
            effects += self._tell_replaced(commit.carried, left, asked, now)
        return effects

    def _tell_replaced(
        self, carried: Binding, binding: Binding | None, asked: Asked, now: Now
    ) -> list[Effect]:
        """Those MAGs that believe to serve it and do not any more, but for the one that asks (P35)."""
        effects: list[Effect] = []
        if self._policy.revoke_on_handover:
            asking = asked.place
            for replaced in carried.all:
                place = replaced.place
                if place != asking and (binding is None or binding.at(place) is None):
                    effects += self._revoker.begin(replaced, asked.local, now)
        return effects

    def _leave(self, bound: Binding, left: tuple[Binding, ...], now: Now) -> Binding | None:
        """Of what an owner has only ``left`` goes on, which is what the table has then."""
        if left:
            rest = together(left)
            self._bindings.put(rest)
            return rest
        self._bindings.remove(bound.owner)
        self._home_addresses.release(bound.key, now.monotonic)
        return None

    def _put_back(self, commit: Commit, former: Binding | None, now: Now) -> None:
        """The table has ``former`` again instead of what it has by ``commit``."""
        present = commit.binding
        if present is not None and (former is None or former.key != present.key):
            # Held for its node, which will try again.
            self._home_addresses.release(present.key, now.monotonic)
        if former is None:
            self._bindings.remove(commit.owner)
            return
        if present is None or former.key != present.key:
            self._home_addresses.take_back(former)
        self._bindings.put(former)

    def _what_is_true(self, commit: Commit, now: Now) -> list[Record]:
        """What the journal must have last of an owner, after ``commit`` was put back."""
        if commit.carried is not None:
            return [bound_record(commit.carried)]
        if commit.binding is not None:
            return [unbound_record(commit.binding, commit.binding.identification, now.monotonic)]
        return []

    def _refuse(self, asked: Asked, refusal: Refusal, now: Now) -> list[Effect]:
        """Its Identification was valid, and is spent (I6b)."""
        self._floors.note(asked.owner, asked.request.identification, now.monotonic)
        spent = Spent(asked.owner, asked.request.identification, now.monotonic)
        return [refusing(asked, refusal, self._policy), observed.refused(asked, refusal), Save(spent)]


@lru_cache(maxsize=1024)
def _one_object(lifetime: int) -> int:
    """For all that are granted the same."""
    return lifetime


def _serves(binding: Binding, asked: Asked) -> bool:
    """Whether the MAG that asks is the binding's. A direct one may de-register by another way (N18)."""
    if binding.tunnel.over_udp:
        return binding.place == asked.place
    return binding.care_of_address == asked.request.care_of_address
