"""What an authentic request does to the bindings (RFC 5944 3.8.2.2, 3.8.3): decided, carried out, then answered."""

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.lma import admission, observed
from pmip_tw.lma.authorization import proxy_refusal
from pmip_tw.lma.bindings import NO_BROADCASTS, Binding, BindingTable, NegotiatedRevocation, together
from pmip_tw.lma.commitment import Asked, Commit, Effect
from pmip_tw.lma.home_addresses import HomeAddresses
from pmip_tw.lma.home_agent import redirection
from pmip_tw.lma.negotiating import agreed, revocation_refusal
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.pools import Pools
from pmip_tw.lma.refusal import Refusal
from pmip_tw.lma.replies import acceptance, deregistration, refusing
from pmip_tw.lma.revoking import Revoker
from pmip_tw.lma.tunnelling import path_to
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.mobility.replay import ReplayFloors
from pmip_tw.mobility.tunnels import AnchorKey, Broadcasts, Tunnel
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extension_values import UdpTunnelReply
from pmip_tw.wire.registration import BROADCASTS, COLOCATED, SIMULTANEOUS, RegistrationRequest


class Registrations:
    """Who gets which binding. ``decide`` answers with a refusal or with a Commit, which comes back in one of
    ``committed`` and ``failed``.
    """

    def __init__(
        self, policy: LmaPolicy, pools: Pools, bindings: BindingTable, floors: ReplayFloors, revoker: Revoker
    ) -> None:
        self._policy = policy
        self._home_addresses = HomeAddresses(pools, bindings)
        self._bindings = bindings
        self._floors = floors
        self._revoker = revoker
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
        """The change is carried out: answer, and only then tell previous MAGs (P35, P36)."""
        asked, binding, previous = commit.asked, commit.binding, commit.previous
        if binding is None or asked.request.lifetime == 0:
            return self._deregistered(commit)
        place = binding.place
        self._revoker.cancel(binding.owner, place)
        so_far = None if previous is None else previous.at(place)
        effects: list[Effect] = [
            acceptance(asked, binding, self._accepting, lifetime=binding.lifetime),
            observed.registered(binding, so_far, moved=previous is not None),
        ]
        if previous is not None and (so_far is None or previous.others) and self._policy.revoke_on_handover:
            for replaced in previous.all:
                if binding.at(replaced.place) is None:
                    effects += self._revoker.begin(replaced, asked.local, now)
        return effects

    def failed(self, commit: Commit, cause: str, now: Now) -> list[Effect]:
        """A change could not be carried out: everything is as before, and the answer is 130."""
        binding, previous = commit.binding, commit.previous
        if previous is not None:
            self._bindings.put(previous)
        elif binding is not None:
            self._bindings.remove(binding.owner)
            # Held for its node, which will try again.
            self._home_addresses.release(binding.key, now.monotonic)
        return self._refuse(commit.asked, Refusal(Code.HA_RESOURCES, cause), now)

    def expire(self, now: Now) -> list[Effect]:
        """Lifetimes that are over end in silence; an owner's other bindings stay (L6)."""
        effects: list[Effect] = []
        for bound in self._bindings.expired(now.monotonic):
            ended = [one for one in bound.all if one.deadline <= now.monotonic]
            left = tuple(one for one in bound.all if one.deadline > now.monotonic)
            self._floors.note(bound.owner, bound.identification, now.monotonic)
            effects.append(self._leave(bound, left, now))
            effects += [observed.expired(one) for one in ended]
        return effects

    def end(self, bound: Binding, ended: tuple[Binding, ...], now: Now) -> Install | Remove:
        """Those of an owner's bindings are over before their time, and not by a request of their MAGs."""
        self._floors.note(bound.owner, bound.identification, now.monotonic)
        for one in ended:
            self._revoker.cancel(one.owner, one.place)
        return self._leave(bound, tuple(one for one in bound.all if one not in ended), now)

    def _register(self, asked: Asked, bound: Binding | None, now: Now) -> list[Effect]:
        """``bound``: what the owner has; ``present``: of that, what it has at the MAG that asks, replaced in any case.

        The rest is replaced as well, unless the S bit keeps it beside (L3).
        """
        present = None if bound is None else bound.at(asked.place)
        beside = bool(asked.request.flags & SIMULTANEOUS) and self._policy.max_bindings > 1
        found = self._find(asked, bound, present, beside, now)
        if isinstance(found, Refusal):
            return self._refuse(asked, found, now)
        key, tunnel, udp_reply = found
        if bound is None:
            self._home_addresses.take(key, asked)
            moved_at = float("-inf")
        else:
            moved_at = bound.moved_at if present is not None or beside else now.monotonic
        new = self._binding(asked, key, tunnel, udp_reply, moved_at, now)
        if beside and bound is not None:
            new = together((new, *(one for one in bound.all if one is not present)))
        self._bindings.put(new)
        return [Commit(asked=asked, change=Install(new.entry), binding=new, previous=bound)]

    def _find(
        self, asked: Asked, bound: Binding | None, present: Binding | None, beside: bool, now: Now
    ) -> tuple[AnchorKey, Tunnel, UdpTunnelReply | None] | Refusal:
        """Home address, tunnel and what is said of UDP; or what forbids it, in the order of H8, H10-H12, H14."""
        request, policy = asked.request, self._policy
        problem = redirection(request, policy) if bound is None else None
        key = problem or self._home_addresses.find(asked, bound, now.monotonic)
        if isinstance(key, Refusal):
            return key
        if present is not None and present.asked_alike(request):
            return key, present.tunnel, present.udp_reply
        path = admission.service_refusal(request) or path_to(request, asked.source, policy)
        if isinstance(path, Refusal):
            return path
        if bound is not None and present is None:
            limits = admission.too_many if beside else admission.too_soon
            problem = limits(bound, policy, now)
            if problem is not None:
                return problem
        tunnel = path.tunnel
        if request.gre_key is not None:
            so_far = None if present is None else present.tunnel
            tunnel = self._bindings.gre_keys.keyed(tunnel, request.gre_key, so_far, now)
        if present is not None and present.tunnel == tunnel:
            return key, present.tunnel, path.udp_reply
        return self._home_addresses.clash(key, tunnel) or (key, tunnel, path.udp_reply)

    def _binding(
        self,
        asked: Asked,
        key: AnchorKey,
        tunnel: Tunnel,
        udp_reply: UdpTunnelReply | None,
        moved_at: float,
        now: Now,
    ) -> Binding:
        policy, request = self._policy, asked.request
        longest = policy.nat_max_lifetime if tunnel.over_udp else policy.max_lifetime
        lifetime = min(request.lifetime, longest, policy.max_lifetime)
        broadcasts, prefix = NO_BROADCASTS, None
        if request.flags & BROADCASTS and policy.tunnel_broadcast:
            broadcasts, prefix = self._broadcasts(request, key)
        return Binding(
            owner=asked.owner,
            nai=request.nai,
            key=key,
            care_of_address=request.care_of_address,
            source=asked.source,
            flags=request.flags,
            association=asked.association,
            fa_ha=asked.fa_ha,
            identification=request.identification,
            authenticator=asked.authenticator,
            lifetime=lifetime,
            deadline=now.monotonic + lifetime,
            registered_at=now.monotonic,
            moved_at=moved_at,
            tunnel=tunnel,
            udp_reply=udp_reply,
            access_technology=request.access_technology,
            revocation=self._negotiated(asked, key.home_address, now) if request.revocation else None,
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
            return [Commit(asked=asked, change=None, binding=bound, previous=bound)]
        change = self._leave(bound, tuple(one for one in bound.all if one not in ended), now)
        return [Commit(asked=asked, change=change, binding=self._bindings.get(asked.owner), previous=bound)]

    def _deregistered(self, commit: Commit) -> list[Effect]:
        asked, bound, left = commit.asked, commit.previous, commit.binding
        ended = [one for one in bound.all if left is None or left.at(one.place) is None] if bound else []
        for place in {asked.place, *(one.place for one in ended)}:
            self._revoker.cancel(asked.owner, place)
        home_address = admission.wanted_home_address(asked.request)
        if not home_address and bound is not None:
            home_address = bound.home_address
        answer = deregistration(asked, self._accepting, home_address, ended[0].tunnel if ended else None)
        return [answer, *observed.deregistered(asked, ended)]

    def _leave(self, bound: Binding, left: tuple[Binding, ...], now: Now) -> Install | Remove:
        """Of what an owner has only ``left`` goes on; what the packet plane must do for it."""
        if left:
            rest = together(left)
            self._bindings.put(rest)
            return Install(rest.entry)
        self._bindings.remove(bound.owner)
        self._home_addresses.release(bound.key, now.monotonic)
        return Remove(bound.key)

    def _refuse(self, asked: Asked, refusal: Refusal, now: Now) -> list[Effect]:
        """Its Identification was valid, and is spent (I6b)."""
        self._floors.note(asked.owner, asked.request.identification, now.monotonic)
        return [refusing(asked, refusal, self._policy), observed.refused(asked, refusal)]


def _serves(binding: Binding, asked: Asked) -> bool:
    """Whether the MAG that asks is the binding's. A direct one may de-register by another way (N18)."""
    if binding.tunnel.over_udp:
        return binding.place == asked.place
    return binding.care_of_address == asked.request.care_of_address
