"""What holds when nothing more goes wrong: first with everybody there, then when everybody has gone."""

from typing import TYPE_CHECKING

from tests.simulation import state
from tests.simulation.machines import LmaMachine
from tests.simulation.radius.calm import accounts_are_closed, everybody_is_asked_again, examined, heals
from tests.simulation.radius.house import House
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.nodes import MobileNode
    from tests.simulation.world import World

BACK_OFF = 34.0
"""Seconds until the last retransmission of before has had its answer (M8)."""

PRE_TUNNEL = 75.0
"""Seconds: a tunnel for DHCP lives for 60 from the last request for it, of which there may be some for 15 (N49)."""

SLACK = 8.0
"""Probes, a de-registration, another attachment and its registration."""

UNHURRIED = 3.0
"""Seconds between two packets of a node, at least: nothing is learnt from more of them."""

LOOK_EVERY = 4.0
"""Seconds between two looks whether all is settled."""

NAT_HEALS = 26.0
"""Seconds: a node says something once in 10, is suspicious for 5 (N59), asks for 3, and has its registration; or the
next keepalive is due after 12, and is not answered for 6; then all are registered anew within 5 (N40)."""

HIDDEN_BY_DHCP = 18.0
"""Seconds more: a registered node that asks by DHCP has a tunnel of its own for that, out of which the answer comes as
if nothing were wrong. The next keepalive is due after 12 again, and is not answered for 6."""

SHORTEST_LEASE = 60.0
"""D19: a node may have to wait for the end of its lease to hear that it has another address."""


def calm(world: "World") -> None:
    """Networks are whole, machines run; after the longest lifetime at most everybody is where he should be, and stays
    there for another.
    """
    network = world.network
    network.loss = network.duplication = network.reordering = 0.0
    network.heal()
    world.aaa.comes_back()
    world.aaa.refused.clear()
    for lma in world.lmas:
        lma.disk_is_well()
    for machine in world.machines:
        machine.fuse.never_mind()
        machine.plane.never_mind()
    for node in world.nodes:
        node.no_longer_overheard()
        if node.where is not None and node.supplicant is not None and node.supplicant.logged_off:
            node.supplicant.start()
        node.pace = max(2.0, UNHURRIED / node.habit.talks_every)
    # Only who is told that its address is another one now may have to wait for its lease to end.
    left = _patience(world) + SHORTEST_LEASE
    while left > 0 and not _is_settled(world):
        world.run_for(LOOK_EVERY)
        left -= LOOK_EVERY
    _nats_are_restarted(world)
    world.run_for(_lifetime(world))
    if isinstance(world.aaa, House):
        everybody_is_asked_again(world, world.aaa)
    _everybody_is_served(world)
    for machine in world.machines:
        machine.ledger.audit()


def _nats_are_restarted(world: "World") -> None:
    """Who is behind one is not without service until his next registration."""
    for mag in world.mags:
        if mag.nat is not None:
            mag.nat.forget()
    if world.scenario.nats:
        world.run_for(
            NAT_HEALS + (HIDDEN_BY_DHCP if world.scenario.mag_settings.get("dhcp") == "tunnel" else 0)
        )
        try:
            _everybody_is_served(world)
        except Violation as violation:
            raise Violation("a NAT may be restarted", violation.seen) from violation


def silence(world: "World") -> None:
    """When all nodes are gone, nothing is left of them, on either side."""
    for node in world.nodes:
        node.switch_off()
    world.run_for(_patience(world))
    for machine in world.machines:
        if machine.plane.snapshot():
            raise Violation("everything ends", f"{machine.name} still holds {machine.plane.snapshot()}")
        if machine.plane.open_for_dhcp:
            seen = f"{machine.name} still waits for DHCP from {machine.plane.open_for_dhcp}"
            raise Violation("everything ends", seen)
        left = list(state.bindings(machine)) if isinstance(machine, LmaMachine) else []
        if left:
            raise Violation("everything ends", f"bindings are left: {left}")
    if isinstance(world.aaa, House):
        accounts_are_closed(world, world.aaa)
    for mag in world.mags:
        if visitors := [visitor.nai for visitor in state.visitors(mag)]:
            raise Violation("everything ends", f"{mag.name} still has {visitors}")


def _is_settled(world: "World") -> bool:
    """Everybody is served, and nobody waits for an answer or to be repeated."""
    try:
        _everybody_is_served(world)
    except Violation:
        return False
    return not any(state.is_busy(machine) for machine in world.machines)


def _everybody_is_served(world: "World") -> None:
    for node in world.nodes:
        if not node.deserves_service:
            continue
        if node.where is not None:
            _is_served(world, node)
        _nowhere_else(world, node)


def _is_served(world: "World", node: "MobileNode") -> None:
    """At the MAG where it is, at that one alone, with the address that it has."""
    assert node.where is not None
    mag = world.mags[node.where]
    visitor = state.serves(mag, node.nai)
    binding = next(
        (
            state.binding_of(lma, node.nai)
            for lma in world.lmas
            if visitor is not None and lma.address == visitor.lma
        ),
        None,
    )
    if binding is None and _is_short(world, node):
        return  # there are more nodes than addresses (H10)
    if visitor is None or binding is None:
        raise Violation("who is there is served", f"{node.nai} at {mag.name}: {visitor}, {binding}")
    if binding.place != mag.place:
        raise Violation("who is there is served", f"{node.nai} is at {mag.name}, its binding elsewhere")
    if world.view.agreed(mag, node.nai) is not visitor:
        seen = f"{mag.name} {visitor.tunnel}, the LMA {binding.tunnel}"
        raise Violation("who is there is served", f"{node.nai} is in a tunnel that has one end: {seen}")
    if not node.address == visitor.home_address == binding.home_address:
        seen = f"{node.nai} believes {node.address:#x}, {mag.name} {visitor.home_address:#x}"
        raise Violation("who is there has its address", f"{seen}, the LMA {binding.home_address:#x}")


def _is_short(world: "World", node: "MobileNode") -> bool:
    """Others have every address that it might have; one of its own, which its MAG has not heard of, is not lost."""
    lmas = [world.lmas[number] for number in node.habit.lmas]
    return all(_no_address_left(world, lma) and state.binding_of(lma, node.nai) is None for lma in lmas)


def _no_address_left(world: "World", lma: LmaMachine) -> bool:
    """All but those of network, gateway and broadcast."""
    return len(list(state.bindings(lma))) == 2 ** (32 - world.scenario.prefix_length) - 3


def _nowhere_else(world: "World", node: "MobileNode") -> None:
    for mag in world.mags:
        visitor = state.visitor_of(mag, node.nai)
        if mag.number != node.where and visitor is not None:
            raise Violation(
                "one MAG serves a node", f"{node.nai} is also {visitor.state.value} at {mag.name}"
            )


def _patience(world: "World") -> float:
    settings = world.scenario.mag_settings
    silent, held_off = settings.get("attach_probe_max_age", 30), settings.get("reject_hold", 30)
    ends = BACK_OFF + _lifetime(world) + float(silent) + float(held_off)  # type: ignore[arg-type]
    if isinstance(world.aaa, House):
        ends += heals(world.aaa) + examined(world.scenario)
    return max(ends, PRE_TUNNEL if settings.get("dhcp") == "tunnel" else 0.0) + SLACK


def _lifetime(world: "World") -> float:
    return float(world.scenario.mag_settings.get("lifetime", 1800))  # type: ignore[arg-type]
