"""The smallest scenario that breaks the same promise: parts are left out for as long as it does."""

from collections.abc import Callable, Iterator

import attrs

from tests.simulation.run import Outcome, run
from tests.simulation.scenario import Conditions, Scenario

MOST_RUNS = 120
"""A few seconds."""

Fails = Callable[[Scenario], bool]


def smallest(outcome: Outcome, scenario: Scenario) -> Scenario:
    """``scenario``, whose run had ``outcome``, with fewer events, nodes, MAGs and misfortunes."""
    runs = 0

    def fails(candidate: Scenario) -> bool:
        nonlocal runs
        runs += 1
        return runs <= MOST_RUNS and run(candidate).promise == outcome.promise

    before = None
    while before != scenario:
        before = scenario
        scenario = _fewer_actions(scenario, fails)
        for candidate in _gentler(scenario):
            if fails(candidate):
                scenario = candidate
                break
    return scenario


def _fewer_actions(scenario: Scenario, fails: Fails) -> Scenario:
    """Halves first, then less and less, down to single ones."""
    size = max(1, len(scenario.actions) // 2)
    while True:
        at = 0
        while at < len(scenario.actions):
            rest = scenario.actions[:at] + scenario.actions[at + size :]
            candidate = attrs.evolve(scenario, actions=rest)
            if fails(candidate):
                scenario = candidate
            else:
                at += size
        if size == 1:
            return scenario
        size = max(1, size // 2)


def _gentler(scenario: Scenario) -> Iterator[Scenario]:
    """One thing less each, the most telling first."""
    calm = Conditions()
    for name in ("loss", "duplication", "reordering", "delay", "held_up"):
        if getattr(scenario.conditions, name) != getattr(calm, name):
            changed = attrs.evolve(scenario.conditions, **{name: getattr(calm, name)})
            yield attrs.evolve(scenario, conditions=changed)
    for name in scenario.timepieces:
        others = {other: piece for other, piece in scenario.timepieces.items() if other != name}
        yield attrs.evolve(scenario, timepieces=others)
    for role in ("mag_settings", "lma_settings"):
        settings = getattr(scenario, role)
        for name in settings:
            yield attrs.evolve(scenario, **{role: {key: settings[key] for key in settings if key != name}})
    if scenario.aaa_delay != (0.01, 0.05):
        yield attrs.evolve(scenario, aaa_delay=(0.01, 0.05))
    mentioned = repr(scenario.actions)
    if len(scenario.nodes) > 1 and f"node={len(scenario.nodes) - 1}" not in mentioned:
        yield attrs.evolve(scenario, nodes=scenario.nodes[:-1])
    if scenario.mags > 1 and f"mag={scenario.mags - 1}" not in mentioned:
        yield attrs.evolve(scenario, mags=scenario.mags - 1)
