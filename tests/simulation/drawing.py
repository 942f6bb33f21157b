"""A scenario from a seed: its profile, a kind of world, changes the general one where it has a point to make."""

from collections.abc import Callable, Iterator

import attrs

from pmip_tw.mobility.tunnels import Encapsulation
from tests.simulation import actions
from tests.simulation.access_networks import ack_trigger, independent, nats, tunnel
from tests.simulation.actions import Action
from tests.simulation.radius.profiles import access_points, accounting, radius, supplicants
from tests.simulation.scenario import DOMAINS, Conditions, Habit, Scenario, Timepiece
from tests.simulation.subjects import (
    Chance,
    arrivals,
    attacks,
    crash,
    general,
    machines,
    moves,
    planned,
    stream,
)

SILENT = 1e5
"""Seconds between the packets of a node that only answers; so does a printer, or a meter."""


def draw(seed: int, profile: str | None = None) -> Scenario:
    """What ``seed`` stands for in ``profile``; without one the profiles come in turn: seed 0, 1, 2, ..."""
    chosen = profile or list(PROFILES)[seed % len(PROFILES)]
    return PROFILES[chosen](general(seed, chosen), stream(seed, chosen))


def _general(scenario: Scenario, chance: Chance) -> Scenario:
    """A little of everything."""
    return scenario


def _quick_returns(scenario: Scenario, chance: Chance) -> Scenario:
    """Nodes are back at a MAG within a second, while revocations of their former stay are still on their way (RV6)."""
    nodes = range(len(scenario.nodes))
    happenings: list[Action] = [*arrivals(chance, scenario)]
    at = 3.0
    for _ in range(chance.randint(1, 3)):
        node, home = chance.choice(nodes), chance.randrange(scenario.mags)
        away = (home + 1) % scenario.mags
        for mag in (home, away, home, away, home, away, home)[: chance.randint(3, 7)]:
            happenings.append(actions.Arrive(at=round(at, 3), node=node, mag=mag))
            at += chance.uniform(0.05, 0.9)
        at += chance.uniform(0.5, 2.0)
    return attrs.evolve(
        planned(scenario, [*happenings, *attacks(chance, scenario, count=3)]),
        nodes=tuple(attrs.evolve(habit, talks_every=0.4) for habit in scenario.nodes),
        conditions=Conditions(
            loss=chance.choice((0.1, 0.3)),
            duplication=0.2,
            reordering=0.6,
            delay=chance.choice(((0.005, 0.05), (0.05, 0.4), (0.2, 0.6))),
            held_up=chance.choice((1.0, 2.0)),
        ),
        aaa_delay=(0.005, 0.02),
        lma_settings={**scenario.lma_settings, "handover_min_interval": chance.choice((0.0, 0.1))},
    )


def _clocks_ahead(scenario: Scenario, chance: Chance) -> Scenario:
    """A fleet whose clocks are ahead, some by more than the LMA takes (P33)."""
    timepieces = {
        f"mag{number}": Timepiece(
            offset=chance.choice((0.0, chance.uniform(3.0, 7.0), chance.uniform(7.0, 60.0))),
            drift=chance.choice((0.0, 1e-3, -1e-3)),
        )
        for number in range(scenario.mags)
    }
    return attrs.evolve(scenario, timepieces=timepieces)


def _same_mac(scenario: Scenario, chance: Chance) -> Scenario:
    """Two MAGs hear the same MAC for longer than a moment (P79)."""
    happenings: list[Action] = []
    for at in (4.0, 12.0):
        node, mag = chance.randrange(len(scenario.nodes)), chance.randrange(scenario.mags)
        begins = round(at + chance.uniform(0, 5), 3)
        seconds = round(chance.uniform(2.0, 12.0), 3)
        happenings.append(actions.Overheard(at=begins, node=node, mag=mag, seconds=seconds))
    nodes = tuple(attrs.evolve(habit, talks_every=chance.choice((0.3, 1.0))) for habit in scenario.nodes)
    return attrs.evolve(planned(scenario, [*scenario.actions, *happenings]), nodes=nodes)


