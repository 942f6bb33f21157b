"""Who lives in one address space of an LMA's packet plane: a million nodes, of which most are silent at a time."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from pmip_tw.addresses import Ipv4
from pmip_tw.forwarding.anchor_session import AnchorSession
from pmip_tw.forwarding.paths import Way
from pmip_tw.forwarding.session import octets
from pmip_tw.forwarding.tunnel_ends import TunnelEnds
from pmip_tw.mobility.address_table import AddressTable
from pmip_tw.mobility.tunnels import AnchorEntry, Broadcasts

Resident = Way | AnchorSession
"""Of a node that nothing more is to be known of than its way, and no packet was seen: just that, which many share."""


class Residents:
    """The nodes by home address, as it stands in a packet. A session is made when the first packet asks for it.

    ``name``: that of the address space; ``local``: the home agent address; ``to_host(packet)`` gives an inner packet to
    the machine's own stack (False: lost and counted); ``gateway(home_address)``: the router that its node believes in
    (P71).
    """

    def __init__(
        self, name: str, local: Ipv4, to_host: Callable[[bytes], bool], gateway: Callable[[Ipv4], Ipv4]
    ) -> None:
        self._name = name
        self._local = octets(local)
        self._to_host = to_host
        self._gateway = gateway
        self._held: AddressTable[Resident] = AddressTable()

    def get(self, home: bytes) -> AnchorSession | None:
        address = Ipv4(int.from_bytes(home, "big"))
        found = self._held.get(address)
        if type(found) is Way:
            found = self._held[address] = self._session(self._plain(address, found), (found,))
        return found  # type: ignore[return-value] # mypy does not see what is left

    def coming(self, home: bytes, ends: TunnelEnds) -> AnchorSession | None:
        """Whose packets come from ``home`` out of the tunnel with these ``ends``."""
        found = self._held.get(Ipv4(int.from_bytes(home, "big")))
        if found is None or not any(way.ends == ends for way in ways_of(found)):
            return None
        return self.get(home)

    def __contains__(self, home: bytes) -> bool:
        return Ipv4(int.from_bytes(home, "big")) in self._held

    def put(self, entry: AnchorEntry, ways: tuple[Way, ...]) -> tuple[Resident | None, Resident]:
        """``entry`` lives here now. Who has lived there before, and who does; sessions go on counting."""
        before = self._held.get(entry.home_address)
        resident: Resident = ways[0]
        if isinstance(before, AnchorSession) or not _is_plain(entry):
            resident = self._session(entry, ways)
            if isinstance(before, AnchorSession):
                resident.inherit(before)
        self._held[entry.home_address] = resident
        return before, resident

    def put_silent(self, home_addresses: Sequence[Ipv4], way: Way) -> tuple[list[Way], list[Ipv4]]:
        """They live here now, by ``way``, but for those of whom more is known, which come back.

        The ways of those who lived there in silence until now come back as well.
        """
        claim, held = self._held.claim, self._held
        before: list[Way] = []
        left: list[Ipv4] = []
        for taken in [home_address for home_address in home_addresses if not claim(home_address, way)]:
            resident = held.get(taken)
            if type(resident) is Way:
                before.append(resident)
                held[taken] = way
            else:
                left.append(taken)
        return before, left

    def peek(self, home_address: Ipv4) -> Resident | None:
        """Who lives there, and nobody is woken."""
        return self._held.get(home_address)

    def pop(self, home_address: Ipv4) -> Resident | None:
        return self._held.pop(home_address)

    def entries(self) -> Iterator[AnchorEntry]:
        for address, found in self._held.items():
            yield found.entry if isinstance(found, AnchorSession) else self._plain(address, found)

    def _plain(self, home_address: Ipv4, way: Way) -> AnchorEntry:
        return AnchorEntry(home_address=home_address, tunnel=way.tunnel, domain=self._name)

    def _session(self, entry: AnchorEntry, ways: tuple[Way, ...]) -> AnchorSession:
        ours = _one_set(self._local, octets(self._gateway(entry.home_address)))
        return AnchorSession(
            entry=entry,
            home=octets(entry.home_address),
            way=ways[0],
            filters=entry.filters,
            copies=ways[1:],
            to_host=self._to_host,
            ends=_one_set(self._local, *[octets(way.tunnel.remote) for way in ways]),
            ours=ours,
            special=ours if entry.prefix is None else ours | {octets(entry.prefix.broadcast)},
        )


def ways_of(resident: Resident) -> tuple[Way, ...]:
    return resident.ways if isinstance(resident, AnchorSession) else (resident,)


def _is_plain(entry: AnchorEntry) -> bool:
    return (
        not (entry.copies or entry.awaited or entry.filters)
        and entry.prefix is None
        and entry.broadcasts is Broadcasts.NONE
    )


@lru_cache(maxsize=65536)
def _one_set(*addresses: bytes) -> frozenset[bytes]:
    """One object for all mobile nodes that have the same."""
    return frozenset(addresses)
