"""The home addresses of one prefix: who has which, and how long one that was given back is kept from others (P80).

Whose an address is, is said by owners: octets that name a binding, whatever they are made of (P23).
"""

from collections.abc import Collection, Iterable

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4, Prefix
from pmip_tw.lma.addresses.holds import Holds
from pmip_tw.lma.journal.records import Bound
from pmip_tw.mobility.address_table import AddressTable


@attrs.frozen(slots=True, kw_only=True)
class HomeLink:
    """What the mobile nodes of one prefix have in common: where they believe to be (P70).

    ``domain``: the address space that the prefix belongs to (P85), "" for the main one. ``giaddr``: what DHCP servers
    are told in option giaddr of clients who get their address here; 0: what they are always told.
    """

    prefix: Prefix
    gateway: Ipv4
    name_servers: tuple[Ipv4, ...] = ()
    domain: str = ""
    giaddr: Ipv4 = UNSPECIFIED


class AddressPool:
    """The addresses of one prefix, less network, gateway (the first host if not given), broadcast and ``exclude``.

    ``by_dhcp``: DHCP servers say who gets which, so that none is held for who had it.
    """

    def __init__(
        self,
        prefix: Prefix,
        *,
        exclude: Collection[Ipv4] = (),
        hold: float = 3600.0,
        gateway: Ipv4 | None = None,
        name_servers: tuple[Ipv4, ...] = (),
        domain: str = "",
        giaddr: Ipv4 = UNSPECIFIED,
        by_dhcp: bool = False,
    ) -> None:
        self.by_dhcp = by_dhcp
        self.link = HomeLink(
            prefix=prefix,
            gateway=prefix.first_host if gateway is None else gateway,
            name_servers=name_servers,
            domain=domain,
            giaddr=giaddr,
        )
        self._hold = 0.0 if by_dhcp else hold
        self._within = (prefix.network, prefix.broadcast)
        self._never = set(exclude) | {prefix.network, self.link.gateway, prefix.broadcast}
        self._next = prefix.network
        self._users: AddressTable[bytes] = AddressTable()
        self._held = Holds()

    def free_for(self, owner: bytes, address: Ipv4, monotonic: float) -> bool:
        """Whether ``owner`` may have ``address``: it is this pool's, nobody's, and not held for another."""
        if not self.gives(address) or address in self._users:
            return False
        hold = self._held.get(address)
        return hold is None or hold.owner == owner or hold.until <= monotonic

    def gives(self, address: Ipv4) -> bool:
        """Whether it is one of those that are given to mobile nodes."""
        first, last = self._within
        return first <= address <= last and address not in self._never

    def former(self, owner: bytes) -> Ipv4 | None:
        """The address that is held for ``owner``; None if there is none."""
        return self._held.of(owner)

    def fresh(self) -> Ipv4 | None:
        """The first address that nobody had before; None if there is none left."""
        address, last = self._next, self._within[1]
        while address < last:
            if self._users.get(address) is not None or self._held.get(address) is not None:
                address = self._held.next_free(self._users.next_free(address))
            elif address in self._never:
                address = Ipv4(address + 1)
            else:
                break
        self._next = address
        return address if address < last else None

    def oldest(self) -> Ipv4 | None:
        """The held address to give away first, whoever had it; None if none is held."""
        return self._held.first

    def take(self, address: Ipv4, owner: bytes) -> None:
        """It is ``owner``'s from now on."""
        self._held.discard(address)
        self._users[address] = owner
        if address == self._next:
            self._next = Ipv4(address + 1)

    def take_over(self, records: Iterable[Bound]) -> list[Bound]:
        """``take`` what a former process gave: those of which it is still given here, and was nobody's yet."""
        domain, claim, never = self.link.domain, self._users.claim, self._never
        first, last = self._within
        return [
            one
            for one in records
            if first <= one.home_address <= last
            and one.home_address not in never
            and one.domain == domain
            and claim(one.home_address, one.owner)
        ]

    @property
    def oldest_hold(self) -> float:
        """When the hold of ``oldest`` ends or ended, monotonic; infinity if none is held."""
        first = self._held.first
        hold = None if first is None else self._held.get(first)
        return float("inf") if hold is None else hold.until

    def user(self, address: Ipv4) -> bytes | None:
        """Whose ``address`` is at present."""
        return self._users.get(address)

    def __contains__(self, address: Ipv4) -> bool:
        first, last = self._within
        return first <= address <= last

    def reserve(self, address: Ipv4) -> None:
        """Set ``address`` aside for good: a mobile node with a static home address."""
        self._never.add(address)

    def release(self, address: Ipv4, monotonic: float) -> None:
        """``address`` has no binding any more: keep it from others for a while."""
        owner = self._users.pop(address)
        if owner is not None:
            self.hold(address, owner, monotonic)

    def hold(self, address: Ipv4, owner: bytes, since: float) -> None:
        """``owner`` had ``address`` until ``since``, which is not before that of any other hold."""
        self._held.add(address, owner, since + self._hold)

    def end_hold(self, address: Ipv4, monotonic: float) -> None:
        """Anybody may ask for ``address`` now; it is still its former owner's who comes first."""
        self._held.end(address, monotonic)
