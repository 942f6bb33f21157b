"""What an authentic request is granted: home address, tunnel, lifetime, and what its answer says of them (H8-H14).

Nothing is changed here; whether it is granted in the end, and what it replaces, is a matter of ``registrations.py``.
"""

from functools import lru_cache

from pmip_tw.addresses import Ipv4, Prefix
from pmip_tw.lma.addresses.home_addresses import HomeAddresses
from pmip_tw.lma.bindings import Binding, BindingTable, NegotiatedRevocation
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration import admission
from pmip_tw.lma.registration.commitment import Asked
from pmip_tw.lma.registration.home_agent import asks_for_any, redirection
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.lma.registration.terms import NO_BROADCASTS, Terms
from pmip_tw.lma.registration.tunnelling import is_half_bound, tunnel_to, udp_reply
from pmip_tw.lma.revocation.negotiating import agreed
from pmip_tw.lma.revocation.revoking import Revoker
from pmip_tw.lma.workers.leases import Ask
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AnchorKey, Broadcasts, Tunnel
from pmip_tw.wire.registration import BROADCASTS, COLOCATED, RegistrationRequest
from pmip_tw.wire.renewal import RenewalForm, form_of


class Granting:
    """The terms of bindings."""

    def __init__(
        self, policy: LmaPolicy, home_addresses: HomeAddresses, bindings: BindingTable, revoker: Revoker
    ) -> None:
        self._policy = policy
        self._home_addresses = home_addresses
        self._bindings = bindings
        self._revoker = revoker

    def find(
        self, asked: Asked, bound: Binding | None, present: Binding | None, beside: bool, now: Now
    ) -> tuple[AnchorKey, Tunnel] | Ask | Refusal:
        """Home address and tunnel; or what forbids it, in the order of H8, H10-H12, H14. An Ask: see Pools.choose.

        ``bound``: what the owner has; ``present``: of that, what it has at the MAG that asks; ``beside``: the others
        stay (L3).
        """
        request, policy = asked.request, self._policy
        problem = redirection(request, policy) if bound is None else None
        key = problem or self._home_addresses.find(
            asked.nai,
            asked.owner,
            admission.wanted_home_address(request.home_address),
            bound,
            now.monotonic,
            any_home_agent=asks_for_any(request),
        )
        if isinstance(key, Refusal | Ask):
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

    def grant(
        self,
        asked: Asked,
        key: AnchorKey,
        tunnel: Tunnel,
        moved_at: float,
        now: Now,
        *,
        most: int | None = None,
    ) -> Binding:
        """What ``asked`` gets at that home address, through that tunnel; for ``most`` seconds, if AAA says so."""
        policy, request = self._policy, asked.request
        longest = policy.nat_max_lifetime if tunnel.over_udp else policy.max_lifetime
        lifetime = _one_object(
            min(request.lifetime, longest, policy.max_lifetime, most or request.lifetime, asked.longest)
        )
        revocation = self._negotiated(asked, key.home_address, now) if request.revocation else None
        return self.binding(
            asked,
            key,
            tunnel,
            lifetime,
            now.monotonic + lifetime,
            moved_at=moved_at,
            revocation=revocation,
            form=_form_of(asked),
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
        form: RenewalForm | None = None,
        restored: bool = False,
    ) -> Binding:
        """The same when all of these are decided: the rest follows from the request."""
        request = asked.request
        broadcasts, prefix = NO_BROADCASTS, None
        if request.flags & BROADCASTS and self._policy.tunnel_broadcast:
            broadcasts, prefix = self._broadcasts(request, key)
        terms = Terms(
            place=asked.place,
            source=asked.source,
            flags=request.flags,
            lifetime=lifetime,
            tunnel=tunnel,
            form=form,
            fa_ha=asked.fa_ha,
            revocable=revocation is not None,
            inform=revocation is not None and revocation.inform,
            peer_timestamp=0 if revocation is None or form is not None else revocation.peer_timestamp,
            udp_reply=udp_reply(request, tunnel, self._policy) if request.udp_tunnel else None,
            access_technology=request.access_technology,
            identifiers=request.identifiers,
            host_configuration=self._home_addresses.configuration(request, key) if request.unknown else (),
            broadcasts=broadcasts,
            prefix=prefix,
            by_technology=self._policy.by_technology,
            restored=restored,
            awaited=is_half_bound(request) and tunnel.over_udp,
        )
        return Binding(
            owner=asked.owner,
            home_address=key.home_address,
            domain=key.domain,
            association=asked.association,
            request=asked.payload,
            deadline=deadline,
            moved_at=moved_at,
            own_timestamp=None if revocation is None else revocation.own_timestamp,
            terms=terms,
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


def _form_of(asked: Asked) -> RenewalForm | None:
    """How to know a renewal of what ``asked`` is given; None: it is proven, or made, in a way that is not followed."""
    if asked.mag is not None or asked.fa_ha is not None or asked.association is None:
        return None
    if is_half_bound(asked.request):
        return None  # each time the packet plane waits anew
    return asked.form or form_of(asked.payload)


@lru_cache(maxsize=1024)
def _one_object(lifetime: int) -> int:
    """For all that are granted the same."""
    return lifetime
