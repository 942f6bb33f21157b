"""Revocations that an LMA receives: a MAG ends a registration by itself (RFC 3543 3.5, 4.2.3.2; RV35)."""

from collections.abc import Iterable
from itertools import islice

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma import observed
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.lma.journal.records import RevokedByMag
from pmip_tw.lma.keys.asking import Keys
from pmip_tw.lma.mags import KnownMags, shares_key
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration.commitment import Effect
from pmip_tw.lma.registration.registrations import Registrations
from pmip_tw.lma.registration.underway import Underway
from pmip_tw.lma.revocation.proof import RevocationProof
from pmip_tw.mobility.associations import AssociationTable
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Send
from pmip_tw.mobility.records import Record
from pmip_tw.wire.revocation import Revocation, RevocationAck, later

WINDOW = 300
"""Seconds around the MAG's clock in which an identifier must lie (RV17)."""


@attrs.frozen(slots=True, kw_only=True)
class _Tombstone:
    """A binding that its MAG has ended: what a repeated revocation is compared with (RV17)."""

    owner: bytes
    nai: bytes
    identifier: int
    until: float


_Stay = tuple[Ipv4, Ipv4]
"""Home address and care-of address."""


class Revoked:
    """Decides about revocations received; keeps tombstones until the old lifetime would have ended."""

    def __init__(
        self,
        policy: LmaPolicy,
        associations: AssociationTable,
        mags: KnownMags | None,
        pools: Pools,
        bindings: BindingTable,
        registrations: Registrations,
        underway: Underway,
        keys: Keys | None = None,
    ) -> None:
        self._keys = keys
        self._policy = policy
        self._associations = associations
        self._mags = mags
        self._pools = pools
        self._bindings = bindings
        self._registrations = registrations
        self._underway = underway
        self._tombstones: dict[_Stay, _Tombstone] = {}

    def received(self, payload: bytes, source: Endpoint, local: Ipv4, now: Now) -> list[Effect]:
        """A revocation message, in order: direction, addresses, authenticator, identifier (RV12)."""
        message = Revocation.decode(payload)
        if message.from_home_agent:
            return [observed.discarded("reflected", source, "it claims to come from a home agent (RV18)")]
        if message.home_domain != self._policy.address:
            return [observed.discarded("not-ours", source, "its home domain address is not ours (RV38)")]
        bound, binding, proof = self._meant(payload, message, source)
        if proof is None:
            wanted = self._without_key(message, now)
            if wanted:
                return wanted
            cause = "no key for its care-of address or NAI, as proved the registration, proves it (RV9, RV11, P76)"
            return [observed.discarded("bad-authenticator", source, cause)]
        stone = self._tombstones.get((message.home_address, message.foreign_domain))
        if stone is not None and (stone.until <= now.monotonic or message.nai not in (b"", stone.nai)):
            stone = None
        if stone is not None and later(stone.identifier, message.identifier):
            cause = "it is older than one that was acknowledged (RV17)"
            return [observed.discarded("replayed", source, cause)]
        if (
            bound is not None
            and binding is not None
            and (stone is None or later(message.identifier, stone.identifier))
        ):
            return self._end(bound, binding, message, proof, source, local, now)
        if (message.nai if stone is None else stone.owner) in self._underway:
            cause = "what ended it is being saved; it will be acknowledged when it is sent again"
            return [observed.discarded("being-saved", source, cause)]
        # Gone already: its acknowledgment was lost, or the node has moved on (RV37).
        note = observed.revocation_of_nothing(message, source)
        return [_acknowledgment(message, proof, source, local, inform=False), note]

    def _meant(
        self, payload: bytes, message: Revocation, source: Endpoint
    ) -> tuple[Binding | None, Binding | None, RevocationProof | None]:
        """What its owner has, the binding in it that a revocation is about, and what proves the revocation.

        A proof alone is enough for what is gone (RV37), but not for what is there and was proven otherwise (P76): to
        acknowledge that would be a lie.

        A revocation need not name the node (RV13): its address may be in use in several address spaces (P85).
        """
        proven_otherwise = False
        for owner in self._pools.users(message.home_address):
            bound = self._bindings.get(owner)
            for one in bound.all if bound is not None else ():
                if one.care_of_address == message.foreign_domain and message.nai in (b"", one.nai):
                    proof = self._proof(payload, message, one.nai, source)
                    if proof is not None:
                        if self._may_end(message, one, proof):
                            return bound, one, proof
                        proven_otherwise = True
        return None, None, None if proven_otherwise else self._proof(payload, message, message.nai, source)

    def _proof(
        self, payload: bytes, message: Revocation, nai: bytes, source: Endpoint
    ) -> RevocationProof | None:
        """By care-of address and SPI for FA-HA, by NAI and SPI for MN-HA (RV11), by the source for IPsec."""
        if message.fa_ha is not None:
            found = message.fa_ha
            mag = self._mags.of_domain(message.foreign_domain, found.spi) if self._mags else None
            keyed = mag.association(found.spi) if shares_key(mag) else None
            if keyed is None and self._keys is not None:
                keyed = self._keys.root_keys.association(found.spi, message.foreign_domain)
            used = None if keyed is None else keyed.verified_by(payload[: found.covered], found.value)
            return None if used is None else RevocationProof(used, between_agents=True)
        if message.mn_ha is not None:
            found = message.mn_ha
            keyed = self._associations.find(nai, found.spi)
            used = None if keyed is None else keyed.verified_by(payload[: found.covered], found.value)
            return None if used is None else RevocationProof(used)
        mag = self._mags.by_ipsec(source) if self._mags else None
        return RevocationProof(None) if mag is not None and mag.address == message.foreign_domain else None

    def _without_key(self, message: Revocation, now: Now) -> list[Effect]:
        """To get a key that may prove ``message``, and is missing since a restart: its MAG sends it again."""
        for owner in self._pools.users(message.home_address) if self._keys is not None else ():
            bound = self._bindings.get(owner)
            for one in bound.all if bound is not None else ():
                keyed = one.association
                if keyed is not None and keyed.is_missing and one.care_of_address == message.foreign_domain:
                    assert self._keys is not None
                    return [*self._keys.missing(one.nai, keyed, one.care_of_address, now)]
        return []

    def _may_end(self, message: Revocation, binding: Binding, proof: RevocationProof) -> bool:
        """Whether what proves the revocation is what proved the registration (P76), by whichever of its keys."""
        if proof.between_agents:
            assert message.fa_ha is not None
            mag = self._mags.of_domain(message.foreign_domain, message.fa_ha.spi) if self._mags else None
            if not shares_key(mag):
                return binding.terms.fa_ha is not None  # both follow from root keys of AAA (AA13)
            return any(
                binding.terms.fa_ha in (one, one.previous) for one in mag.associations if binding.terms.fa_ha
            )
        if proof.association is None:
            return binding.association is None and binding.terms.fa_ha is None
        return binding.terms.fa_ha is None and binding.association is not None

    def _end(
        self,
        bound: Binding,
        binding: Binding,
        message: Revocation,
        proof: RevocationProof,
        source: Endpoint,
        local: Ipv4,
        now: Now,
    ) -> list[Effect]:
        agreed = binding.revocation
        if agreed is None:
            return [
                observed.revocation_discarded(
                    "not-negotiated", binding, source, "it was not agreed upon (RV1)"
                )
            ]
        if not later(message.identifier, agreed.peer_timestamp):
            cause = "it is not later than the present registration (RV16)"
            return [observed.revocation_discarded("stale", binding, source, cause)]
        clock = agreed.peer_timestamp + int(now.monotonic - binding.registered_at)
        if later(message.identifier, clock + WINDOW) or later(clock - WINDOW, message.identifier):
            cause = f"its identifier is more than {WINDOW} s off (RV17)"
            return [observed.revocation_discarded("outside-window", binding, source, cause)]
        record = RevokedByMag(
            binding.home_address,
            binding.care_of_address,
            binding.owner,
            binding.nai,
            message.identifier,
            binding.deadline,
        )
        self._bury(record, now.monotonic)
        answers = (
            observed.revocation_received(binding, source),
            _acknowledgment(message, proof, source, local, inform=message.inform and agreed.inform),
        )
        return [self._registrations.ended_by_mag(bound, binding, record, answers, now)]

    def recall(self, record: RevokedByMag) -> None:
        """A former process has acknowledged it; the newest are told first."""
        self._tombstones.setdefault(*_tombstone(record))

    def forget(self, records: Iterable[Record]) -> None:
        """A revocation was not saved, so that it has not happened."""
        for record in records:
            if isinstance(record, RevokedByMag):
                self._tombstones.pop(_tombstone(record)[0], None)

    def _bury(self, record: RevokedByMag, monotonic: float) -> None:
        """Two old ones go for each that comes, so that burying costs the same however many lie there."""
        stay, stone = _tombstone(record)
        self._tombstones.pop(stay, None)
        for key in list(islice(self._tombstones, 2)):
            if self._tombstones[key].until <= monotonic:
                del self._tombstones[key]
        self._tombstones[stay] = stone


def _tombstone(record: RevokedByMag) -> tuple[_Stay, _Tombstone]:
    stay = (record.home_address, record.care_of_address)
    stone = _Tombstone(
        owner=record.owner, nai=record.nai, identifier=record.identifier, until=record.deadline
    )
    return stay, stone


def _acknowledgment(
    message: Revocation, proof: RevocationProof, source: Endpoint, local: Ipv4, *, inform: bool
) -> Send:
    """To where the revocation came from (RFC 3543 3.4); ``inform``: the node should be told (RV35, RV36)."""
    ack = RevocationAck(
        inform=inform, home_address=message.home_address, identifier=message.identifier, nai=message.nai
    )
    return Send(proof.sign(ack), source, local)