def _heavy_loss(scenario: Scenario, chance: Chance) -> Scenario:
    conditions = Conditions(
        loss=chance.uniform(0.3, 0.6), duplication=0.2, reordering=0.3, delay=(0.01, 0.3), held_up=2.0
    )
    return attrs.evolve(scenario, conditions=conditions)


def _partitions(scenario: Scenario, chance: Chance) -> Scenario:
    """The LMA is out of reach of some or all, for longer than revocations are repeated at times (RV23)."""
    happenings: list[Action] = []
    for at in (3.0, 15.0, 25.0):
        lost = tuple(name for name in machines(scenario)[1:] if chance.random() < 0.6) or ("lma",)
        seconds = chance.choice((2.0, 9.0, 40.0))
        begins = round(at + chance.uniform(0.0, 8.0), 3)
        happenings.append(actions.Partition(at=begins, machines=lost, seconds=seconds))
    return planned(scenario, [*scenario.actions, *happenings])


def _outages(scenario: Scenario, chance: Chance) -> Scenario:
    """The LMA is out of reach or dead for longer than a lifetime, and some nodes have nothing to say (P15, P81).

    These stay where they are until they are off: a MAG may ask for a node up to ``attach_probe_max_age`` after it has
    moved away, and only its next packet says where it is.
    """
    silent = [number for number, habit in enumerate(scenario.nodes) if habit.static or chance.random() < 0.5]
    nodes = tuple(
        attrs.evolve(habit, talks_every=SILENT) if number in silent else habit
        for number, habit in enumerate(scenario.nodes)
    )
    happenings: list[Action] = list(arrivals(chance, scenario))
    for action in scenario.actions:
        if isinstance(action, actions.Sleep | actions.SwitchOff | actions.Attack) or (
            isinstance(action, actions.Arrive | actions.Release) and action.node not in silent
        ):
            happenings.append(action)
    away = chance.choice((1.2, 2.0, 4.0)) * int(str(scenario.mag_settings["lifetime"]))
    at = round(chance.uniform(3.0, 20.0), 3)
    if chance.random() < 0.3:
        silently = chance.random() < 0.5
        happenings.append(actions.Crash(at=at, machine="lma", effects=0, seconds=away, silent=silently))
    else:
        lost = tuple(f"mag{number}" for number in range(scenario.mags) if chance.random() < 0.7)
        happenings.append(actions.Partition(at=at, machines=lost or ("lma",), seconds=away))
    return attrs.evolve(planned(scenario, happenings), nodes=nodes)


def _crashes(scenario: Scenario, chance: Chance) -> Scenario:
    """Every few seconds a process dies, at any of its effects."""
    happenings = [
        crash(chance, round(at + chance.uniform(0.0, 3.0), 3), chance.choice(machines(scenario)))
        for at in range(1, 30, 5)
    ]
    return planned(scenario, [*scenario.actions, *happenings])


def _disks(scenario: Scenario, chance: Chance) -> Scenario:
    """Machines die, their disks are full at times, and they begin with what they had saved."""
    names = ("lma", "lma", *machines(scenario))
    happenings: list[Action] = [
        crash(chance, round(at + chance.uniform(0.0, 4.0), 3), chance.choice(names)) for at in (2, 9, 16, 23)
    ]
    happenings += [
        actions.DiskFull(
            at=round(at + chance.uniform(0.0, 6.0), 3),
            machine=chance.choice(names),
            seconds=chance.choice((0.5, 3.0)),
        )
        for at in (4.0, 14.0)
    ]
    more = attacks(chance, scenario, count=10)
    return planned(scenario, [*scenario.actions, *happenings, *more])


def _clock_steps(scenario: Scenario, chance: Chance) -> Scenario:
    """Somebody sets clocks, by seconds or by hours, forward or back."""
    happenings: list[Action] = [
        actions.SetClock(
            at=round(at + chance.uniform(0.0, 6.0), 3),
            machine=chance.choice(machines(scenario)),
            seconds=chance.choice((-1, 1)) * chance.choice((2.0, 6.0, 20.0, 400.0, 7200.0)),
        )
        for at in (3.0, 10.0, 18.0)
    ]
    return planned(scenario, [*scenario.actions, *happenings])


