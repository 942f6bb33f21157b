"""What holds after every event."""

from typing import TYPE_CHECKING

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.place import Place
from pmip_tw.mobility.tunnels import AnchorKey, Entry
from tests.simulation import roamer, state
from tests.simulation.disks import SLOW
from tests.simulation.machines import LmaMachine, Machine, MagMachine
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.nodes import MobileNode
    from tests.simulation.world import World

BINDING_LATE = 1.0
"""Seconds that a binding may live on: the LMA looks at them once a second."""

BINDING_LATER = BINDING_LATE + 2.0
"""The same if something of its node is being saved when it ends: that is looked at again a second later."""

GRANT_LATE = 1 / 32
"""The same for a MAG's registration."""

INSTANT = 1e-6
"""Sums of seconds are not exact."""


def after_event(world: "World") -> None:
    """All promises that can be broken by what just happened."""
    anew = False
    if world.stirred:
        world.history.note_bindings()
        world.view = state.View(world.lmas, world.mags)
        for machine in world.stirred:
            if machine.up:
                before, machine.held = machine.held, machine.entries()
                anew = anew or machine.held != before
                entries_are_live_state(machine, machine.held)
        world.stirred.clear()
        nothing_outlives_its_lifetime(world)
        one_owner_per_address(world)
        registrations_end_before_bindings(world)
        registrations_have_bindings(world)
        if world.roamer is not None:
            world.roamer.check(state.binding_of(world.lmas[0], roamer.NAI))
    world.traffic.sample(anew=anew)


def entries_are_live_state(machine: Machine, held: set[Entry]) -> None:
    """The packet plane holds what bindings and visitors say, no more and no less."""
    must = state.must_hold(machine)
    if held == must:
        return
    if missing := must - held:
        raise Violation("entries are live state", f"{machine.name} lacks {missing}")
    if surplus := held - must - state.may_hold(machine):
        raise Violation("entries are live state", f"{machine.name} still holds {surplus}")


def nothing_outlives_its_lifetime(world: "World") -> None:
    now = world.monotonic()
    for lma in world.lmas:
        for binding in state.bindings(lma):
            if any(one.deadline + BINDING_LATER < now for one in binding.all):
                raise Violation("nothing outlives its lifetime", f"the binding of {binding.nai!r}")
    for mag in world.mags:
        for visitor in state.visitors(mag):
            if visitor.grant is not None and visitor.grant.ends_at + GRANT_LATE < now:
                raise Violation("nothing outlives its lifetime", f"{visitor.nai} at {mag.name}")


def one_owner_per_address(world: "World") -> None:
    """A home address of a domain of an LMA is one node's."""
    for lma in world.lmas:
        owners: dict[AnchorKey, bytes] = {}
        for binding in state.bindings(lma):
            other = owners.setdefault(binding.key, binding.nai)
            if other != binding.nai:
                raise Violation("an address is one node's", f"{other!r} and {binding.nai!r} are bound to one")


def registrations_end_before_bindings(world: "World") -> None:
    """A MAG never believes longer than the LMA that it serves a node there (M5)."""
    for (lma, nai), binding in world.view.bindings.items():
        for mag in world.mags:
            visitor = world.view.served.get((mag.number, nai))
            if mag.place != binding.place or visitor is None or visitor.grant is None:
                continue
            if visitor.lma != lma:
                continue  # it went elsewhere while this one was silent (P81)
            if visitor.grant.ends_at > binding.deadline + BINDING_LATE:
                raise Violation("a registration ends before its binding", f"{visitor.nai} at {mag.name}")


def registrations_have_bindings(world: "World") -> None:
    """While a MAG serves a node, the LMA has not ended what it granted there; moved is another matter.

    Also a move that nobody was told of because the node had left again before it was durable: its MAG is told then.
    """
    for (number, nai), visitor in world.view.served.items():
        mag, lma = world.mags[number], world.lma_at(visitor.lma)
        if not lma.up or (lma.address, nai) in world.view.bindings:
            continue
        if (lma.address, nai) in world.history.revoked:
            continue  # by the operator, or its lease is over; the MAG is being told (RV21, D31)
        if not mag.promises.knows(visitor.mac):
            continue  # it left, and the disk was full: the MAG has said that a restart would not know
        if visitor.grant is None or visitor.grant.ends_at <= world.monotonic():
            continue  # both end, and the LMA was first to notice
        if world.history.was_told(lma, nai, mag.place):
            continue
        if world.history.was_last_at(lma, nai, mag.place):
            raise Violation("a registration has a binding", f"{nai} at {mag.name}")


def only_what_is_over_is_revoked(world: "World", mag: MagMachine, nai: str) -> None:
    """A revocation ended the service of ``nai``: the LMA must have meant this stay, not one before (RV6, RV16, RV26).

    Where a request is on its way, the LMA may be ahead of the MAG, and one may be ended that just begins anew. So may
    be one that the LMA renewed after that, by a request of the MAG's former life whose answer nobody has waited for.
    """
    visitor = world.view.agreed(mag, nai)
    if visitor is None or visitor.grant is None:
        return
    binding = world.view.bindings[visitor.lma, nai]
    if visitor.exchange is None and binding.registered_at <= visitor.grant.accepted_at:
        raise Violation("only what is over is revoked", f"{nai} is bound at {mag.name}")


