"""A node comes to a MAG where it was not, and that asks for it in words in which it has asked for others.

What such words get is known (``patterns.py``). Looked at here is what depends on the node: its key (H4), its
Identification (I6), whether AAA lets that MAG have it (P29), its home address (P30, P45) and whether it may move
already (P79). Whoever fails any of that, or asks in other words, is read as a whole, by ``intake.py`` and
``registrations.py``, as if nobody had looked yet, but for a wrong authenticator, which is not made twice.
"""

from collections.abc import Sequence

from pmip_tw.addresses import Endpoint
from pmip_tw.lma.addresses.home_addresses import HomeAddresses
from pmip_tw.lma.bindings import NEVER_MOVED, Binding, BindingTable
from pmip_tw.lma.keys.asking import Keys
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration.admission import too_soon, wanted_home_address
from pmip_tw.lma.registration.commitment import Commit, Effect, Wait
from pmip_tw.lma.registration.intake import Intake
from pmip_tw.lma.registration.patterns import Patterns
from pmip_tw.lma.registration.registrations import Registrations
from pmip_tw.lma.registration.replies import plain_acceptance
from pmip_tw.lma.revocation.revoking import Revoker
from pmip_tw.mobility.associations import AssociationTable
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AnchorKey


class Newcomers:
    """Decides about first registrations and moves."""

    def __init__(
        self,
        policy: LmaPolicy,
        patterns: Patterns,
        associations: AssociationTable,
        intake: Intake,
        bindings: BindingTable,
        home_addresses: HomeAddresses,
        revoker: Revoker,
        registrations: Registrations,
        keys: Keys | None,
    ) -> None:
        self._policy = policy
        self._accepting = int(policy.accepting)
        self._patterns = patterns
        self._associations = associations
        self._intake = intake
        self._bindings = bindings
        self._home_addresses = home_addresses
        self._revoker = revoker
        self._registrations = registrations
        self._keys = keys

    def decide(self, payload: bytes, source: Endpoint, now: Now) -> Commit | Sequence[Effect] | None:
        """A registration request to our address; None: it is to be read."""
        found = self._patterns.find(payload, source)
        if found is None:
            return None
        terms, (nai, home_address, identification, spi, authenticator) = found
        association = self._associations.find(nai, spi)
        if association is None:
            return None
        if not association.verify(payload[: -len(authenticator)], authenticator):
            return self._intake.forged_by(payload, nai, association, source, now)
        bound = self._bindings.get(nai)
        last = None if bound is None else bound.identification
        if not self._intake.is_new(nai, last, identification, now):
            return None
        if self._keys is not None and not self._keys.are_enough(nai, spi, terms.care_of_address):
            return None
        moved_at = NEVER_MOVED
        if bound is not None:
            if (
                bound.others
                or bound.terms.filters
                or bound.terms.limits is not None
                or bound.at(terms.place) is not None
                or too_soon(bound, self._policy, now)
            ):
                return None
            moved_at = now.monotonic
        wanted = wanted_home_address(home_address)
        key = self._home_addresses.find(nai, nai, wanted, bound, now.monotonic)
        if not isinstance(key, AnchorKey) or self._home_addresses.clash(key, terms.tunnel):
            return None
        own_timestamp = None
        if terms.revocable:
            own_timestamp = self._revoker.timestamp_for(key.home_address, source.address, now)
        new = Binding(
            owner=nai,
            home_address=key.home_address,
            domain=key.domain,
            association=association,
            request=payload,
            deadline=now.monotonic + terms.lifetime,
            moved_at=moved_at,
            own_timestamp=own_timestamp,
            terms=terms,
        )
        # As a renewal's, signed where the key is at hand.
        answer = plain_acceptance(new, self._accepting, self._policy.address)
        assert answer is not None
        commit, more = self._registrations.bind(new, bound, now, answer=answer)
        return commit if more is None else [Wait(more), commit]
