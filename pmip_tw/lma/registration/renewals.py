"""A request that asks for what the one before it was given: nearly every one, so that little is done for it.

What a request may and what it gets is decided by its octets, by where it came from and went to, by the configuration,
which does not change while the process lives, and by the binding that there is. Where all these are as they were when
the binding was made, so is the decision: address, tunnel, lifetime, what the reply says. Looked at anew is what is
never the same: the authenticator (H4), the Identification (I6) and the timestamps for revocations (RV6, RV7). Whoever
fails any of that is dealt with by ``intake.py``; as if nobody had looked yet, but that no authenticator is made twice,
because a flood comes by here.
"""

from pmip_tw.addresses import Endpoint
from pmip_tw.lma.bindings import BindingTable
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration.commitment import Commit, Told
from pmip_tw.lma.registration.intake import Intake
from pmip_tw.lma.registration.replies import plain_acceptance
from pmip_tw.lma.registration.underway import Underway
from pmip_tw.lma.revocation.revoking import Revoker
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.renewal import leading_nai


class Renewals:
    """Decides about those requests, and what is said to them when they are carried out."""

    def __init__(
        self,
        policy: LmaPolicy,
        bindings: BindingTable,
        intake: Intake,
        revoker: Revoker,
        underway: Underway,
    ) -> None:
        self._address = policy.address
        self._accepting = int(policy.accepting)
        self._bindings = bindings
        self._intake = intake
        self._revoker = revoker
        self._underway = underway

    def decide(self, payload: bytes, source: Endpoint, now: Now) -> Commit | list[Told] | None:
        """A registration request to our address; None: it is no renewal on the same terms, or not in order.

        A list: it is one, but for its authenticator.
        """
        bound = self._bindings.at_hand(leading_nai(payload))
        if bound is None:
            return None
        terms = bound.terms
        form = terms.form
        if form is None or source != terms.source or bound.owner in self._underway:
            return None
        found = form.asked_again(bound.request, payload, bound.home_address)
        if found is None:
            return None
        last, identification, authenticator = found
        association = bound.association
        assert association is not None
        if not association.verify(payload[: form.covered], authenticator):
            return self._intake.forged(payload, form, bound, source, now)
        if not self._intake.is_new(bound.owner, last, identification, now):
            return None
        new = bound.renewed(payload, now.monotonic + terms.lifetime)
        if terms.revocable:
            new.own_timestamp = self._revoker.timestamp_for(bound.home_address, source.address, now)
        self._bindings.renew(new)
        # Signed here, where the key is at hand, and said when it is true.
        answer = plain_acceptance(new, self._accepting, self._address)
        assert answer is not None
        return self._underway.renew(Commit(bound.owner, (), new, bound, answer=answer, renews=True))
