"""Who is registered where (RFC 5944 3.8.1): bindings are values, replaced whole by every accepted registration."""

from collections.abc import Iterator, KeysView, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.journal.records import Bound
from pmip_tw.lma.place import Place
from pmip_tw.lma.registration.gre_keys import GreKeys
from pmip_tw.lma.registration.terms import Terms
from pmip_tw.lma.session.limits import Limited, Limits
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.packet_filters import PacketFilters
from pmip_tw.mobility.timers import Wheel
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey, Tunnel
from pmip_tw.wire.registration import RegistrationRequest
from pmip_tw.wire.renewal import identification_of

NEVER_MOVED = float("-inf")
"""The ``moved_at`` of a node that has been at one MAG only: one object for all of them."""


class NegotiatedRevocation(Struct, frozen=True, kw_only=True, gc=False):
    """Both sides sent extension 137 (RV1, RV7). Timestamps as each side sent them, by its own clock.

    ``inform``: both set the I bit: the LMA decides whether a node is told that it was revoked (RV5).
    """

    own_timestamp: int
    peer_timestamp: int
    inform: bool = False


class Binding(Struct, kw_only=True, gc=False):
    """One mobile node's registration at its present MAG.

    ``owner``: whose it is, see ``owners.py``; ``home_address`` and its address space ``domain`` (P85) name its entry in
    the packet plane; ``association`` (MN-HA): what proved it; ``request``: the octets of the last accepted one;
    ``deadline``, ``moved_at``: monotonic seconds; ``own_timestamp``: that of our 137 (RV1), None if revocation was not
    agreed upon; ``terms``: all that many others have as well; ``others``: its owner's bindings at other MAGs, newest
    first, none of which has others itself (L3).

    Not changed after it is made: a new registration makes a new one, so that it can be undone. There may be a million
    of them, and an octet of each is a megabyte; they hold no circles, and the collector of garbage need not look.
    """

    owner: bytes
    home_address: Ipv4
    domain: str
    association: SecurityAssociation | None
    request: bytes
    deadline: float
    moved_at: float
    own_timestamp: int | None
    terms: Terms
    others: tuple["Binding", ...] = ()

    if TYPE_CHECKING:

        def __copy__(self) -> "Binding": ...

    def renewed(self, request: bytes, deadline: float) -> "Binding":
        """The same terms once more."""
        new = self.__copy__()
        new.request = request
        new.deadline = deadline
        return new

    @property
    def key(self) -> AnchorKey:
        """Names its entry in the packet plane."""
        return AnchorKey(self.home_address, self.domain)

    @property
    def nai(self) -> bytes:
        return self.owner[:-1] if self.terms.by_technology else self.owner

    @property
    def identification(self) -> int:
        """That of the last accepted request."""
        return identification_of(self.request)

    @property
    def registered_at(self) -> float:
        """When it was accepted the last time, monotonic."""
        return self.deadline - self.terms.lifetime

    @property
    def revocation(self) -> NegotiatedRevocation | None:
        """What was agreed about revocation; None: nothing."""
        if self.own_timestamp is None:
            return None
        return NegotiatedRevocation(
            own_timestamp=self.own_timestamp, peer_timestamp=self._peer_timestamp, inform=self.terms.inform
        )

    @property
    def _peer_timestamp(self) -> int:
        form = self.terms.form
        return self.terms.peer_timestamp if form is None else form.timestamp(self.request)

    @property
    def place(self) -> Place:
        return self.terms.place

    @property
    def care_of_address(self) -> Ipv4:
        return self.terms.care_of_address

    @property
    def source(self) -> Endpoint:
        return self.terms.source

    @property
    def tunnel(self) -> Tunnel:
        return self.terms.tunnel

    @property
    def filters(self) -> PacketFilters:
        """What passes must pass each of them (AA25)."""
        return self.terms.filters

    def allowed(self, filters: PacketFilters, limits: Limits | None) -> "Binding":
        """The same, with its others, and these filters and limits: its terms are its own then."""
        if (filters, limits) == (self.terms.filters, self.terms.limits):
            return self
        return replace(
            self,
            terms=replace(self.terms, filters=filters, limits=limits),
            others=tuple(other.allowed(filters, limits) for other in self.others),
        )

    @property
    def lifetime(self) -> int:
        """Seconds granted."""
        return self.terms.lifetime

    @property
    def entry(self) -> AnchorEntry:
        """What the packet plane must hold for it and its ``others``."""
        if self.others:
            return self._entry_of_several()
        terms = self.terms
        return AnchorEntry(
            home_address=self.home_address,
            tunnel=terms.tunnel,
            domain=self.domain,
            broadcasts=terms.broadcasts,
            prefix=terms.prefix,
            awaited=terms.awaited,
            filters=terms.filters,
        )

    def _entry_of_several(self) -> AnchorEntry:
        """Beside others one that waits for its port gets nothing, until it is alone."""
        known = [one for one in self.all if not one.terms.awaited] or [self]
        first, *others = known
        return AnchorEntry(
            home_address=self.home_address,
            tunnel=first.tunnel,
            domain=self.domain,
            copies=tuple(other.tunnel for other in others),
            broadcasts=self.terms.broadcasts,
            prefix=self.terms.prefix,
            awaited=first.terms.awaited,
            filters=self.terms.filters,
        )

    def has_entry_of(self, other: "Binding") -> bool:
        """Whether the packet plane need not be told of it where it holds ``other``, of the same key."""
        ours, theirs = self.terms, other.terms
        return (
            ours is theirs
            or (
                (ours.tunnel is theirs.tunnel or ours.tunnel == theirs.tunnel)
                and ours.broadcasts is theirs.broadcasts
                and ours.prefix == theirs.prefix
                and ours.filters == theirs.filters
            )
        ) and not (self.others or other.others or ours.awaited or theirs.awaited)

    def asked_alike(self, request: RegistrationRequest) -> bool:
        """Whether ``request``, from the same place, gets the same plain tunnel once more: nearly every renewal."""
        terms = self.terms
        return (
            request.flags == terms.flags
            and request.gre_key is None
            and request.udp_tunnel is None
            and terms.udp_reply is None
            and terms.tunnel.key_in is None
            and not terms.restored
        )

    @property
    def all(self) -> tuple["Binding", ...]:
        """Every binding of its owner, the newest first."""
        return (self, *self.others)

    def at(self, place: Place) -> "Binding | None":
        """Its owner's binding there."""
        if self.terms.place == place:
            return self
        return next((other for other in self.others if other.place == place), None) if self.others else None

    def at_mag(self, place: Place, fa_ha: SecurityAssociation | None) -> "Binding | None":
        """Its owner's binding there, or at the same MAG as a NAT showed it before: by care-of address and key (N28)."""
        there = self.at(place)
        if there is not None or fa_ha is None:
            return there
        return next((one for one in self.all if one.is_at(place.care_of_address, fa_ha)), None)

    def is_at(self, care_of_address: Ipv4, fa_ha: SecurityAssociation) -> bool:
        """Whether it is that MAG's by the MAG's own key, wherever it is seen."""
        return self.terms.fa_ha == fa_ha and self.care_of_address == care_of_address


