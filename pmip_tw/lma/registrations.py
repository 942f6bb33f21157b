"""What an authentic request does to the bindings (RFC 5944 3.8.2.2, 3.8.3): decided, carried out, then answered."""

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.lma import admission, observed
from pmip_tw.lma.admission import Refusal
from pmip_tw.lma.authorization import proxy_refusal
from pmip_tw.lma.bindings import Binding, BindingTable, NegotiatedRevocation
from pmip_tw.lma.commitment import Asked, Commit, Effect
from pmip_tw.lma.negotiating import agreed, revocation_refusal
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.pools import Pools
from pmip_tw.lma.replies import acceptance, reply
from pmip_tw.lma.revoking import Revoker
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.mobility.replay import ReplayFloors
from pmip_tw.wire.codes import Code
from pmip_tw.wire.registration import RegistrationRequest


class Registrations:
    """Who gets which binding. ``decide`` answers with a refusal or with a Commit, which comes back in one of
    ``committed`` and ``failed``.
    """

    def __init__(
        self, policy: LmaPolicy, pools: Pools, bindings: BindingTable, floors: ReplayFloors, revoker: Revoker
    ) -> None:
        self._policy = policy
        self._pools = pools
        self._bindings = bindings
        self._floors = floors
        self._revoker = revoker

    def decide(self, asked: Asked, now: Now) -> list[Effect]:
        """An authentic request that is new."""
        problem = admission.message_refusal(asked.request, self._policy)
        if problem is None and (asked.mag is not None or asked.request.per_node is not None):
            problem = proxy_refusal(asked)
        if problem is None and self._policy.require_revocation:
            problem = revocation_refusal(asked)
        if problem is not None:
            return self._refuse(asked, problem, now)
        binding = self._bindings.get(asked.nai)
        if asked.request.lifetime == 0:
            return self._deregister(asked, binding, now)
        return self._register(asked, binding, now)

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
        answer = acceptance(commit.asked, binding, lifetime=binding.lifetime, udp_tunnel=commit.udp_reply)
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

    def expire(self, now: Now) -> list[Effect]:
        """Lifetimes that are over end in silence (L6)."""
        effects: list[Effect] = []
        for binding in self._bindings.expired(now.monotonic):
            self._bindings.remove(binding.nai)
            self._pools.release(binding.home_address, now.monotonic)
            self._floors.note(binding.nai, binding.identification, now.monotonic)
            effects += [Remove(binding.entry.key), observed.expired(binding)]
        return effects

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
            fa_ha=asked.fa_ha,
            identification=request.identification,
            authenticator=asked.authenticator,
            lifetime=lifetime,
            deadline=now.monotonic + lifetime,
            registered_at=now.monotonic,
            moved_at=now.monotonic if moved else (binding.moved_at if binding else float("-inf")),
            tunnel=path.tunnel,
            access_technology=request.access_technology,
            revocation=self._negotiated(asked, home_address, now) if request.revocation else None,
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

    def _negotiated(self, asked: Asked, home_address: Ipv4, now: Now) -> NegotiatedRevocation | None:
        own = self._revoker.timestamp_for(home_address, asked.source.address, now)
        return agreed(asked, own, inform=self._policy.revocation_inform)

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

    def _refuse(self, asked: Asked, refusal: Refusal, now: Now) -> list[Effect]:
        """Its Identification was valid, and is spent (I6b)."""
        self._floors.note(asked.nai, asked.request.identification, now.monotonic)
        return [reply(asked, refusal.code), observed.refused(asked, refusal)]


def _serves(binding: Binding, asked: Asked) -> bool:
    """Whether the MAG that asks is the binding's. A direct one may de-register by another way (N18)."""
    if binding.tunnel.over_udp:
        return binding.place == asked.place
    return binding.care_of_address == asked.request.care_of_address
