"""What scenarios are drawn from, subject by subject. Every subject has a stream of chance of its own, named after it: a
new subject leaves the others of a seed as they were.
"""

import random
from collections.abc import Iterable, Iterator

import attrs

from tests.simulation import actions
from tests.simulation.actions import Action
from tests.simulation.scenario import Conditions, Habit, Scenario, Timepiece, lma_name

Chance = random.Random


def stream(seed: int, subject: str) -> Chance:
    """The stream of ``subject``."""
    return Chance(f"{seed}/{subject}")


def general(seed: int, profile: str) -> Scenario:
    """A little of everything."""
    size = stream(seed, "size")
    mags, nodes = size.choice((2, 2, 3)), size.choice((1, 2, 2, 3))
    habits = stream(seed, "habits")
    scenario = Scenario(
        seed=seed,
        profile=profile,
        mags=mags,
        nodes=tuple(
            Habit(talks_every=habits.choice((1.0, 2.0, 5.0)), static=habits.random() < 0.15)
            for _ in range(nodes)
        ),
        conditions=conditions(stream(seed, "conditions")),
        aaa_delay=stream(seed, "aaa").choice(((0.005, 0.05), (0.005, 0.05), (0.1, 1.0), (1.0, 4.0))),
        mag_settings=mag_settings(stream(seed, "mag")),
        lma_settings=lma_settings(stream(seed, "lma")),
        timepieces=timepieces(stream(seed, "clocks"), mags, 2.0),
    )
    plan = stream(seed, "plan")
    happenings = sorted(arrivals(plan, scenario), key=lambda action: action.at)
    happenings += moves(plan, scenario, count=plan.randint(3, 9), gap=(0.1, 6.0))
    happenings += troubles(stream(seed, "troubles"), scenario, count=plan.randint(0, 4))
    happenings += attacks(stream(seed, "attacks"), scenario, count=4)
    return planned(scenario, happenings)


def planned(scenario: Scenario, happenings: Iterable[Action]) -> Scenario:
    return attrs.evolve(scenario, actions=tuple(sorted(happenings, key=lambda action: action.at)))


def conditions(chance: Chance) -> Conditions:
    return Conditions(
        loss=chance.choice((0.0, 0.0, 0.05, 0.2)),
        duplication=chance.choice((0.0, 0.0, 0.1)),
        reordering=chance.choice((0.0, 0.1, 0.3)),
        delay=chance.choice(((0.001, 0.01), (0.005, 0.05), (0.1, 0.4))),
        held_up=chance.choice((0.2, 1.0, 3.0)),
    )


def mag_settings(chance: Chance) -> dict[str, object]:
    return {
        "lifetime": chance.choice((10, 20, 20, 40)),
        "attach_probe_max_age": chance.choice((5.0, 10.0)),
        "reject_hold": chance.choice((2.0, 5.0)),
        "nat_traversal": chance.choice(("auto", "auto", "off", "force")),
        "duplicate_mac": chance.choice(("refuse", "move")),
    }


def lma_settings(chance: Chance) -> dict[str, object]:
    return {
        "max_lifetime": chance.choice((15, 3600)),
        "handover_min_interval": chance.choice((0.3, 1.0, 1.0, 2.0)),
        "address_hold": chance.choice((5.0, 60.0, 3600.0)),
    }


def machines(scenario: Scenario) -> list[str]:
    """Their names, those of LMAs first."""
    lmas = (lma_name(number) for number in range(scenario.lmas))
    return [*lmas, *(f"mag{number}" for number in range(scenario.mags))]


def timepieces(chance: Chance, mags: int, spread: float) -> dict[str, Timepiece]:
    names = ["lma", *(f"mag{number}" for number in range(mags))]
    return {
        name: Timepiece(offset=chance.uniform(-spread, spread), drift=chance.choice((0.0, 0.0, 1e-4, -1e-4)))
        for name in names
    }


def arrivals(chance: Chance, scenario: Scenario) -> Iterator[Action]:
    for node in range(len(scenario.nodes)):
        yield actions.Arrive(
            at=round(chance.uniform(0.0, 2.0), 3), node=node, mag=chance.randrange(scenario.mags), by="dhcp"
        )


def moves(chance: Chance, scenario: Scenario, *, count: int, gap: tuple[float, float]) -> Iterator[Action]:
    """What nodes do, one thing after the other."""
    at = 2.0
    for _ in range(count):
        at = round(at + chance.uniform(*gap), 3)
        node, mag = chance.randrange(len(scenario.nodes)), chance.randrange(scenario.mags)
        kind = chance.random()
        if kind < 0.6:
            by = chance.choice(("data", "data", "reboot", "dhcp"))
            yield actions.Arrive(at=at, node=node, mag=mag, by=by)
            if chance.random() < 0.2:
                late = round(at + chance.uniform(0.0, 2.0), 3)
                yield actions.Stray(at=late, node=node, mag=chance.randrange(scenario.mags))
        elif kind < 0.7:
            yield actions.Release(at=at, node=node)
        elif kind < 0.8:
            yield actions.Sleep(at=at, node=node)
        elif kind < 0.88:
            yield actions.SwitchOff(at=at, node=node)
        elif kind < 0.94:
            yield actions.Claim(at=at, node=node, other=chance.randrange(len(scenario.nodes)))
        else:
            yield actions.Detach(at=at, node=node, mag=mag)


def troubles(chance: Chance, scenario: Scenario, *, count: int) -> Iterator[Action]:
    for _ in range(count):
        at = round(chance.uniform(0.5, 30.0), 3)
        kind = chance.random()
        if kind < 0.35:
            yield crash(chance, at, chance.choice(machines(scenario)))
        elif kind < 0.5:
            names = machines(scenario)
            some = tuple(chance.sample(names, 1 + chance.randrange(len(names) - 1)))
            yield actions.Partition(at=at, machines=some, seconds=round(chance.uniform(0.5, 12.0), 3))
        elif kind < 0.6:
            yield actions.AaaDown(at=at, seconds=round(chance.uniform(1.0, 8.0), 3))
        elif kind < 0.7:
            node = chance.randrange(len(scenario.nodes))
            yield actions.Refuse(at=at, node=node, seconds=round(chance.uniform(1.0, 8.0), 3))
        elif kind < 0.85:
            yield actions.FailInstall(at=at, machine=chance.choice(machines(scenario)))
        else:
            node, mag = chance.randrange(len(scenario.nodes)), chance.randrange(scenario.mags)
            yield actions.Overheard(at=at, node=node, mag=mag, seconds=round(chance.uniform(0.5, 6.0), 3))


def crash(chance: Chance, at: float, machine: str) -> actions.Crash:
    return actions.Crash(
        at=at,
        machine=machine,
        effects=chance.randrange(12),
        seconds=chance.choice((0.05, 1.0, 5.0)),
        silent=chance.random() < 0.5,
    )


def attacks(chance: Chance, scenario: Scenario, *, count: int) -> Iterator[Action]:
    end = max((action.at for action in scenario.actions), default=20.0)
    for _ in range(count):
        trick = chance.choice(("repeat", "repeat", "falsify", "elsewhere"))
        at = round(chance.uniform(1.0, end), 3)
        yield actions.Attack(at=at, trick=trick, choice=chance.randrange(1 << 30))