def together(bindings: tuple[Binding, ...]) -> Binding:
    """The bindings of one owner, newest first, as one: the first with the others."""
    first, *others = bindings
    if not others:
        return replace(first, others=()) if first.others else first
    return replace(
        first,
        terms=first.terms.without_form(first.revocation.peer_timestamp if first.revocation else 0),
        others=tuple(replace(other, others=()) for other in others),
    )


class FormerBindings(Protocol):
    """Knows what records mean: see ``former.py``."""

    def waited(self, record: Bound) -> Binding: ...

    def limits(self, record: Bound) -> Limits | None: ...


class BindingTable:
    """All bindings by owner (P23), when each ends, which GRE keys they have, and whom AAA has limited."""

    def __init__(self) -> None:
        self.gre_keys = GreKeys()
        self.limited = Limited(self.limits)
        self._by_owner: dict[bytes, Binding | Bound] = {}
        self._former: FormerBindings | None = None
        self._expiry: Wheel[bytes] = Wheel(1.0, self._deadline)

    def get(self, owner: bytes) -> Binding | None:
        """The newest binding of ``owner``, with its others."""
        found = self._by_owner.get(owner)
        return found if found is None or isinstance(found, Binding) else self._waited(found)

    def at_hand(self, owner: bytes) -> Binding | None:
        """The same, but for what was restored and waits: what is not proven yet must not cost its making."""
        found = self._by_owner.get(owner)
        return found if isinstance(found, Binding) else None

    def _waited(self, record: Bound) -> Binding:
        assert self._former is not None
        binding = self._by_owner[record.owner] = self._former.waited(record)
        return binding

    def restore(self, records: Sequence[Bound], former: "FormerBindings") -> None:
        """Hold what a former process has left; ``former`` makes a binding of each when somebody asks."""
        if records:
            self._former = former
            self._by_owner.update({record.owner: record for record in records})
            owners = [record.owner for record in records]
            self._expiry.file_all(owners, min([record.deadline for record in records]))
            for record in records:
                if record.limits is not None:
                    limits = former.limits(record)
                    assert limits is not None
                    self.limited.put(record.owner, limits)

    def key(self, owner: bytes) -> AnchorKey | None:
        """Its entry's; nothing is made for that."""
        found = self._by_owner.get(owner)
        if isinstance(found, Bound):
            return AnchorKey(found.home_address, found.domain)
        return None if found is None else found.key

    def limits(self, owner: bytes) -> Limits | None:
        """What AAA lets it have; nothing is made for that."""
        found = self._by_owner.get(owner)
        if isinstance(found, Bound):
            assert self._former is not None
            return self._former.limits(found)
        return None if found is None else found.terms.limits

    @property
    def owners(self) -> KeysView[bytes]:
        """All who have a binding, now and at any later time."""
        return self._by_owner.keys()

    def waiting(self) -> Iterator[Bound]:
        """What was restored, and nobody has asked for yet."""
        return (found for found in self._by_owner.values() if isinstance(found, Bound))

    def asked_for(self) -> Iterator[Binding]:
        """All others: the newest binding of each owner."""
        return (found for found in self._by_owner.values() if isinstance(found, Binding))

    def of_nai(self, nai: bytes) -> list[Binding]:
        """All that ``nai`` has; it may be more than one owner (P23). It looks through all: for people."""
        return [binding for binding in self if binding.nai == nai]

    def put(self, binding: Binding) -> None:
        """Hold ``binding`` and its others in place of what its owner had."""
        previous = self.get(binding.owner)
        self._by_owner[binding.owner] = binding
        # One that has lost its others may have come due with one of them, and is not filed any more.
        if previous is None or binding.others or previous.others or binding.deadline < previous.deadline:
            self._expiry.file(binding.owner, _first_deadline(binding))
        if previous is not None and (previous.others or previous.tunnel.key_in is not None):
            self.gre_keys.drop(one.tunnel for one in previous.all)
        if binding.others or binding.tunnel.key_in is not None:
            self.gre_keys.hold(one.tunnel for one in binding.all)
        if binding.terms.limits is not None:
            self.limited.put(binding.owner, binding.terms.limits)
        elif previous is not None and previous.terms.limits is not None:
            self.limited.forget(binding.owner)

    def renew(self, binding: Binding) -> None:
        """As ``put``, of one that differs from what its owner had by being newer."""
        self._by_owner[binding.owner] = binding

    def remove(self, owner: bytes) -> None:
        binding = self._by_owner.pop(owner, None)
        if isinstance(binding, Binding):
            self.gre_keys.drop(one.tunnel for one in binding.all)
            if binding.terms.limits is not None:
                self.limited.forget(owner)
        elif binding is not None and binding.limits is not None:
            self.limited.forget(owner)

    def expired(self, monotonic: float) -> list[Binding]:
        """Owners' bindings of which at least one's lifetime is over, some at a time; they are still held."""
        found = [self.get(owner) for owner in self._expiry.due(monotonic)]
        return [binding for binding in found if binding is not None]

    def look_again(self, owner: bytes, monotonic: float) -> None:
        """What ``expired`` told of ``owner`` cannot be acted upon before ``monotonic``."""
        self._expiry.file(owner, monotonic)

    def next_deadline(self) -> float | None:
        return self._expiry.next_deadline()

    def __iter__(self) -> Iterator[Binding]:
        """The newest binding of each owner."""
        return (
            self._waited(found) if isinstance(found, Bound) else found
            for found in list(self._by_owner.values())
        )

    def __len__(self) -> int:
        """How many owners have a binding."""
        return len(self._by_owner)

    def _deadline(self, owner: bytes) -> float | None:
        binding = self._by_owner.get(owner)
        return None if binding is None else _first_deadline(binding)


def _first_deadline(binding: Binding | Bound) -> float:
    if binding.others:
        return min(binding.deadline, *(other.deadline for other in binding.others))
    return binding.deadline