def one_move_at_a_time(world: "World", lma: LmaMachine, nai: str) -> None:
    """A binding has moved: not sooner than the interval after it had moved before (P79).

    It was decided before the disk had it, and that is what counts.
    """
    interval = float(world.scenario.lma_settings.get("handover_min_interval", 1.0))  # type: ignore[arg-type]
    since = world.history.moved(lma, nai)
    if since is not None and since < interval - INSTANT - SLOW:
        raise Violation("a node moves once in a while", f"{nai} moved {since:.3f} s after it had moved")


class History:
    """What must be remembered of the past: who had which address from which LMA, and who has moved.

    ``revoked``: (LMA, NAI) whose bindings an operator has ended, and who has none again. LMAs are known by address.
    """

    def __init__(self, world: "World") -> None:
        self.revoked: set[tuple[Ipv4, str]] = set()
        self._world = world
        self._granted: dict[tuple[Ipv4, str, Ipv4], _Granted] = {}
        self._latest: dict[tuple[str, Ipv4], _Granted] = {}
        self._owners: dict[tuple[Ipv4, AnchorKey], str] = {}
        self._places: dict[tuple[Ipv4, str], Place] = {}
        self._told: set[tuple[Ipv4, str, Place]] = set()
        self._moves: dict[tuple[Ipv4, str], float] = {}
        self._hold = float(str(world.scenario.lma_settings.get("address_hold", 3600.0)))

    def configured(self, node: "MobileNode") -> None:
        """``node`` was given its address by DHCP: no other than an LMA had given it (D23)."""
        if (node.nai, node.address) not in self._latest:
            raise Violation("only the LMA gives addresses", f"{node.nai} has one that it was not given")

    def moved(self, lma: LmaMachine, nai: str) -> float | None:
        """Its binding has moved; seconds since it had done so before, None if it had not."""
        now, before = self._world.monotonic(), self._moves.get((lma.address, nai))
        self._moves[lma.address, nai] = now
        return None if before is None else now - before

    def begins_anew(self, lma: LmaMachine, nai: str) -> None:
        """It has a first binding again, which may move at once."""
        self._moves.pop((lma.address, nai), None)

    def was_last_at(self, lma: LmaMachine, nai: str, place: Place) -> bool:
        return self._places.get((lma.address, nai)) == place

    def was_told(self, lma: LmaMachine, nai: str, place: Place) -> bool:
        """Whether it has begun to revoke what it had granted there last."""
        return (lma.address, nai, place) in self._told

    def note_bindings(self) -> None:
        """Of every LMA that has done anything."""
        for lma in self._world.lmas:
            if lma in self._world.stirred:
                for binding in state.bindings(lma):
                    self._note(lma, binding)
                for nai, place in state.revoking(lma):
                    self._told.add((lma.address, nai, place))

    def _note(self, lma: LmaMachine, binding: Binding) -> None:
        nai, address = binding.nai.decode(), binding.home_address
        self._places[lma.address, nai] = binding.place
        self._told.discard((lma.address, nai, binding.place))
        self.revoked.discard((lma.address, nai))
        now = self._world.monotonic()
        granted = _Granted(lma=lma.address, registered_at=binding.registered_at, seen_at=now)
        self._granted[lma.address, nai, address] = granted
        former = self._latest.get((nai, address))
        if former is None or former.registered_at <= binding.registered_at:
            self._latest[nai, address] = granted
        owned = lma.address, binding.key
        if self._owners.get(owned) != nai:
            self._owners[owned] = nai
            for node in self._world.nodes:
                if node.nai != nai and node.address == address and node.domain == binding.key.domain:
                    self._may_be_taken_from(node, lma)

    def _may_be_taken_from(self, node: "MobileNode", lma: LmaMachine) -> None:
        """Another node was given the address that ``node`` still has configured."""
        granted = self._latest.get((node.nai, node.address))
        if granted is not None and granted.lma != lma.address:
            return  # it has that of another home link, and they meet nowhere (P43)
        if granted is None or granted.seen_at + self._hold <= self._world.monotonic():
            return  # it slept for longer than its address is held (P80)
        if self._is_short(lma):
            return  # the pool was empty otherwise (P80)
        raise Violation("an address is configured once", f"that of {node.nai} was given to another")

    def _is_short(self, lma: LmaMachine) -> bool:
        """Whether all addresses of an LMA are in use, or held for who had them, in its only domain."""
        since = self._world.monotonic() - self._hold - BINDING_LATE
        gone = {
            address
            for (of, _, address), granted in self._granted.items()
            if of == lma.address and granted.seen_at > since
        }
        gone |= {address for _, address in self._world.static}
        # All but those of network, gateway and broadcast.
        return len(gone) >= 2 ** (32 - self._world.scenario.prefix_length) - 3


@attrs.frozen(slots=True, kw_only=True)
class _Granted:
    """``seen_at``: when the LMA was last seen to hold the binding, monotonic."""

    lma: Ipv4
    registered_at: float
    seen_at: float
