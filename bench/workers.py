"""What several workers cost, and how evenly they share the nodes: all on one core, one number after the other."""

from pathlib import Path
from statistics import median

from bench.cores import cpu_seconds
from bench.effort import Effort
from bench.lma import Lma
from bench.population import WINDOW, Population
from bench.report import Report, progress
from bench.requests import accepted
from bench.server import ServerError
from bench.world import Place
from pmip_tw.store.contents import live
from pmip_tw.store.slices import journal_path

COUNTS = (1, 2, 4)

MOST_NODES = 20_000
_ROUNDS = 3
_WITHIN = 120.0


def workers(place: Place, effort: Effort, report: Report) -> None:
    """Renewals of the same nodes; the figures of ``report`` that are about workers."""
    nodes = min(effort.nodes, MOST_NODES)
    lma = Lma(place, 1, nodes, durable=True)
    costs: dict[int, list[float]] = {count: [] for count in COUNTS}
    spread = 0.0
    for _ in range(min(_ROUNDS, effort.rounds)):
        for count in COUNTS:
            progress(f"{nodes} nodes at {count} workers")
            cost, shares = _measured(lma, count, nodes)
            costs[count].append(cost)
            spread = max(spread, *(abs(share * count / nodes - 1) for share in shares))
    each = {count: median(found) for count, found in costs.items()}
    report.raw["workers_renewal_us"] = {str(count): 1e6 * cost for count, cost in each.items()}
    report.keys["workers_spread"] = spread
    report.keys["workers_2_cost"] = each[2] / each[1]
    report.keys["workers_4_cost"] = each[4] / each[1]


def _measured(lma: Lma, count: int, nodes: int) -> tuple[float, list[int]]:
    """Seconds of all processes for a renewal, and how many nodes each worker has. ServerError: not all are renewed."""
    lma.configure(f"workers = {count}\n")
    lma.forget_everything()
    lma.start()
    if count > 1:
        lma.server.wait_until_said(f"all {count} workers serve", _WITHIN)
    population = Population(lma, nodes)
    population.fill()
    processes = [lma.server.pid, *children(lma.server.pid)]
    renewals = population.renewals(nodes)
    before = sum(map(cpu_seconds, processes))
    # Each worker has as much to do at a time as the one has.
    heard = population.closed_loop(renewals, WINDOW * count)
    spent = sum(map(cpu_seconds, processes)) - before
    population.clients.close()
    if accepted(heard.replies) < nodes:
        raise ServerError(f"{count} workers: {accepted(heard.replies)} of {nodes} renewals were accepted")
    journals = [journal_path(str(lma.journal), worker, count) for worker in range(count)]
    shares = [sum(1 for row in live(journal) if row["about"] == "binding") for journal in journals]
    lma.server.stop()
    return spent / nodes, shares


def children(process: int) -> list[int]:
    """Of worker 0: the others, as far as they run; none if it does not."""
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]
