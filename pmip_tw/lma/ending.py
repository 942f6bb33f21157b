"""How a binding ends before its time by nobody's request: its MAGs are told (RFC 3543, RV21, RV27)."""

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.addresses import Ipv4
from pmip_tw.lma import observed
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.registration.commitment import Effect, Save, SessionOver
from pmip_tw.lma.registration.registrations import Registrations
from pmip_tw.lma.revocation.revoking import Revoker
from pmip_tw.mobility.clock import Now


@attrs.frozen(eq=False, repr=False)
class Ending:
    """An operator, AAA, a DHCP server or the packet plane wants it. ``address``: ours."""

    _address: Ipv4
    _registrations: Registrations
    _revoker: Revoker

    def end(
        self,
        bound: Binding,
        now: Now,
        terminate_cause: TerminateCause,
        *,
        inform: bool = False,
        why: str = "",
    ) -> list[Effect]:
        """All that an owner has. ``inform``: its node should be told (RV22). ``why``: in words, for people."""
        told = (*bound.all, *self._registrations.replaced_unsaid(bound))
        effects: list[Effect] = [SessionOver(bound.key, terminate_cause)]
        effects += self._registrations.end(bound, now)
        for binding in told:
            effects.append(observed.revoked(binding, why))
            revocation = self._revoker.prepare(binding, self._address, now, inform=inform)
            if revocation is not None:
                effects.append(Save(revocation.record, revocation))
        return effects

    def lease_over(self, bound: Binding, now: Now) -> list[Effect]:
        """Its address is its no more: who gave it back need not be told that it lost it."""
        return self.end(bound, now, TerminateCause.IDLE_TIMEOUT)
