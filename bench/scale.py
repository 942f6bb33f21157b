"""Very many bindings in one LMA: memory, the end of all at once, garbage collections, a start from the journal."""

import math
import signal
import time

from bench.effort import Effort
from bench.lma import PROVIDER, Lma
from bench.population import Population
from bench.report import Report, progress
from bench.requests import LIFETIME
from bench.workers import workers
from bench.world import Place, file_system
from pmip_tw.manage.client import ask

KEYS = (
    "bytes_per_binding",
    "expiry_worst_turn_ms",
    "gc_worst_pause_ms",
    "restart_s",
    "workers_spread",
    "workers_2_cost",
    "workers_4_cost",
)

_AT_ONCE = 1_000
"""Registrations in a row that ask for the same lifetime, so that all end in the same second."""

_RECORD = 50
"""Octets in the journal for each registration, at the least."""

_NOTICEABLE = 20_000_000
"""Octets by which a process grows for a reason."""

_QUIET = 0.05
"""Of a core: an LMA that uses less has nothing to do."""


def scale(place: Place, effort: Effort) -> Report:
    """The whole run. ServerError: the LMA does not come up, or refuses what it should accept."""
    report = Report(KEYS, place.machine)
    report.raw |= {
        "provider": PROVIDER,
        "bindings": effort.bindings,
        "journal_on": file_system(place.directory),
    }
    lma = Lma(place, 0, 1, durable=True)
    empty = _resident_of_nobodys(lma)
    lma.forget_everything()
    lma.know(effort.bindings)
    without_journal = _seconds_to_start(lma)
    report.raw["start_with_keys_s"] = without_journal
    population = Population(lma, effort.bindings)
    with lma.probe.watching("garbage") as garbage:
        progress(f"registering {effort.bindings} nodes")
        began = time.monotonic()
        population.fill()
        a_pass = time.monotonic() - began
    resident = lma.server.resident()
    report.keys["bytes_per_binding"] = (resident - empty) / effort.bindings
    report.raw |= {"resident_bytes": resident, "resident_empty_bytes": empty, "registering_s": a_pass}
    report.keys["restart_s"] = _restart(population, effort, report, without_journal, empty, resident)
    report.keys["expiry_worst_turn_ms"], expiring = _let_all_end(population, a_pass, report)
    report.keys["gc_worst_pause_ms"] = max(garbage["worst_ms"], expiring["worst_ms"])
    report.raw["gc_collections"] = garbage["collections"] + expiring["collections"]
    lma.server.stop()
    workers(place, effort, report)
    return report


def _resident_of_nobodys(lma: Lma) -> int:
    """Octets of an LMA that has registered one node."""
    progress("an LMA of one node")
    lma.start()
    population = Population(lma, 1)
    population.fill()
    population.clients.close()
    resident = lma.server.resident()
    lma.server.stop()
    return resident


def _seconds_to_start(lma: Lma) -> float:
    began = time.monotonic()
    lma.start(within=600)
    seconds = time.monotonic() - began
    progress(f"started in {seconds:.1f} s")
    return seconds


def _restart(
    population: Population, effort: Effort, report: Report, without_journal: float, empty: int, resident: int
) -> float | None:
    """How many seconds longer a start takes, after kill -9, if there is a journal to read; None: there was none."""
    lma = population.lma
    records = _fill_journal(population, effort)
    lma.server.stop(signal.SIGKILL)
    progress(f"starting from a journal of {records} records")
    from_journal = _seconds_to_start(lma)
    again = lma.server.resident()
    report.raw |= {
        "journal_records": records,
        "journal_octets": lma.journal_octets(),
        "start_from_journal_s": from_journal,
        "resident_after_restart_bytes": again,
    }
    if lma.journal_octets() < records * _RECORD:
        report.void.append(f"the restart: {lma.journal_octets()} octets are no journal of {records} records")
        return None
    if resident - empty > _NOTICEABLE and again - empty < (resident - empty) / 2:
        report.void.append("the restart: what it brought back is not as large as what was there")
        return None
    return max(0.0, from_journal - without_journal)


def _fill_journal(population: Population, effort: Effort) -> int:
    """Renew everybody until the journal has as many records as it should; how many it has."""
    records = population.size
    while records < effort.journaled:
        progress(f"renewing all: {records} of {effort.journaled} records")
        population.fill()
        records += population.size
    return records


def _let_all_end(
    population: Population, a_pass: float, report: Report
) -> tuple[float | None, dict[str, float]]:
    """Renew all bindings so that they end in the same second, and watch; the worst turn in ms, and the collections."""
    lma = population.lma
    seconds = 2 * a_pass + 3
    while (ends := _renew_until(population, seconds)) < time.monotonic() and seconds < LIFETIME / 2:
        # The machine had something else to do: those that are over by now are registered anew.
        seconds *= 2
    if time.monotonic() > ends:
        report.void.append("the bindings did not end at once: renewing them took too long")
    before = _count(lma, "binding-expired")
    time.sleep(max(0.0, ends - 1 - time.monotonic()))
    with lma.probe.watching("turns") as turns, lma.probe.watching("garbage") as garbage:
        progress("all end")
        spent = lma.server.cpu()
        time.sleep(3)
        _wait_until_quiet(lma)
        report.raw["expiry_cpu_us_each"] = 1e6 * (lma.server.cpu() - spent) / population.size
    ended = _count(lma, "binding-expired") - before
    report.raw |= {
        "ended": ended,
        "expiry_turns": turns["turns"],
        "expiry_longest_turns_ms": turns["longest_ms"],
    }
    if ended < population.size:
        report.void.append(f"only {ended} of {population.size} bindings ended at once")
    return float(turns["worst_ms"]), garbage


def _renew_until(population: Population, seconds: float) -> float:
    """Renew all bindings so that they end in the second that is so many ``seconds`` away; when it begins."""
    ends = time.monotonic() + seconds
    progress(f"renewing all, to end in {seconds:.0f} s")
    population.fill(lambda: max(1, math.ceil(ends - time.monotonic())), chunk=_AT_ONCE)
    return ends


def _wait_until_quiet(lma: Lma) -> None:
    while True:
        before = lma.server.cpu()
        time.sleep(1)
        if lma.server.cpu() - before < _QUIET:
            return


def _count(lma: Lma, name: str) -> int:
    rows = ask(str(lma.control), {"command": "show", "what": "counters"})["rows"]
    return sum(int(row["count"]) for row in rows if row.get("name") == name)
