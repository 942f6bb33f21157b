"""The LMA's machine: datagrams and time in, effects out.

``receive`` answers with a Send (a refusal, a repeated answer), a Commit (what must be carried out before the reply
that it holds) or nothing but an Observe. The agent reports each Commit back by ``committed`` or ``failed``.
"""

from collections import OrderedDict
from itertools import islice

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.errors import WireError
from pmip_tw.lma import admission, observed
from pmip_tw.lma.admission import Refusal
from pmip_tw.lma.bindings import Binding, BindingTable, NegotiatedRevocation
from pmip_tw.lma.commitment import Asked, Commit
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.pools import Pools
from pmip_tw.lma.replies import reply
from pmip_tw.lma.revoking import Revoker
from pmip_tw.mobility.associations import AssociationTable
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Install, Observe, Remove, Send
from pmip_tw.mobility.replay import ReplayFloors, acceptable, later, resynchronizing
from pmip_tw.wire.codes import Code, MessageType
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.extensions import FA_HA, MN_HA, REVOCATION_SUPPORT
from pmip_tw.wire.registration import RegistrationRequest
from pmip_tw.wire.revocation import RevocationAck

Effect = Send | Commit | Remove | Observe

_ANSWER_INTERVAL = 1.0
"""Seconds between two answers that cost nothing to provoke: 131 to one source (H4), a duplicate's (L5)."""


