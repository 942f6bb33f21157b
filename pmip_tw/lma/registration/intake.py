"""Whether a registration request may be believed: the checks H3-H6 of RFC 5944 3.8.2.1, in order.

What passes them is authentic and new; whether it is accepted is decided behind (``registrations.py``).
"""

from collections.abc import Callable

from msgspec.structs import replace

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma import observed
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.lma.dhcp.pretunnel_requests import as_registration
from pmip_tw.lma.journal.records import RefusedAhead as RefusedAheadRecord
from pmip_tw.lma.journal.records import Spent
from pmip_tw.lma.keys.asking import Keys
from pmip_tw.lma.mags import KnownMag, KnownMags
from pmip_tw.lma.owners import owner_of
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration.answer_limit import AnswerLimit
from pmip_tw.lma.registration.commitment import Asked, Save, Told
from pmip_tw.lma.registration.proving import (
    Proof,
    Prover,
    Unproven,
    Voucher,
    objection_between_agents,
    wrong_mn_ha,
)
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.lma.registration.replies import acceptance, refusing, reply
from pmip_tw.lma.registration.underway import Underway
from pmip_tw.mobility.associations import AssociationTable, SecurityAssociation
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.mn_aaa import AaaTable
from pmip_tw.mobility.replay import RefusedAhead, ReplayFloors, TimestampWindow, resynchronizing
from pmip_tw.wire.codes import Code, MessageType
from pmip_tw.wire.pretunnel import PRE_TUNNEL_REQUEST_HEADER, PreTunnelRequest
from pmip_tw.wire.registration import RegistrationRequest
from pmip_tw.wire.renewal import RenewalForm, care_of_address, leading_nai

_REQUEST = int(MessageType.REGISTRATION_REQUEST)

MOST_131 = 1_000
"""Answers a second to requests whose authenticators are wrong."""


