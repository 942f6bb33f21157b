"""What DHCP servers have leased through this LMA: who may have which address of the pools that they assign (N54, D31).

Pools ask whose a lease is, so that nobody else is bound to it; what a lease does to bindings is in ``leasing.py``.
"""

from collections.abc import Iterator

from msgspec import Struct

from pmip_tw.addresses import Mac
from pmip_tw.lma.journal.records import Leased
from pmip_tw.mobility.due import PUT_OFF
from pmip_tw.mobility.spread_dict import SpreadDict
from pmip_tw.mobility.timers import Wheel
from pmip_tw.mobility.tunnels import AnchorKey

QUARANTINE = 600.0
"""Seconds for which nobody gets an address that a client has declined, as somebody else has it."""

SAVED_AGAIN = 1800.0
"""Seconds after which a lease is written down anew: a journal keeps what is an hour older than its bindings at least,
and leases may be of days.
"""

_GRANULARITY = 1.0


class DhcpLease(Struct, gc=False):
    """``nai`` has ``key`` by a lease until ``deadline``, monotonic; ``mac``: the client's.

    ``seen``: its renewals come by us (D14), so that it is over when we say so; else it may have been renewed through
    the tunnel for as long as its binding lives (P65). ``saved_at``: when the journal got it.
    """

    nai: bytes
    mac: Mac
    key: AnchorKey
    deadline: float
    seen: bool
    saved_at: float

    @property
    def record(self) -> Leased:
        home_address, domain = self.key
        return Leased(home_address, domain, self.nai, self.mac, self.deadline, self.seen, self.saved_at)

    @classmethod
    def of(cls, record: Leased) -> "DhcpLease":
        key = AnchorKey(record.home_address, record.domain)
        return cls(record.nai, record.mac, key, record.deadline, record.seen, record.saved_at)


class DhcpLeases:
    """A node has one lease at most, and an address one node."""

    def __init__(self) -> None:
        self._by_nai: dict[bytes, DhcpLease] = {}
        self._by_key: SpreadDict[AnchorKey, DhcpLease] = SpreadDict()
        self._wheel: Wheel[bytes] = Wheel(_GRANULARITY, self._look_at)
        # Until when nobody gets them: few, and the first ends first.
        self._declined: dict[AnchorKey, float] = {}

    def of(self, nai: bytes) -> DhcpLease | None:
        return self._by_nai.get(nai)

    def at(self, key: AnchorKey) -> DhcpLease | None:
        return self._by_key.get(key)

    def put(self, lease: DhcpLease) -> None:
        """In the place of what the node had, and whoever had the address."""
        former, other = self._by_nai.get(lease.nai), self._by_key.get(lease.key)
        if other is not None and other is not former:
            self.remove(other)
        if former is not None:
            self.remove(former)
        self._by_nai[lease.nai] = lease
        self._by_key[lease.key] = lease
        if former is None or self._next_look(lease) < self._next_look(former):
            self.look_again(lease)

    def remove(self, lease: DhcpLease) -> None:
        if self._by_nai.get(lease.nai) is lease:
            del self._by_nai[lease.nai]
        if self._by_key.get(lease.key) is lease:
            self._by_key.pop(lease.key)

    def look_again(self, lease: DhcpLease) -> None:
        """It is to be among the ``due`` at its time, of which it was or which is earlier now."""
        self._wheel.file(lease.nai, self._next_look(lease))

    def put_off(self, lease: DhcpLease, monotonic: float) -> None:
        """What it was due for cannot be done now: it comes due again in a while."""
        self._wheel.file(lease.nai, monotonic + PUT_OFF)

    def due(self, monotonic: float) -> list[DhcpLease]:
        """Some of those that are over, or have to be written down again."""
        found = (self._by_nai.get(nai) for nai in self._wheel.due(monotonic))
        return [lease for lease in found if lease is not None]

    def next_deadline(self) -> float | None:
        return self._wheel.next_deadline()

    def _look_at(self, nai: bytes) -> float | None:
        lease = self._by_nai.get(nai)
        return None if lease is None else self._next_look(lease)

    @staticmethod
    def _next_look(lease: DhcpLease) -> float:
        return min(lease.deadline, lease.saved_at + SAVED_AGAIN)

    def decline(self, key: AnchorKey, since: float) -> None:
        """A client has found that somebody else has it: nobody gets it for a while."""
        self._declined.pop(key, None)
        self._declined[key] = since + QUARANTINE

    def is_declined(self, key: AnchorKey, monotonic: float) -> bool:
        while self._declined:
            first = next(iter(self._declined))
            if self._declined[first] > monotonic:
                break
            del self._declined[first]
        return key in self._declined

    def __len__(self) -> int:
        return len(self._by_nai)

    def __iter__(self) -> Iterator[DhcpLease]:
        return iter(list(self._by_nai.values()))
