"""What the simulation reads of an agent's state: the one room that knows how engines are looked into."""

from collections.abc import Iterator, Sequence

from pmip_tw.addresses import Ipv4
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.place import Place
from pmip_tw.mag.visitors import State, Visitor
from pmip_tw.mobility.tunnels import AccessEntry, Entry
from tests.simulation.machines import LmaMachine, Machine, MagMachine

_ON_THEIR_WAY = frozenset((State.AUTHENTICATING, State.ADDRESSING, State.REGISTERING, State.LEAVING))


def bindings(lma: LmaMachine) -> Iterator[Binding]:
    """Those that are carried out, which MAGs have been told of: newer ones may be on their way to the disk."""
    if not lma.up:
        return
    underway = lma.engine._underway
    for bound in lma.engine.bindings:
        carried = underway.carried(bound.owner, bound)
        if carried is not None:
            yield carried
    for commit in underway:
        if commit.binding is None and commit.carried is not None:
            yield commit.carried


def revoking(lma: LmaMachine) -> Iterator[tuple[str, Place]]:
    """Of whom it tells a MAG that it has ended, and which MAG."""
    if lma.up:
        for pending in lma.engine._revoker._pending.values():
            yield pending.nai.decode(), pending.place


def binding_of(lma: LmaMachine, nai: str) -> Binding | None:
    name = nai.encode()
    return next((binding for binding in bindings(lma) if binding.nai == name), None)


def visitors(mag: MagMachine) -> Iterator[Visitor]:
    return iter(mag.engine.visitors) if mag.up else iter(())


def visitor_of(mag: MagMachine, nai: str) -> Visitor | None:
    return mag.engine.visitors.with_nai(nai) if mag.up else None


def serves(mag: MagMachine, nai: str) -> Visitor | None:
    """The visitor, if the MAG carries its packets."""
    visitor = visitor_of(mag, nai)
    return visitor if visitor is not None and visitor.state is State.REGISTERED else None


def claims(mag: MagMachine, nai: str, home_address: Ipv4) -> bool:
    """Whether its registration with that address is on its way, and downstream is ready for it (P77)."""
    visitor = visitor_of(mag, nai)
    if visitor is None or visitor.state is not State.REGISTERING or visitor.placed is None:
        return False
    return visitor.placed.home_address == home_address


def is_busy(machine: Machine) -> bool:
    """Whether it waits for somebody's answer, or does not run."""
    if isinstance(machine, LmaMachine):
        return not machine.up or machine.engine.revoking > 0 or machine.engine.underway > 0
    assert isinstance(machine, MagMachine)
    return not machine.up or any(
        visitor.exchange is not None or visitor.state in _ON_THEIR_WAY
        for visitor in visitors(machine)
        if visitor.mac in machine.world.deserving
    )


class View:
    """Who is registered where, on both sides, as it was when somebody last did something.

    ``bindings``: by address of the LMA and NAI; ``served``: by number of the MAG and NAI.
    """

    def __init__(self, lmas: Sequence[LmaMachine], mags: Sequence[MagMachine]) -> None:
        self.bindings: dict[tuple[Ipv4, str], Binding] = {}
        self.served: dict[tuple[int, str], Visitor] = {}
        for lma in lmas:
            for binding in bindings(lma):
                self.bindings[lma.address, binding.nai.decode()] = binding
        for mag in mags:
            for visitor in visitors(mag):
                if visitor.state is State.REGISTERED and visitor.tunnel is not None:
                    self.served[mag.number, visitor.nai] = visitor

    def agreed(self, mag: MagMachine, nai: str) -> Visitor | None:
        """The visitor, if MAG and LMA hold the same registration, so that packets must flow."""
        visitor = self.served.get((mag.number, nai))
        if visitor is None:
            return None
        binding = self.bindings.get((visitor.lma, nai))
        if binding is None or visitor.home_address != binding.home_address:
            return None
        if binding.place != mag.place:
            return None  # packets go to where it was (P82)
        assert visitor.tunnel is not None
        return visitor if mag.at_lma(visitor.tunnel) == binding.tunnel else None


def must_hold(machine: Machine) -> set[Entry]:
    """The entries that the packet plane must have: those of live bindings, or of visitors that are registered."""
    if isinstance(machine, LmaMachine):
        return {binding.entry for binding in bindings(machine)}
    assert isinstance(machine, MagMachine)
    return {
        _entry(visitor, upstream=True) for visitor in visitors(machine) if visitor.state is State.REGISTERED
    }


def may_hold(machine: Machine) -> set[Entry]:
    """Entries that it may have besides: downstream, of those who are being registered (P77)."""
    if not isinstance(machine, MagMachine):
        return set()
    return {
        _entry(visitor, upstream=False)
        for visitor in visitors(machine)
        if visitor.state is State.REGISTERING and visitor.placed
    }


def picture(machine: Machine) -> object:
    """Everything about a machine that no message but an authentic, new one may change; pictures can be compared."""
    if not machine.up:
        return None
    entries = frozenset(machine.plane.snapshot())
    if isinstance(machine, LmaMachine):
        return entries, tuple(machine.engine.bindings), tuple(bindings(machine))
    assert isinstance(machine, MagMachine)
    return entries, tuple(_portrait(visitor) for visitor in visitors(machine))


def _entry(visitor: Visitor, *, upstream: bool) -> AccessEntry:
    entry = visitor.entry(upstream=upstream)
    assert entry is not None, f"{visitor.nai} is {visitor.state.value} without address or tunnel"
    return entry


def _portrait(visitor: Visitor) -> object:
    exchange = visitor.exchange
    on_its_way = None if exchange is None else (tuple(exchange.identifications), exchange.next_try)
    return (
        visitor.key,
        visitor.state,
        visitor.nai,
        visitor.home_address,
        visitor.grant,
        visitor.tunnel,
        visitor.retry_at,
        visitor.check_at,
        visitor.lease_ends,
        on_its_way,
    )
