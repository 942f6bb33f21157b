"""Who is registered where (RFC 5944 3.8.1): bindings are values, replaced whole by every accepted registration."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec import Struct
from msgspec.structs import replace

from pmip_tw.addresses import Endpoint, Ipv4, Prefix
from pmip_tw.lma.gre_keys import GreKeys
from pmip_tw.lma.records import Bound
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.timers import Wheel
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey, Broadcasts, Tunnel
from pmip_tw.wire.extension_values import UdpTunnelReply
from pmip_tw.wire.registration import RegistrationRequest
from pmip_tw.wire.renewal import RenewalForm

NO_BROADCASTS = Broadcasts.NONE


class Place(NamedTuple):
    """Which MAG a mobile node is at.

    Two MAGs behind different NATs may have the same care-of address, hence where it is seen from (N28). The port is
    not part of it: a NAT may give a MAG another one at any time (N23).
    """

    care_of_address: Ipv4
    seen_from: Ipv4


class NegotiatedRevocation(Struct, frozen=True, kw_only=True, gc=False):
    """Both sides sent extension 137 (RV1, RV7). Timestamps as each side sent them, by its own clock.

    ``inform``: both set the I bit: the LMA decides whether a node is told that it was revoked (RV5).
    """

    own_timestamp: int
    peer_timestamp: int
    inform: bool = False


class Binding(Struct, kw_only=True, gc=False):
    """One mobile node's registration at its present MAG.

    ``owner``: whose it is, see ``owners.py``; ``key``: its home address and the address space of that (P85), which
    name its entry in the packet plane; ``source``, ``flags``: where the last accepted request came from, its bits;
    ``request``: its octets; ``form``: where in them is what its renewals change, None if they must be read as a whole;
    ``deadline``, ``moved_at``: monotonic seconds; ``lifetime``: seconds granted;
    ``association`` (MN-HA) and ``fa_ha``: what proved it and proves its revocation; neither: IPsec (RV9, P76);
    ``own_timestamp``, ``peer_timestamp``, ``inform``: what was agreed about revocation; no timestamp: nothing;
    ``udp_reply``, ``host_configuration``: what its answer says of the tunnel and of the home link; ``identifiers``:
    (sub-type, octets) of 147/1-3 (P12); ``broadcasts`` of the home link ``prefix`` go to it (HL4); ``others``: its
    owner's bindings at other MAGs, newest first, none of which has others itself (L3). ``restored``: a former process
    decided it, perhaps by another configuration.

    Not changed after it is made: a new registration makes a new one, so that it can be undone. There may be a million
    of them; they hold no circles, and the collector of garbage need not look at them.
    """

    owner: bytes
    nai: bytes
    key: AnchorKey
    care_of_address: Ipv4
    source: Endpoint
    flags: int
    association: SecurityAssociation | None
    fa_ha: SecurityAssociation | None = None
    identification: int
    request: bytes
    form: RenewalForm | None = None
    lifetime: int
    deadline: float
    moved_at: float
    tunnel: Tunnel
    udp_reply: UdpTunnelReply | None = None
    access_technology: int | None = None
    own_timestamp: int | None = None
    peer_timestamp: int = 0
    inform: bool = False
    identifiers: tuple[tuple[int, bytes], ...] = ()
    host_configuration: tuple[bytes, ...] = ()
    broadcasts: Broadcasts = NO_BROADCASTS
    prefix: Prefix | None = None
    others: tuple["Binding", ...] = ()
    restored: bool = False

    if TYPE_CHECKING:

        def __copy__(self) -> "Binding": ...

    def renewed(self, request: bytes, identification: int, deadline: float) -> "Binding":
        """The same terms once more."""
        new = self.__copy__()
        new.request = request
        new.identification = identification
        new.deadline = deadline
        return new

    def granted_to(
        self,
        nai: bytes,
        key: AnchorKey,
        association: SecurityAssociation,
        request: bytes,
        identification: int,
        *,
        deadline: float,
        moved_at: float,
    ) -> "Binding":
        """The same for another node, whose MAG asks in the same words from the same place; see ``patterns.py``."""
        new = self.__copy__()
        new.owner = new.nai = nai
        new.key = key
        new.association = association
        new.request = request
        new.identification = identification
        new.deadline = deadline
        new.moved_at = moved_at
        return new

    @property
    def registered_at(self) -> float:
        """When it was accepted the last time, monotonic."""
        return self.deadline - self.lifetime

    @property
    def revocation(self) -> NegotiatedRevocation | None:
        """What was agreed about revocation; None: nothing."""
        if self.own_timestamp is None:
            return None
        return NegotiatedRevocation(
            own_timestamp=self.own_timestamp, peer_timestamp=self.peer_timestamp, inform=self.inform
        )

    @property
    def place(self) -> Place:
        return Place(self.care_of_address, self.source.address)

    @property
    def home_address(self) -> Ipv4:
        return self.key.home_address

    @property
    def entry(self) -> AnchorEntry:
        """What the packet plane must hold for it and its ``others``."""
        home_address, domain = self.key
        return AnchorEntry(
            home_address=home_address,
            tunnel=self.tunnel,
            domain=domain,
            copies=tuple(other.tunnel for other in self.others) if self.others else (),
            broadcasts=self.broadcasts,
            prefix=self.prefix,
        )

    def has_entry_of(self, other: "Binding") -> bool:
        """Whether the packet plane need not be told of it where it holds ``other``, of the same key."""
        return (
            (self.tunnel is other.tunnel or self.tunnel == other.tunnel)
            and self.broadcasts is other.broadcasts
            and self.prefix == other.prefix
            and not (self.others or other.others)
        )

    def asked_alike(self, request: RegistrationRequest) -> bool:
        """Whether ``request``, from the same place, gets the same plain tunnel once more: nearly every renewal."""
        return (
            request.flags == self.flags
            and request.gre_key is None
            and request.udp_tunnel is None
            and self.udp_reply is None
            and self.tunnel.key_in is None
            and not self.restored
        )

    @property
    def all(self) -> tuple["Binding", ...]:
        """Every binding of its owner, the newest first."""
        return (self, *self.others)

    def at(self, place: Place) -> "Binding | None":
        """Its owner's binding there."""
        if self.care_of_address == place.care_of_address and self.source.address == place.seen_from:
            return self
        return next((other for other in self.others if other.place == place), None) if self.others else None