def _short_of_addresses(scenario: Scenario, chance: Chance) -> Scenario:
    """Nodes come one after the other, and there are more of them than addresses, or hardly less (P80)."""
    nodes = (Habit(talks_every=4.0),) * chance.randint(4, 7)
    scenario = attrs.evolve(
        scenario,
        nodes=nodes,
        prefix_length=chance.choice((24, 29, 29)),
        lma_settings={**scenario.lma_settings, "address_hold": chance.choice((0.0, 10.0, 60.0))},
    )
    return planned(scenario, [*_comings_and_goings(chance, scenario), *attacks(chance, scenario, count=3)])


def _comings_and_goings(chance: Chance, scenario: Scenario) -> Iterator[Action]:
    """The second half comes when bindings of those who fell asleep have ended."""
    nodes, at = len(scenario.nodes), 0.0
    for node in range(nodes):
        if node == nodes // 2:
            at += chance.uniform(10.0, 40.0)
        at = round(at + chance.uniform(0.5, 3.0), 3)
        yield actions.Arrive(at=at, node=node, mag=chance.randrange(scenario.mags), by="dhcp")
        if node and chance.random() < 0.7:
            kind = chance.choice((actions.Sleep, actions.Sleep, actions.Release, actions.SwitchOff))
            yield kind(at=round(at + chance.uniform(0.1, 3.0), 3), node=chance.randrange(node))
    for move in moves(chance, scenario, count=4, gap=(0.5, 4.0)):
        yield attrs.evolve(move, at=round(move.at + at, 3))


def _ways_to_register(scenario: Scenario, chance: Chance) -> Scenario:
    """Keys of MAGs beside those of nodes, foreign agents' care-of addresses, and all kinds of tunnels."""
    encapsulation = chance.choice(list(Encapsulation))
    settings = {
        **scenario.mag_settings,
        "colocated": chance.random() < 0.5,
        "encapsulation": encapsulation,
        "gre_key": chance.choice(("none", "lma", "own")) if encapsulation is Encapsulation.GRE else "none",
        "gre_key_with_d": True,
        "host_configuration": chance.random() < 0.3,
        "send_identifiers": chance.random() < 0.3,
        "on_revoke": chance.choice(("none", "dhcp_nak")),
    }
    return attrs.evolve(
        scenario,
        proofs=tuple(chance.choice(("per-mn", "fa-ha", "both")) for _ in range(scenario.mags)),
        mag_settings=settings,
        lma_settings={
            **scenario.lma_settings,
            "max_bindings": chance.choice((1, 1, 3)),
            "revocation_inform": chance.random() < 0.5,
        },
    )


def _upkeep(scenario: Scenario, chance: Chance) -> Scenario:
    """Operators revoke, and the addresses of MAGs change (RV21, P82); tunnels are watched (P81)."""
    happenings: list[Action] = [
        actions.Revoke(at=round(chance.uniform(3.0, 25.0), 3), node=chance.randrange(len(scenario.nodes)))
        for _ in range(chance.randint(0, 3))
    ]
    happenings += [
        actions.Renumber(
            at=round(chance.uniform(3.0, 25.0), 3),
            mag=chance.randrange(scenario.mags),
            number=chance.choice((20, 30)),
        )
        for _ in range(chance.randint(0, 3))
    ]
    settings = {**scenario.mag_settings, "liveness": chance.random() < 0.7, "liveness_interval": 5.0}
    return attrs.evolve(planned(scenario, [*scenario.actions, *happenings]), mag_settings=settings)