class Intake:
    """From the octets of a request to an Asked, or to what is answered and observed instead. It binds nothing."""

    def __init__(
        self,
        policy: LmaPolicy,
        associations: AssociationTable,
        bindings: BindingTable,
        floors: ReplayFloors,
        underway: Underway,
        *,
        mags: KnownMags | None = None,
        aaa: AaaTable | None = None,
        keys: Keys | None = None,
    ) -> None:
        self._keys = keys
        self._policy = policy
        self._accepting = policy.accepting
        self._by_technology = policy.by_technology
        self._associations = associations
        self._bindings = bindings
        self._floors = floors
        self._window = TimestampWindow(policy.timestamp_window)
        self._underway = underway
        self._refused_ahead = RefusedAhead(policy.timestamp_window)
        self._mags = mags
        self._prover = Prover(associations, aaa or AaaTable(), None if keys is None else keys.root_keys)
        self._limit = AnswerLimit()
        # A source can be invented for each request.
        self._limit_131 = AnswerLimit(MOST_131)

    def take(self, payload: bytes, source: Endpoint, local: Ipv4, now: Now) -> Asked | list[Told]:
        """An authentic, new request; else what it gets. WireError: it cannot be read."""
        objection: Refusal | Unproven | None = None
        voucher = None if self._keys is None else self._keys.voucher(payload, now)
        is_plain = voucher is None and not self._may_be_of_a_mag(payload, source)
        seen = self._prover.by_octets(payload) if is_plain else None
        if seen is None:
            request, mag = self._read(payload, source)
            proof = self._prover.prove(payload, request, mag)
            if isinstance(proof, Unproven):
                vouched = self._vouched(voucher, proof, payload, request, mag)
                if vouched is None:
                    return self._turn_away(proof, request.nai, payload, source, local, now)
                proof = vouched
            if voucher is not None and voucher.fa_ha is not None:
                proof = replace(proof, fa_ha=voucher.fa_ha, fa_ha_valid=True)
            asked = _proven(payload, request, mag, proof, source, local)
            if voucher is not None:
                asked.longest = voucher.longest
            objection = objection_between_agents(request, mag, proof)
        elif isinstance(seen, Unproven):
            return self._turn_away(seen, leading_nai(payload), payload, source, local, now)
        else:
            form, used = seen
            request = RegistrationRequest.decode(payload)
            asked = Asked(
                request, payload, payload[form.covered :], used, source, local, request.nai, form=form
            )
        if self._by_technology:
            asked.owner = owner_of(request)
        return self._new(asked, objection, now)

    def _vouched(
        self,
        voucher: Voucher | None,
        unproven: Unproven,
        payload: bytes,
        request: RegistrationRequest,
        mag: KnownMag | None,
    ) -> Proof | None:
        """The proof of what only AAA can prove, if it has done so (RFC 4004 5.3): now, or when it came first (L5)."""
        if self._keys is None or not unproven.aaa_spi:
            return None
        if voucher is None:
            bound = self._bindings.get(owner_of(request) if self._by_technology else request.nai)
            same = [] if bound is None else [one for one in bound.all if one.request == payload]
            if not same:
                return None
            voucher = Voucher(mn_ha=same[0].association)
        return self._prover.vouched(payload, request, mag, voucher)

    def take_pre_tunnel(
        self,
        payload: bytes,
        source: Endpoint,
        local: Ipv4,
        is_granted: Callable[[bytes, int], bool],
        now: Now,
    ) -> Asked | list[Told]:
        """The same for a request for a pre-tunnel, which the same things prove, in the same order (N48, N50).

        ``is_granted(nai, identification)``: whether that request was. It comes once more from the network only, as
        every try is another one (N49).
        """
        asked, request = self._read_pre_tunnel(payload, source, local)
        proof = self._prover.prove(payload, request, asked.mag, PRE_TUNNEL_REQUEST_HEADER.size)
        if isinstance(proof, Unproven):
            return self._turn_away(proof, asked.nai, payload, source, local, now)
        asked.authenticator, asked.association, asked.fa_ha = proof.authenticator, proof.mn_ha, proof.fa_ha
        if self._by_technology:
            asked.owner = owner_of(request)
        if is_granted(asked.nai, request.identification):
            cause = "the granted request for a pre-tunnel again: its answer comes, or has come"
            return [observed.discarded("duplicate", source, cause)]
        return self._new(asked, objection_between_agents(request, asked.mag, proof), now)

    def _new(self, asked: Asked, objection: Refusal | Unproven | None, now: Now) -> Asked | list[Told]:
        """What is authentic, if it is also new (I6), and nothing is wrong between the agents (H6)."""
        request = asked.request
        binding = self._bindings.get(asked.owner)
        if binding is not None and (binding.identification == request.identification or binding.others):
            again = next((one for one in binding.all if _is_same(asked, one)), None)
            if again is not None and objection is None:
                return self._duplicate(asked, again, now)
        last = self._floors.last_valid(asked.owner, None if binding is None else binding.identification)
        if not self._window.admits(request.identification, last, now.wall):
            return self._resynchronize(asked, last, now)
        if self._refused_ahead.holds(asked.owner, request.identification):
            return self._resynchronize(asked, last, now)
        if objection is None and self._keys is not None:
            found = self._keys.objection(asked, now)
            if isinstance(found, list):
                return found
            objection = found
        return asked if objection is None else self._object(asked, objection, now)

    def forged(
        self, payload: bytes, form: RenewalForm, bound: Binding, source: Endpoint, now: Now
    ) -> list[Told] | None:
        """H4 for what would be a renewal of ``bound`` if its authenticator was right; nobody has read it.

        None: the node's key is being changed, so that it may be right by another key.
        """
        association = self._associations.find(bound.nai, form.spi(payload))
        if association is None or association is not bound.association:
            return None
        return self.forged_by(payload, bound.nai, association, source, now)

    def forged_by(
        self, payload: bytes, nai: bytes, association: SecurityAssociation, source: Endpoint, now: Now
    ) -> list[Told] | None:
        """H4 for what does not verify with the ``association`` of ``nai``; nobody has read it.

        None: the key is being changed, as before.
        """
        if association.previous is not None:
            return None
        unproven = wrong_mn_ha(association, association.spi)
        return self._turn_away(unproven, nai, payload, source, self._policy.address, now)

    def is_new(self, owner: bytes, accepted: int | None, identification: int, now: Now) -> bool:
        """Whether ``identification`` is in order for ``owner``, of whom the last one was ``accepted`` (I6)."""
        last = self._floors.last_valid(owner, accepted)
        if not self._window.admits(identification, last, now.wall):
            return False
        return not self._refused_ahead.holds(owner, identification)

    def recall(self, payload: bytes, source: Endpoint, local: Ipv4) -> Asked | None:
        """A request that was believed before, perhaps by a former process; None: today's keys do not prove it.

        WireError: it cannot be read the way that is configured today.
        """
        request, mag = self._read(payload, source)
        proof: Proof | Unproven | None = self._prover.prove(payload, request, mag)
        if isinstance(proof, Unproven):
            # What needs a key of AAA comes back without: it is fetched when the node is heard of again.
            if self._keys is not None:
                if proof.spi:
                    self._keys.recall(request.nai, proof.spi)
                elif proof.aaa_spi:
                    self._keys.recall_proven(request.nai, proof.aaa_spi)
            proof = self._prover.recall(payload, request, mag)
        if proof is None:
            return None
        asked = _proven(payload, request, mag, proof, source, local)
        if self._by_technology:
            asked.owner = owner_of(request)
        return asked

    @property
    def reads_alike(self) -> bool:
        """Whether nothing in a request means something else for one node than for another."""
        return not (self._by_technology or self._policy.tunnel_broadcast)

    def has_key(self, nai: bytes, spi: int, source: Ipv4) -> bool:
        """Whether there is the key that a request from ``source`` names, and nothing else is asked of it."""
        if self._mags is not None and self._mags.is_known(source):
            return False
        association = self._associations.find(nai, spi)
        if association is None:
            return self._keys is not None
        return association.previous is None

    def remembered(self, payload: bytes, source: Endpoint, local: Ipv4) -> Asked:
        """The request of one that could wait."""
        request = RegistrationRequest.decode(payload)
        found = request.mn_ha
        assert found is not None
        association = self._associations.find(request.nai, found.spi)
        if association is None:
            assert self._keys is not None
            association = self._keys.recall(request.nai, found.spi)
        return Asked(request, payload, found.value, association, source, local, request.nai)

    def recall_refused(self, owner: bytes, identification: int, wall: float) -> None:
        """A former process has refused it because it is ahead."""
        self._refused_ahead.recall(owner, identification, wall)

    def _read(self, payload: bytes, source: Endpoint) -> tuple[RegistrationRequest, KnownMag | None]:
        if self._mags is None:
            return RegistrationRequest.decode(payload), None
        request = RegistrationRequest.decode(payload, draft03=self._mags.writes_draft03(source))
        return request, self._mags.sender(request, source)

    def _read_pre_tunnel(
        self, payload: bytes, source: Endpoint, local: Ipv4
    ) -> tuple[Asked, RegistrationRequest]:
        """Not proven yet."""
        mags, policy = self._mags, self._policy
        draft03 = mags is not None and mags.writes_draft03(source)
        decoded = PreTunnelRequest.decode(payload, policy.pre_tunnel_request_type, draft03=draft03)
        request = as_registration(decoded, policy.pre_tunnel_lifetime)
        mag = None if mags is None else mags.sender(request, source)
        asked = Asked(request, payload, b"", None, source, local, request.nai, mag=mag)
        asked.reply_type = policy.pre_tunnel_reply_type
        return asked, request

    def _may_be_of_a_mag(self, payload: bytes, source: Endpoint) -> bool:
        """Whether a MAG that is configured may have sent a request without FA-HA (N27)."""
        mags = self._mags
        return mags is not None and (mags.is_known(source.address) or mags.is_known(care_of_address(payload)))

    def _object(self, asked: Asked, objection: Refusal | Unproven, now: Now) -> list[Told]:
        if isinstance(objection, Unproven):
            if self._keys is not None and asked.association is not None and not asked.reply_type:
                name = (asked.nai, asked.association.spi)
                waits = self._keys.root_wanted(name, asked.payload, asked.source, asked.local, now)
                if waits is not None:
                    return waits
            return [observed.unproven(objection, asked.nai, asked.source)]
        identification = asked.request.identification
        self._floors.note(asked.owner, identification, now.monotonic)
        spent = Save(Spent(asked.owner, identification, now.monotonic))
        return [refusing(asked, objection, self._policy), observed.refused(asked, objection), spent]

    def _turn_away(
        self,
        unproven: Unproven,
        nai: bytes,
        payload: bytes,
        source: Endpoint,
        local: Ipv4,
        now: Now,
    ) -> list[Told]:
        """H3, H4: silence, or a refusal that is signed with our key, so that the sender sees that keys differ.

        At most one per second and source, and ``MOST_131`` in all, unless a MAG vouches for the request.
        """
        if self._keys is not None:
            found = self._keys.instead(unproven, nai, payload, source, local, now)
            if not isinstance(found, Unproven):
                return found
            unproven = found
        effects: list[Told] = [observed.unproven(unproven, nai, source)]
        if unproven.code is None or not (unproven.vouched or self._limit_131.allows(source.address, now)):
            return effects
        if payload[0] == _REQUEST:
            request, _ = self._read(payload, source)
            asked = Asked(request, payload, b"", unproven.mn_ha, source, local, request.nai, unproven.fa_ha)
        else:
            asked, _ = self._read_pre_tunnel(payload, source, local)
            asked.association, asked.fa_ha = unproven.mn_ha, unproven.fa_ha
        return [*effects, reply(asked, unproven.code)]

    def _duplicate(self, asked: Asked, binding: Binding, now: Now) -> list[Told]:
        """L5: the same request once more: the same answer, with what is left of the lifetime.

        Only to where it came from before: to anybody else the answer would say how to tunnel to a wrong place. And not
        before it is durable.
        """
        if asked.owner in self._underway:
            cause = "the request again while it is being saved: its answer comes (L5)"
            return [observed.discarded("duplicate", asked.source, cause)]
        remaining = int(binding.deadline - now.monotonic)
        if asked.source != binding.source or remaining <= 0 or not self._limit.allows(binding.owner, now):
            cause = "the accepted request again: within a second, from elsewhere, or at its end (L5)"
            return [observed.discarded("duplicate", asked.source, cause)]
        answer = acceptance(asked, binding, self._accepting, lifetime=remaining)
        return [answer, observed.answered_again(binding)]

    def _resynchronize(self, asked: Asked, last: int | None, now: Now) -> list[Told]:
        """I8: code 133 with our time. The rejected timestamp does not count, but it will not be valid later either."""
        ahead = self._refused_ahead.note(asked.owner, asked.request.identification, now.wall)
        identification = resynchronizing(
            asked.request.identification,
            last if self._policy.resync_beyond_last else None,
            now.wall,
            self._policy.timestamp_window,
        )
        answer = reply(asked, Code.HA_ID_MISMATCH, identification=identification)
        told: list[Told] = [answer, observed.identification_refused(asked, last, now.wall)]
        if ahead:
            told.append(Save(RefusedAheadRecord(asked.owner, asked.request.identification)))
        return told


def _is_same(asked: Asked, binding: Binding) -> bool:
    """Whether it is the very request that made ``binding``: nobody else could have authenticated its octets."""
    return asked.request.identification == binding.identification and asked.authenticator in binding.request


def _proven(
    payload: bytes,
    request: RegistrationRequest,
    mag: KnownMag | None,
    proof: Proof,
    source: Endpoint,
    local: Ipv4,
) -> Asked:
    return Asked(
        request, payload, proof.authenticator, proof.mn_ha, source, local, request.nai, proof.fa_ha, mag
    )