def together(bindings: tuple[Binding, ...]) -> Binding:
    """The bindings of one owner, newest first, as one: the first with the others."""
    first, *others = bindings
    if not others:
        return replace(first, others=()) if first.others else first
    return replace(first, form=None, others=tuple(replace(other, others=()) for other in others))


class FormerBindings(Protocol):
    """Knows what records mean: see ``former.py``."""

    def waited(self, record: Bound) -> Binding: ...
    def entry(self, record: Bound) -> AnchorEntry: ...


class BindingTable:
    """All bindings by owner (P23), when each ends, and which GRE keys they have."""

    def __init__(self) -> None:
        self.gre_keys = GreKeys()
        self._by_owner: dict[bytes, Binding | Bound] = {}
        self._former: FormerBindings | None = None
        self._expiry: Wheel[bytes] = Wheel(1.0, self._deadline)

    def get(self, owner: bytes) -> Binding | None:
        """The newest binding of ``owner``, with its others."""
        found = self._by_owner.get(owner)
        return found if found is None or isinstance(found, Binding) else self._waited(found)

    def _waited(self, record: Bound) -> Binding:
        assert self._former is not None
        binding = self._by_owner[record.owner] = self._former.waited(record)
        return binding

    def restore(self, record: Bound, former: "FormerBindings") -> None:
        """Hold what a former process has left; ``former`` makes a binding of it when somebody asks."""
        self._former = former
        self._by_owner[record.owner] = record
        self._expiry.file(record.owner, record.deadline)

    def entries(self) -> Iterator[AnchorEntry]:
        """What the packet plane must hold for all of them."""
        for found in self._by_owner.values():
            if isinstance(found, Bound):
                assert self._former is not None
                yield self._former.entry(found)
            else:
                yield found.entry

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

    def renew(self, binding: Binding) -> None:
        """As ``put``, of one that differs from what its owner had by being newer."""
        self._by_owner[binding.owner] = binding

    def remove(self, owner: bytes) -> None:
        binding = self._by_owner.pop(owner, None)
        if isinstance(binding, Binding):
            self.gre_keys.drop(one.tunnel for one in binding.all)

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
