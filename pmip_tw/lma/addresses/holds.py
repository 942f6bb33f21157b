"""Home addresses that nobody has, but somebody had: kept for who had them, for a while (P80)."""

from collections.abc import Iterator

from msgspec import Struct

from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.address_table import AddressTable
from pmip_tw.mobility.spread_dict import SpreadDict


class Hold(Struct, gc=False):
    """``owner`` had it; nobody else may ask for it before ``until``, monotonic seconds.

    ``before``, ``after``: the addresses that are given away just before and after it.
    """

    owner: bytes
    until: float
    before: Ipv4 | None = None
    after: Ipv4 | None = None


class Holds:
    """In the order in which they are given away. A million may begin in a few seconds, and none of them takes long."""

    def __init__(self) -> None:
        self._by_address: AddressTable[Hold] = AddressTable()
        self._by_owner: SpreadDict[bytes, Ipv4] = SpreadDict()
        self.first: Ipv4 | None = None
        self._last: Ipv4 | None = None

    def get(self, address: Ipv4) -> Hold | None:
        return self._by_address.get(address)

    def of(self, owner: bytes) -> Ipv4 | None:
        """What is kept for ``owner``; of several the one that it had last."""
        return self._by_owner.get(owner)

    def add(self, address: Ipv4, owner: bytes, until: float) -> None:
        """After all others."""
        self.discard(address)
        last = self._last
        self._by_address[address] = Hold(owner, until, before=last)
        self._by_owner[owner] = address
        self._last = address
        if last is None:
            self.first = address
        else:
            self._at(last).after = address

    def end(self, address: Ipv4, monotonic: float) -> None:
        """Anybody may ask for it from now on, and it is given away before all others."""
        hold = self._by_address.get(address)
        if hold is None or hold.until <= monotonic:
            return
        hold.until = monotonic
        if self.first != address:
            self._take_out(hold)
            first = self.first
            hold.before, hold.after = None, first
            self.first = address
            if first is None:
                self._last = address
            else:
                self._at(first).before = address

    def discard(self, address: Ipv4) -> None:
        hold = self._by_address.pop(address)
        if hold is None:
            return
        self._take_out(hold)
        if self._by_owner.get(hold.owner) == address:
            self._by_owner.pop(hold.owner)

    def _take_out(self, hold: Hold) -> None:
        """Of the order; its neighbors become each other's."""
        if hold.before is None:
            self.first = hold.after
        else:
            self._at(hold.before).after = hold.after
        if hold.after is None:
            self._last = hold.before
        else:
            self._at(hold.after).before = hold.before

    def _at(self, address: Ipv4) -> Hold:
        hold = self._by_address.get(address)
        assert hold is not None
        return hold

    def next_free(self, address: Ipv4) -> Ipv4:
        """The first that is not held, from ``address`` on."""
        return self._by_address.next_free(address)

    def __contains__(self, address: Ipv4) -> bool:
        return address in self._by_address

    def __iter__(self) -> Iterator[Ipv4]:
        """In their order."""
        address = self.first
        while address is not None:
            yield address
            address = self._at(address).after
