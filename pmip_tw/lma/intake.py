"""Whether a registration request may be believed: the checks H3-H6 of RFC 5944 3.8.2.1, in order.

What passes them is authentic and new; whether it is accepted is decided behind (``registrations.py``).
"""

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma import admission, observed
from pmip_tw.lma.admission import Refusal
from pmip_tw.lma.answer_limit import AnswerLimit
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.lma.commitment import Asked
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.replies import acceptance, reply
from pmip_tw.mobility.associations import AssociationTable
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, Send
from pmip_tw.mobility.replay import ReplayFloors, acceptable, later, resynchronizing
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extensions import FA_HA, MN_HA
from pmip_tw.wire.registration import RegistrationRequest


class Intake:
    """From the octets of a request to an Asked, or to what is answered and observed instead. It binds nothing."""

    def __init__(
        self,
        policy: LmaPolicy,
        associations: AssociationTable,
        bindings: BindingTable,
        floors: ReplayFloors,
    ) -> None:
        self._policy = policy
        self._associations = associations
        self._bindings = bindings
        self._floors = floors
        self._limit = AnswerLimit()

    def take(self, payload: bytes, source: Endpoint, local: Ipv4, now: Now) -> Asked | list[Send | Observe]:
        """An authentic, new request; else what it gets. WireError: it cannot be read."""
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
        if request.fa_ha is not None and request.lifetime and request.per_node is None:
            cause = "the request has an FA-HA extension; this LMA shares keys with no MAG (H6)"
            return [observed.discarded("no-association", source, cause)]
        return asked

    def _last_identification(self, nai: bytes, binding: Binding | None) -> int | None:
        """The last valid one, whether it was accepted or refused for another reason (I6b)."""
        floor = self._floors.get(nai)
        if binding is None:
            return floor
        if floor is not None and later(floor, binding.identification):
            return floor
        return binding.identification

    def _unauthentic(self, asked: Asked, now: Now) -> list[Send | Observe]:
        """H4: 131, at most one per second and source; signed with our key, so that a MAG sees that keys differ."""
        effects: list[Send | Observe] = [observed.unauthentic(asked)]
        if self._limit.allows(asked.source.address, now):
            effects.append(reply(asked, Code.HA_MN_AUTH))
        return effects

    def _duplicate(self, asked: Asked, binding: Binding, now: Now) -> list[Send | Observe]:
        """L5: the same request once more: the same answer, with what is left of the lifetime.

        Only to where it came from before: to anybody else the answer would say how to tunnel to a wrong place.
        """
        remaining = int(binding.deadline - now.monotonic)
        path = admission.path_to(asked.request, asked.source, self._policy)
        if (
            isinstance(path, Refusal)
            or asked.source != binding.source
            or remaining <= 0
            or not self._limit.allows(binding.nai, now)
        ):
            cause = "the accepted request again: within a second, from elsewhere, or at its end (L5)"
            return [observed.discarded("duplicate", asked.source, cause)]
        answer = acceptance(asked, binding, lifetime=remaining, udp_tunnel=path.udp_reply)
        return [answer, observed.answered_again(binding)]

    def _resynchronize(self, asked: Asked, last: int | None, now: Now) -> list[Send | Observe]:
        """I8: code 133 with our time; the rejected timestamp is not remembered."""
        identification = resynchronizing(
            asked.request.identification,
            last if self._policy.resync_beyond_last else None,
            now.wall,
            self._policy.timestamp_window,
        )
        answer = reply(asked, Code.HA_ID_MISMATCH, identification=identification)
        return [answer, observed.identification_refused(asked, last, now.wall)]