class LmaEngine:
    """Every rule of the LMA that needs its state. ``local`` is the address of ours that a datagram was sent to."""

    def __init__(self, policy: LmaPolicy, associations: AssociationTable, pools: Pools) -> None:
        self._policy = policy
        self._associations = associations
        self._pools = pools
        self._bindings = BindingTable()
        # A second more than a timestamp from the far end of the window can live (I10).
        self._floors = ReplayFloors(2 * policy.timestamp_window + 1)
        self._revoker = Revoker()
        self._answered: OrderedDict[Ipv4 | bytes, float] = OrderedDict()

    @property
    def bindings(self) -> BindingTable:
        return self._bindings

    def receive(self, payload: bytes, source: Endpoint, local: Ipv4, now: Now) -> list[Effect]:
        """A datagram of port 434. Nothing that is not authentic changes any state."""
        kind = payload[0] if payload else -1
        try:
            if kind == MessageType.REGISTRATION_REQUEST:
                return self._registration(payload, source, local, now)
            if kind == MessageType.REVOCATION_ACK:
                return [*self._revoker.acknowledged(payload, RevocationAck.decode(payload), source)]
        except WireError as error:
            return [observed.discarded(error.reason, source, str(error))]
        return [observed.discarded("unknown-message-type", source, f"message type {kind} is not for an LMA")]

    def committed(self, commit: Commit, now: Now) -> list[Effect]:
        """The change is carried out: answer, and only then tell the previous MAG (P35, P36)."""
        binding, previous = commit.binding, commit.previous
        if binding is None:
            request = commit.asked.request
            self._revoker.cancel(request.nai, commit.asked.place)
            home_address = admission.wanted_home_address(request) or (
                previous.home_address if previous else None
            )
            answer = reply(commit.asked, Code.ACCEPTED_NO_SIMULTANEOUS, home_address=home_address)
            return [answer, observed.deregistered(commit)]
        self._revoker.cancel(binding.nai, binding.place)
        # Code 1 whatever the S bit says: simultaneous bindings are not supported (L3, L4).
        answer = reply(
            commit.asked,
            Code.ACCEPTED_NO_SIMULTANEOUS,
            lifetime=binding.lifetime,
            home_address=binding.home_address,
            udp_tunnel=commit.udp_reply,
            revocation=_support(binding),
        )
        effects: list[Effect] = [answer, observed.registered(binding, previous)]
        moved = previous is not None and previous.place != binding.place
        if previous is not None and moved and self._policy.revoke_on_handover:
            effects += self._revoker.begin(previous, commit.asked.local, now)
        return effects

    def failed(self, commit: Commit, cause: str, now: Now) -> list[Effect]:
        """A registration could not be carried out: everything is as before, and the answer is 130."""
        binding, previous = commit.binding, commit.previous
        if previous is not None:
            self._bindings.put(previous)
        elif binding is not None:
            self._bindings.remove(binding.nai)
            # Held for its node, which will try again.
            self._pools.release(binding.home_address, now.monotonic)
        return self._refuse(commit.asked, Refusal(Code.HA_RESOURCES, cause), now)

    def wake(self, now: Now) -> list[Effect]:
        """Time has passed: lifetimes end, revocations are repeated."""
        effects: list[Effect] = []
        for binding in self._bindings.expired(now.monotonic):
            self._bindings.remove(binding.nai)
            self._pools.release(binding.home_address, now.monotonic)
            self._floors.note(binding.nai, binding.identification, now.monotonic)
            effects += [Remove(binding.entry.key), observed.expired(binding)]
        self._floors.forget_old(now.monotonic)
        effects += self._revoker.wake(now)
        return effects

    def next_deadline(self) -> float | None:
        """When to call ``wake`` at the latest, monotonic seconds."""
        deadlines = (
            self._bindings.next_deadline(),
            self._floors.next_deadline(),
            self._revoker.next_deadline(),
        )
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _registration(self, payload: bytes, source: Endpoint, local: Ipv4, now: Now) -> list[Effect]:
        request = RegistrationRequest.decode(payload)
        found = request.mn_ha
        if found is None:
            return [observed.discarded("no-authenticator", source, "the request has no MN-HA extension (H3)")]
        if MN_HA in request.repeated or FA_HA in request.repeated:
            cause = "the request has an authentication extension twice (E5)"
            return [observed.discarded("repeated-authenticator", source, cause)]
        association = self._associations.find(request.nai, found.spi)
        if association is None:
            known = self._associations.knows(request.nai)
            return [observed.no_association(request, source, known=known)]
        asked = Asked(request, found.value, association, source, local)
        if not association.verify(payload[: found.covered], found.value):
            return self._unauthentic(asked, now)
        binding = self._bindings.get(request.nai)
        if binding is not None and binding.authenticator == found.value:
            return self._duplicate(asked, binding, now)
        last = self._last_identification(request.nai, binding)
        if not acceptable(request.identification, last, now.wall, self._policy.timestamp_window):
            return self._resynchronize(asked, last, now)
        problem = admission.message_refusal(request, self._policy)
        if problem is not None:
            return self._refuse(asked, problem, now)
        if request.lifetime == 0:
            return self._deregister(asked, binding, now)
        if request.fa_ha is not None:
            cause = "the request has an FA-HA extension; this LMA shares keys with no MAG (H6)"
            return [observed.discarded("no-association", source, cause)]
        return self._register(asked, binding, now)

    def _last_identification(self, nai: bytes, binding: Binding | None) -> int | None:
        """The last valid one, whether it was accepted or refused for another reason (I6b)."""
        floor = self._floors.get(nai)
        if binding is None:
            return floor
        if floor is not None and later(floor, binding.identification):
            return floor
        return binding.identification

    def _register(self, asked: Asked, binding: Binding | None, now: Now) -> list[Effect]:
        policy, request = self._policy, asked.request
        problem = admission.service_refusal(request)
        if problem is None and binding is not None:
            problem = admission.too_soon(binding, asked.place, policy, now.monotonic)
        path = problem or admission.path_to(request, asked.source, policy)
        if isinstance(path, Refusal):
            return self._refuse(asked, path, now)
        home_address = self._home_address(request, binding, now)
        if isinstance(home_address, Refusal):
            return self._refuse(asked, home_address, now)
        longest = policy.nat_max_lifetime if path.tunnel.over_udp else policy.max_lifetime
        lifetime = min(request.lifetime, longest, policy.max_lifetime)
        moved = binding is not None and binding.place != asked.place
        new = Binding(
            nai=request.nai,
            home_address=home_address,
            care_of_address=request.care_of_address,
            source=asked.source,
            association=asked.association,
            identification=request.identification,
            authenticator=asked.authenticator,
            lifetime=lifetime,
            deadline=now.monotonic + lifetime,
            registered_at=now.monotonic,
            moved_at=now.monotonic if moved else (binding.moved_at if binding else float("-inf")),
            tunnel=path.tunnel,
            access_technology=request.access_technology,
            revocation=self._negotiated(request, home_address, asked.source, now),
        )
        self._bindings.put(new)
        return [
            Commit(
                asked=asked,
                change=Install(new.entry),
                binding=new,
                previous=binding,
                udp_reply=path.udp_reply,
            )
        ]

    def _home_address(
        self, request: RegistrationRequest, binding: Binding | None, now: Now
    ) -> Ipv4 | Refusal:
        """P30: the binding's address, or one of the pool."""
        wanted = admission.wanted_home_address(request)
        if binding is not None:
            if wanted in (0, binding.home_address):
                return binding.home_address
            return Refusal(
                Code.HA_ADMIN_PROHIBITED,
                f"{ipv4_text(wanted)} is asked for, {ipv4_text(binding.home_address)} is bound (P30)",
            )
        address = self._pools.allocate(request.nai, wanted, now.monotonic)
        if address is not None:
            return address
        if wanted:
            return Refusal(
                Code.HA_ADMIN_PROHIBITED,
                f"{ipv4_text(wanted)} is in no pool of this realm, or belongs to someone else (H10)",
            )
        return Refusal(Code.HA_RESOURCES, self._pools.why_none(request.nai))

    def _negotiated(
        self, request: RegistrationRequest, home_address: Ipv4, source: Endpoint, now: Now
    ) -> NegotiatedRevocation | None:
        """RV1; an extension that no authenticator protects is ignored (RV4)."""
        if request.revocation is None or REVOCATION_SUPPORT in request.agent_part:
            return None
        own = self._revoker.timestamp_for(home_address, source.address, now)
        return NegotiatedRevocation(own_timestamp=own, peer_timestamp=request.revocation.timestamp)

    def _deregister(self, asked: Asked, binding: Binding | None, now: Now) -> list[Effect]:
        """L2, P37: the binding of that care-of address ends; another MAG's stays; none is fine too."""
        request = asked.request
        self._floors.note(request.nai, request.identification, now.monotonic)
        ended = None
        if (
            binding is not None
            and admission.wanted_home_address(request) in (0, binding.home_address)
            and (request.care_of_address == binding.home_address or _serves(binding, asked))
        ):
            self._bindings.remove(request.nai)
            self._pools.release(binding.home_address, now.monotonic)
            ended = binding
        change = Remove(ended.entry.key) if ended else None
        return [Commit(asked=asked, change=change, binding=None, previous=ended)]

    def _duplicate(self, asked: Asked, binding: Binding, now: Now) -> list[Effect]:
        """L5: the same request once more: the same answer, with what is left of the lifetime.

        Only to where it came from before: to anybody else the answer would say how to tunnel to a wrong place.
        """
        remaining = int(binding.deadline - now.monotonic)
        path = admission.path_to(asked.request, asked.source, self._policy)
        if (
            isinstance(path, Refusal)
            or asked.source != binding.source
            or remaining <= 0
            or not self._may_answer(binding.nai, now)
        ):
            cause = "the accepted request again: within a second, from elsewhere, or at its end (L5)"
            return [observed.discarded("duplicate", asked.source, cause)]
        answer = reply(
            asked,
            Code.ACCEPTED_NO_SIMULTANEOUS,
            lifetime=remaining,
            home_address=binding.home_address,
            udp_tunnel=path.udp_reply,
            revocation=_support(binding),
        )
        return [answer, observed.answered_again(binding)]

    def _resynchronize(self, asked: Asked, last: int | None, now: Now) -> list[Effect]:
        """I8: code 133 with our time; the rejected timestamp is not remembered."""
        identification = resynchronizing(
            asked.request.identification,
            last if self._policy.resync_beyond_last else None,
            now.wall,
            self._policy.timestamp_window,
        )
        answer = reply(asked, Code.HA_ID_MISMATCH, identification=identification)
        return [answer, observed.identification_refused(asked, last, now.wall)]

    def _unauthentic(self, asked: Asked, now: Now) -> list[Effect]:
        """H4: 131, at most one per second and source; signed with our key, so that a MAG sees that keys differ."""
        effects: list[Effect] = [observed.unauthentic(asked)]
        if self._may_answer(asked.source.address, now):
            effects.append(reply(asked, Code.HA_MN_AUTH))
        return effects

    def _refuse(self, asked: Asked, refusal: Refusal, now: Now) -> list[Effect]:
        self._floors.note(asked.nai, asked.request.identification, now.monotonic)
        return [reply(asked, refusal.code), observed.refused(asked, refusal)]

    def _may_answer(self, whom: Ipv4 | bytes, now: Now) -> bool:
        """Once a second; two old entries go for each that comes, so that a flood is forgotten."""
        if self._answered.get(whom, float("-inf")) + _ANSWER_INTERVAL > now.monotonic:
            return False
        self._answered.pop(whom, None)
        self._answered[whom] = now.monotonic
        for old in list(islice(self._answered, 2)):
            if self._answered[old] + _ANSWER_INTERVAL <= now.monotonic:
                del self._answered[old]
        return True


def _serves(binding: Binding, asked: Asked) -> bool:
    """Whether the MAG that asks is the binding's. A direct one may de-register by another way (N18)."""
    if binding.tunnel.over_udp:
        return binding.place == asked.place
    return binding.care_of_address == asked.request.care_of_address


def _support(binding: Binding) -> RevocationSupport | None:
    """Our 137 in the reply, if the request had one (RV3)."""
    return None if binding.revocation is None else RevocationSupport(binding.revocation.own_timestamp)