def _two_lmas(scenario: Scenario, chance: Chance) -> Scenario:
    """AAA names one LMA or both, and one is down or out of reach for longer than a lifetime (P81). Their home links
    have the same prefix, so that nodes with one address meet at a MAG (P43, P44).
    """
    happenings: list[Action] = []
    for at in (3.0, 14.0):
        lost, seconds = chance.choice(("lma", "lma1")), chance.choice((3.0, 15.0, 45.0))
        begins = round(at + chance.uniform(0.0, 8.0), 3)
        if chance.random() < 0.5:
            happenings.append(actions.Partition(at=begins, machines=(lost,), seconds=seconds))
        else:
            dies = actions.Crash(
                at=begins, machine=lost, effects=0, seconds=seconds, silent=chance.random() < 0.5
            )
            happenings.append(dies)
    settings = {**scenario.mag_settings, "liveness": chance.random() < 0.7, "liveness_interval": 5.0}
    if settings["lifetime"] == 40:
        settings["lifetime"] = 20
    return attrs.evolve(
        planned(scenario, [*scenario.actions, *happenings]),
        lmas=2,
        nodes=tuple(
            attrs.evolve(habit, lmas=chance.choice(((0, 1), (1, 0), (0,), (1,)))) for habit in scenario.nodes
        ),
        mag_settings=settings,
    )


def _address_spaces(scenario: Scenario, chance: Chance) -> Scenario:
    """Two realms have the same addresses; GRE keys tell their packets apart (P45, P85)."""
    return attrs.evolve(
        scenario,
        nodes=tuple(attrs.evolve(habit, realm=chance.choice(tuple(DOMAINS))) for habit in scenario.nodes),
        mag_settings={
            **scenario.mag_settings,
            "encapsulation": Encapsulation.GRE,
            "gre_key": chance.choice(("lma", "own")),
            "gre_key_with_d": True,
        },
    )


def _dynamic_lma(scenario: Scenario, chance: Chance) -> Scenario:
    """MAGs ask the first LMA which one to use; it keeps some realms and sends others to the second (RFC 4433, DY7)."""
    happenings = [
        crash(chance, round(at + chance.uniform(0.0, 8.0), 3), chance.choice(("lma", "lma1")))
        for at in (4.0, 16.0)
    ]
    return attrs.evolve(
        planned(scenario, [*scenario.actions, *happenings]),
        lmas=2,
        redirected=chance.choice((("blue.example",), tuple(DOMAINS))),
        nodes=tuple(attrs.evolve(habit, realm=chance.choice(tuple(DOMAINS))) for habit in scenario.nodes),
        mag_settings={
            **scenario.mag_settings,
            "dynamic_home_agent": True,
            "encapsulation": Encapsulation.GRE,
            "gre_key": "lma",
            "gre_key_with_d": True,
        },
        lma_settings={**scenario.lma_settings, "dynamic_home_agent": True},
    )


def _simultaneous(scenario: Scenario, chance: Chance) -> Scenario:
    """Beside the nodes of the MAGs a host that does Mobile IP itself, and is at several places at once (L3, L4).

    The packet plane of its LMA takes all entries: one that could not hold less than it does would be none of ours.
    """
    possible = [
        action
        for action in scenario.actions
        if not (isinstance(action, actions.FailInstall) and action.machine == "lma")
    ]
    happenings = [
        actions.Roam(
            at=round(chance.uniform(0.5, 30.0), 3),
            place=chance.randrange(3),
            lifetime=chance.choice((0, 5, 20, 20)),
            beside=chance.random() < 0.8,
        )
        for _ in range(chance.randint(4, 14))
    ]
    return attrs.evolve(
        planned(scenario, [*possible, *happenings]),
        lma_settings={**scenario.lma_settings, "max_bindings": chance.choice((1, 2, 3))},
    )


PROFILES: dict[str, Callable[[Scenario, Chance], Scenario]] = {
    "general": _general,
    "quick-returns": _quick_returns,
    "clocks-ahead": _clocks_ahead,
    "same-mac": _same_mac,
    "heavy-loss": _heavy_loss,
    "partitions": _partitions,
    "outages": _outages,
    "crashes": _crashes,
    "disks": _disks,
    "clock-steps": _clock_steps,
    "short-of-addresses": _short_of_addresses,
    "ways-to-register": _ways_to_register,
    "upkeep": _upkeep,
    "two-lmas": _two_lmas,
    "address-spaces": _address_spaces,
    "dynamic-lma": _dynamic_lma,
    "independent": independent,
    "ack-trigger": ack_trigger,
    "nats": nats,
    "tunnel": tunnel,
    "simultaneous": _simultaneous,
    "radius": radius,
    "supplicants": supplicants,
    "accounting": accounting,
    "access-points": access_points,
}
