"""Who is registered where (RFC 5944 3.8.1): bindings are values, replaced whole by every accepted registration."""

from collections.abc import Iterator
from typing import NamedTuple

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.timers import Wheel
from pmip_tw.mobility.tunnels import AnchorEntry, Tunnel


class Place(NamedTuple):
    """Which MAG a mobile node is at.

    Two MAGs behind different NATs may have the same care-of address, hence where it is seen from (N28). The port is
    not part of it: a NAT may give a MAG another one at any time (N23).
    """

    care_of_address: Ipv4
    seen_from: Ipv4


@attrs.frozen(slots=True, kw_only=True)
class NegotiatedRevocation:
    """Both sides sent extension 137 (RV1, RV7). Timestamps as each side sent them, by its own clock.

    ``inform``: both set the I bit: the LMA decides whether a node is told that it was revoked (RV5).
    """

    own_timestamp: int
    peer_timestamp: int
    inform: bool = False


@attrs.define(slots=True, kw_only=True)
class Binding:
    """One mobile node's registration at its present MAG.

    ``source``: where the last accepted request came from; ``deadline``, ``moved_at``, ``registered_at``: monotonic
    seconds; ``lifetime``: seconds granted; ``authenticator``: of the last accepted request, to know a duplicate (L5).
    ``association`` (MN-HA) and ``fa_ha``: what proved it and proves its revocation; neither: IPsec (RV9, P76).
    Not changed after it is made: a new registration makes a new one, so that it can be undone.
    """

    nai: bytes
    home_address: Ipv4
    care_of_address: Ipv4
    source: Endpoint
    association: SecurityAssociation | None
    fa_ha: SecurityAssociation | None = None
    identification: int
    authenticator: bytes
    lifetime: int
    deadline: float
    registered_at: float
    moved_at: float
    tunnel: Tunnel
    access_technology: int | None = None
    revocation: NegotiatedRevocation | None = None

    @property
    def place(self) -> Place:
        return Place(self.care_of_address, self.source.address)

    @property
    def entry(self) -> AnchorEntry:
        """What the packet plane must hold for it."""
        return AnchorEntry(home_address=self.home_address, tunnel=self.tunnel)


class BindingTable:
    """All bindings by NAI (P23), and when each ends."""

    def __init__(self) -> None:
        self._by_nai: dict[bytes, Binding] = {}
        self._expiry: Wheel[bytes] = Wheel(1.0, self._deadline)

    def get(self, nai: bytes) -> Binding | None:
        return self._by_nai.get(nai)

    def put(self, binding: Binding) -> None:
        """Hold ``binding`` in place of what its NAI had."""
        previous = self._by_nai.get(binding.nai)
        self._by_nai[binding.nai] = binding
        if previous is None or binding.deadline < previous.deadline:
            self._expiry.file(binding.nai, binding.deadline)

    def remove(self, nai: bytes) -> None:
        self._by_nai.pop(nai, None)

    def expired(self, monotonic: float) -> list[Binding]:
        """Bindings whose lifetime is over, some at a time; they are still held."""
        return [self._by_nai[nai] for nai in self._expiry.due(monotonic)]

    def next_deadline(self) -> float | None:
        return self._expiry.next_deadline()

    def __iter__(self) -> Iterator[Binding]:
        return iter(self._by_nai.values())

    def __len__(self) -> int:
        return len(self._by_nai)

    def _deadline(self, nai: bytes) -> float | None:
        binding = self._by_nai.get(nai)
        return None if binding is None else binding.deadline
