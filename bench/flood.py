"""Bad requests beside good ones: none of the good is lost, wherever the bad come from."""

import random
from itertools import cycle, islice

from bench.effort import Effort
from bench.lma import PROVIDER, Lma
from bench.overload import latencies
from bench.population import Messages, Population
from bench.report import Report, progress
from bench.requests import accepted, forged
from bench.world import MAGS, Place

KEYS = ("good_lost", "bad_per_second", "good_per_second", "good_p50_ms", "good_p99_ms")

BAD_OF_GOOD = 50
"""Bad requests for each good one."""

_VARIETY = 5_000
"""Different bad requests, which are sent again and again."""


def flood(place: Place, effort: Effort) -> Report:
    """The whole run. ServerError: the LMA does not come up, or refuses what it should accept."""
    report = Report(KEYS, place.machine)
    report.raw["provider"] = PROVIDER
    nodes = min(effort.nodes, 20_000)
    lma = Lma(place, 0, nodes, durable=True)
    lma.start()
    population = Population(lma, nodes)
    population.fill()
    bad = _bad_requests(population)
    lost, seconds, sent, late = 0, 0.0, 0, 0
    waited: list[float] = []
    rate = effort.flood_rate * (1 + BAD_OF_GOOD) / BAD_OF_GOOD
    spent = lma.server.cpu()
    for turn in range(effort.flood_rounds):
        messages, good = _mixed(population, bad, effort)
        heard = population.clients.open_loop(*messages, rate)
        heard.keep_only(lambda reply: bool(accepted((reply,))))
        lost += good - len(heard.replies)
        waited += latencies(messages[0], heard, rate, every=1 + BAD_OF_GOOD)
        seconds, sent, late = seconds + heard.seconds, sent + heard.sent, late + heard.late
        progress(f"round {turn + 1}: {good - len(heard.replies)} of {good} good requests lost")
    spent = lma.server.cpu() - spent
    lma.server.stop()
    waited.sort()
    bad_per_second = sent * BAD_OF_GOOD / (1 + BAD_OF_GOOD) / seconds
    report.keys |= {
        "good_lost": float(lost),
        "bad_per_second": bad_per_second,
        "good_per_second": bad_per_second / BAD_OF_GOOD,
        "good_p50_ms": 1000 * waited[len(waited) // 2] if waited else None,
        "good_p99_ms": 1000 * waited[len(waited) * 99 // 100] if waited else None,
    }
    report.raw |= {"late_sends": late / sent, "server_cpu_us_per_request": 1e6 * spent / sent}
    if bad_per_second < effort.flood_rate * 0.95:
        report.void.append(f"the generator sent only {bad_per_second:.0f} bad requests a second")
    return report


def _mixed(population: Population, bad: list[bytes], effort: Effort) -> tuple[Messages, int]:
    """So many good requests with bad ones before each, and how many good ones that are; all from the same MAGs."""
    good, via = population.renewals(max(1, round(effort.flood_rate / BAD_OF_GOOD * effort.flood_seconds)))
    stream = cycle(bad)
    messages: list[bytes] = []
    senders: list[int] = []
    for request, mag in zip(good, via, strict=True):
        messages += (*islice(stream, BAD_OF_GOOD), request)
        senders += (*(number % MAGS for number in range(BAD_OF_GOOD)), mag)
    return (messages, senders), len(good)


def _bad_requests(population: Population) -> list[bytes]:
    """Most have wrong authenticators; some are of nobody, some are cut short, some are noise."""
    genuine, _ = population.renewals(min(_VARIETY, population.size))
    chance = random.Random(434)
    bad = []
    for number, request in enumerate(genuine):
        match number % 8:
            case 0:
                bad.append(request.replace(b"@", b"?"))
            case 1:
                bad.append(request[: chance.randrange(len(request))])
            case 2:
                bad.append(b"\1" + chance.randbytes(chance.randrange(len(request))))
            case _:
                bad.append(forged(request))
    return bad
