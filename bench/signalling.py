"""What a registration costs an LMA, beside a bare echo and two well-known servers, interleaved in one run."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import attrs

from bench import subjects
from bench.cores import stolen
from bench.effort import Effort
from bench.freeradius import FreeRadius
from bench.generator import sink_rate
from bench.kea import Kea
from bench.lma import PROVIDER, Lma
from bench.overload import Overloads, overloads
from bench.population import FORGED_OF, Population
from bench.report import Report, progress
from bench.sample import Sample
from bench.server import Server
from bench.standard import Echo
from bench.subjects import Subject
from bench.world import Place, file_system
from pmip_tw.lab.programs import available

KEYS = (
    "renewal_vs_echo",
    "renewal_memory_vs_echo",
    "new_vs_renewal",
    "handover_vs_renewal",
    "durable_cost",
    "vs_freeradius",
    "vs_kea",
    "p50_ms",
    "timer_p99_ms_at_2x_overload",
    "goodput_at_2x_overload",
)

MOST_FRESH = 5_000
"""First registrations in a round."""

_WARM_UP = 500

Rounds = list[dict[str, Sample]]


@attrs.define(slots=True, kw_only=True)
class Bench:
    """The servers of a run, all started; only one at a time is asked anything."""

    echo: Echo
    lma: Population
    subjects: list[Subject]
    notes: list[str]


def signalling(place: Place, effort: Effort) -> Report:
    """The whole run. ServerError: a server does not come up, or refuses what it should accept."""
    report = Report(KEYS, place.machine)
    report.raw |= {"provider": PROVIDER, "nodes": effort.nodes, "journal_on": file_system(place.directory)}
    before, began = stolen(), time.monotonic()
    with _running(place, effort) as bench:
        report.notes += bench.notes
        rounds = _rounds(bench.subjects, effort)
        loads = overloads(bench.echo, bench.lma, _cost(rounds, "renewal"), _cost(rounds, "echo"), effort)
        message = bench.lma.renewals(1)[0][0]
        report.raw["message_octets"] = len(message)
        report.raw["generator_limit_per_second"] = round(sink_rate(message, bench.echo.address))
    report.raw["stolen_cores"] = (stolen() - before) / (time.monotonic() - began)
    _tell_costs(report, rounds)
    _tell_overload(report, loads)
    return report


@contextmanager
def _running(place: Place, effort: Effort) -> Iterator[Bench]:
    started: list[Server] = []
    notes: list[str] = []

    def start(what: Lma | Echo | FreeRadius | Kea) -> None:
        progress(f"starting {what.name}")
        what.start()
        started.append(what.server)

    fresh = (effort.rounds + 2) * MOST_FRESH
    lma = Lma(place, 0, effort.nodes + fresh, durable=True)
    try:
        echo = Echo(place, 4)
        start(echo)
        start(lma)
        population = _filled(lma, effort)
        start(in_memory := Lma(place, 1, effort.nodes, durable=False))
        measured = [
            subjects.echo(echo, population),
            subjects.renewals(population),
            subjects.renewals(_filled(in_memory, effort), "renewal_memory"),
            subjects.fresh(population, MOST_FRESH),
            subjects.handovers(population),
            subjects.forgeries(population),
        ]
        if available(FreeRadius.program):
            start(radius := FreeRadius(place, 2))
            measured.append(subjects.freeradius(radius))
        else:
            notes.append("freeradius is not installed")
        if available(Kea.program):
            start(kea := Kea(place, 3, effort.nodes))
            measured.append(subjects.kea(kea))
        else:
            notes.append("kea-dhcp4 is not installed")
        yield Bench(echo=echo, lma=population, subjects=measured, notes=notes)
    finally:
        for server in started:
            server.stop(within=10)


def _filled(lma: Lma, effort: Effort) -> Population:
    progress(f"registering {effort.nodes} nodes")
    population = Population(lma, effort.nodes)
    population.fill()
    return population


def _rounds(measured: list[Subject], effort: Effort) -> Rounds:
    """One sample of each subject after the other, and all again: what disturbs the machine disturbs all."""
    numbers = {}
    for subject in measured:
        progress(f"warming up: {subject.name}")
        microseconds = subject.measure(_WARM_UP).microseconds
        if subject.name == "forged":
            microseconds /= FORGED_OF
        numbers[subject.name] = max(64, round(effort.seconds * 1e6 / max(microseconds, 1)))
    rounds: Rounds = []
    for turn in range(effort.rounds):
        rounds.append({})
        for subject in measured:
            found = rounds[turn][subject.name] = subject.measure(numbers[subject.name])
            void = f" VOID: {found.void}" if found.void else ""
            progress(f"round {turn + 1}: {subject.name} {found.microseconds:.1f} us{void}")
    return rounds


def _tell_costs(report: Report, rounds: Rounds) -> None:
    for name in rounds[0]:
        if name != "forged":
            report.raw[f"{name}_us"] = _cost(rounds, name)
    report.raw["forged_us"] = _of_valid(
        rounds,
        lambda turn: (turn["forged"].microseconds - turn["renewal"].microseconds) / (FORGED_OF - 1),
        "forged",
        "renewal",
    )
    report.raw["busy"] = {
        name: {
            "server": median(one[name].server for one in rounds),
            "generator": median(one[name].generator for one in rounds),
        }
        for name in rounds[0]
    }
    report.raw["rounds"] = [{name: one.microseconds for name, one in turn.items()} for turn in rounds]
    report.void += [
        f"round {number}: {name}: {one.void}"
        for number, turn in enumerate(rounds, 1)
        for name, one in turn.items()
        if one.void
    ]
    report.keys |= {
        "renewal_vs_echo": _ratio(rounds, "echo", "renewal"),
        "renewal_memory_vs_echo": _ratio(rounds, "echo", "renewal_memory"),
        "new_vs_renewal": _ratio(rounds, "renewal", "new"),
        "handover_vs_renewal": _ratio(rounds, "renewal", "handover"),
        "durable_cost": _ratio(rounds, "renewal", "renewal_memory"),
        "vs_freeradius": _ratio(rounds, "freeradius", "renewal"),
        "vs_kea": _ratio(rounds, "kea", "renewal"),
    }


def _tell_overload(report: Report, loads: Overloads) -> None:
    report.void += loads.void
    report.raw |= loads.raw
    report.keys["p50_ms"] = loads.p50_ms
    report.keys["timer_p99_ms_at_2x_overload"] = loads.timer_p99_ms
    report.keys["goodput_at_2x_overload"] = loads.goodput


def _cost(rounds: Rounds, name: str) -> float | None:
    """Microseconds of the server for one message, the median of the rounds that are valid."""
    return _of_valid(rounds, lambda one: one[name].microseconds, name)


def _ratio(rounds: Rounds, one: str, other: str) -> float | None:
    """How many times as much ``one`` costs as ``other``: the median of the rounds' ratios."""
    return _of_valid(rounds, lambda turn: turn[one].microseconds / turn[other].microseconds, one, other)


def _of_valid(rounds: Rounds, value: Callable[[dict[str, Sample]], float], *names: str) -> float | None:
    """The median of ``value`` over the rounds in which the samples of all ``names`` are there and valid."""
    found = [value(turn) for turn in rounds if all(name in turn and not turn[name].void for name in names)]
    return median(found) if found else None
