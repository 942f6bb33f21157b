"""What holds of RADIUS when nothing more goes wrong."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pmip_tw.aaa.radius.outcome import AUTHENTICATION
from pmip_tw.addresses import Mac
from pmip_tw.mag.authentication.access_policy import AccessPolicy
from tests.simulation.radius.client import settings_of
from tests.simulation.radius.house import House
from tests.simulation.radius.settings import found_again, longest_question
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.machines import Machine, MagMachine
    from tests.simulation.scenario import Scenario
    from tests.simulation.world import World

TURNS = 3
"""Requests for each server: one that comes while a Status-Server is on its way does not find out."""

MOST_PAUSES, LOOK_EVERY = 100.0, 5.0
"""Seconds: what nobody has taken is told once more after 30 at most, and asking takes its time."""

_SOMEBODY = Mac(b"\x02\xee\0\xff\0\0")


def heals(house: House) -> float:
    """Seconds until what was asked before has an answer, or is asked anew."""
    settings = settings_of(house.settings, "any")
    return longest_question(settings, house.settings.count, 10.0) + found_again(settings)


def examined(scenario: "Scenario") -> float:
    """Seconds more, where nodes are examined by EAP: it failed once, in the middle, and is begun anew in a while."""
    access = scenario.mag_settings.get("access")
    if not isinstance(access, AccessPolicy):
        return 0.0
    times = access.dot1x.times
    return 2 * (times.quiet_period + times.tx_period * times.max_tries + times.server_timeout)


def everybody_is_asked_again(world: "World", house: House) -> None:
    """Servers that are back are found, those that Status-Server tells about by that, and others by requests."""
    settings = settings_of(house.settings, "any")
    world.run_for(found_again(settings))
    for mag in world.mags:
        for turn in range(TURNS * len(house.servers)):
            before = mag.aaa.answers
            mag.aaa.ask(_SOMEBODY)
            world.run_for(settings.timeout * (1 + settings.tries + turn / 7))
            if mag.aaa.answers != before + 1:
                raise Violation("who asks is answered", f"{mag.name}: {mag.aaa.outcomes[-1:]}")
            if not _dead(mag):
                break
        if dead := _dead(mag):
            raise Violation("who is back is asked", f"{mag.name}: {dead}")


def accounts_are_closed(world: "World", house: House) -> None:
    """Everybody has gone: everything is told, and adds up."""
    if not house.settings.accounting:
        return
    left = MOST_PAUSES
    while left > 0 and any(_waiting(machine) for machine in world.machines):
        world.run_for(LOOK_EVERY)
        left -= LOOK_EVERY
    for machine in world.machines:
        if waiting := _waiting(machine):
            raise Violation("every record is taken", f"{waiting} wait at {machine.name}")
    house.books.balance(world)


def _waiting(machine: "Machine") -> int:
    return machine.aaa.kept.waiting


def _dead(mag: "MagMachine") -> list[Mapping[str, object]]:
    """Of those for authentication: the others find out with the next record."""
    return [
        row
        for row in mag.aaa.client.servers()
        if row["purposes"] == AUTHENTICATION and row["state"] not in ("alive", "untried")
    ]
