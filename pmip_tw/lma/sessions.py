"""AAA acts on bindings: it ends them, or changes what they may (RFC 5176, AA17, AA18, RV27).

A binding is found by its NAI, as it stands in requests, or by its home address; whatever else is said must apply as
well. There may be a million of them, and nobody looks through all. Where AAA cannot reach a MAG, this is how it ends
what that MAG serves: it is told by a revocation (AA26).
"""

from collections.abc import Callable, Iterable, Iterator

from pmip_tw.aaa.accounting.records import common_id
from pmip_tw.aaa.dynamic_authorization import (
    NOT_FOUND,
    Change,
    Done,
    ErrorCause,
    Outcome,
    Refused,
    Selection,
    SessionIdentity,
)
from pmip_tw.lma import observed
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.lma.keys.asking import Keys
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration.commitment import Commit, Effect
from pmip_tw.lma.registration.underway import Underway
from pmip_tw.lma.session.limits import UNLIMITED, Limits
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.packet_filters import PacketFilters, chosen

Decided = tuple[Outcome, list[Effect]]
"""What to answer when the effects have happened."""

_TECHNOLOGIES = range(256)


class Sessions:
    """``end(bound, now)`` ends all bindings of an owner and tells their MAGs."""

    def __init__(
        self,
        policy: LmaPolicy,
        bindings: BindingTable,
        pools: Pools,
        underway: Underway,
        end: Callable[[Binding, Now], list[Effect]],
        keys: Keys | None = None,
    ) -> None:
        self._policy = policy
        self._bindings = bindings
        self._pools = pools
        self._underway = underway
        self._end = end
        self._keys = keys

    def disconnect(self, selection: Selection, now: Now) -> Decided:
        """They are over; the home address is held as after any end (P80)."""
        found = self._selected(selection)
        if isinstance(found, Refused):
            if selection == Selection(user_name=selection.user_name):
                for nai in self._spellings(selection.user_name):
                    self._doubt(nai, now)  # nothing of it is here just now, but its key may be
            return found, []
        effects: list[Effect] = []
        for bound in found:
            self._doubt(bound.nai, now)
            effects += self._end(bound, now)
        return Done(len(found)), effects

    def change(self, selection: Selection, change: Change, now: Now) -> Decided:
        """Something is different from now on (AA18, AA25), for all of them or for none, over renewals and handovers."""
        found = self._selected(selection)
        if isinstance(found, Refused):
            return found, []
        filters, unknown = chosen(self._policy.filters, change.filter_ids or ())
        if unknown:
            why = f"there is no [[lma.filters]] of the name {unknown[0]!r}"
            return Refused(ErrorCause.INVALID_ATTRIBUTE_VALUE, why), []
        if change.idle_timeout and not self._policy.sees_traffic:
            why = "only an LMA of one process knows who is idle: Idle-Timeout needs workers = 1"
            return Refused(ErrorCause.UNSUPPORTED_ATTRIBUTE, why), []
        effects: list[Effect] = []
        for bound in found:
            limits = (bound.terms.limits or UNLIMITED).changed(
                now.monotonic, change.session_timeout, change.idle_timeout, change.interim_interval
            )
            passing = bound.filters if change.filter_ids is None else filters
            effects.append(self._changed(bound, passing, limits))
        return Done(len(found)), effects

    def missing(self, selection: Selection) -> Refused | None:
        """Why nobody is meant; None: somebody is."""
        found = self._selected(selection)
        return found if isinstance(found, Refused) else None

    def _doubt(self, nai: bytes, now: Now) -> None:
        """AAA is asked again before anybody registers it (AA17)."""
        if self._keys is not None:
            self._keys.doubt(nai, now)

    @staticmethod
    def _spellings(nai: str | None) -> list[bytes]:
        name = (nai or "").encode()
        return list(dict.fromkeys((name, name.lower()))) if name else []

    def _changed(self, bound: Binding, filters: PacketFilters, limits: Limits) -> Commit:
        new = bound.allowed(filters, limits)
        self._bindings.put(new)
        told = observed.authorization_changed(new)
        commit = self._underway.begin(Commit(new.owner, (), new, bound, answers=(told,)))
        if commit.before is not None:
            # The node has moved, and that is not durable: whoever was to hear that he serves it no more still is (P35).
            commit.revocations = commit.before.revocations
        return commit

    def _selected(self, selection: Selection) -> list[Binding] | Refused:
        if selection.is_empty:
            return NOT_FOUND
        if selection.user_name is None and selection.home_address is None:
            why = "an LMA finds sessions by User-Name or Framed-IP-Address, which must be there"
            return Refused(ErrorCause.MISSING_ATTRIBUTE, why)
        if self._may_mean_others(selection):
            why = "several address spaces have that Framed-IP-Address: User-Name must say whose it is"
            return Refused(ErrorCause.MULTIPLE_SESSION_SELECTION_UNSUPPORTED, why)
        found = [bound for bound in self._perhaps(selection) if selection.includes(_identity(bound))]
        return found or NOT_FOUND

    def _may_mean_others(self, selection: Selection) -> bool:
        """Whoever has the address at present: another customer's node may (P85)."""
        address = selection.home_address
        if address is None or selection.user_name is not None or selection.multi_session is not None:
            return False
        return self._pools.is_of_several_domains(address)

    def _perhaps(self, selection: Selection) -> Iterator[Binding]:
        """Nobody else can be meant."""
        owners: Iterable[bytes]
        if selection.home_address is not None:
            owners = self._pools.users(selection.home_address)
        else:
            owners = self._owners(selection.user_name)
        for owner in owners:
            bound = self._bindings.get(owner)
            if bound is not None:
                yield bound

    def _owners(self, nai: str | None) -> list[bytes]:
        """Who may have that NAI (P23)."""
        spellings = self._spellings(nai)
        if not self._policy.by_technology:
            return spellings
        return [spelling + bytes((technology,)) for spelling in spellings for technology in _TECHNOLOGIES]


def _identity(bound: Binding) -> SessionIdentity:
    return SessionIdentity(
        nai=bound.nai.decode(errors="replace"),
        home_address=bound.home_address,
        multi_session=common_id(bound.nai, bound.home_address),
    )
