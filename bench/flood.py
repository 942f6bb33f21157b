"""Bad requests beside good ones: none of the good is lost, wherever the bad come from.

**Strangers** are a few machines of somebody who has no key. **Invented** is each bad request's source. **Shared** are
the sources of the good: the bad come through the same NAT, or borrow the MAGs' addresses, and nothing tells them from
the good but their authenticators. The bad names of nodes, mostly, are those of nodes that exist.

A good request is **lost** if that datagram has no answer. Its MAG asks again, as here does the next round; a node is
**unanswered** if it still has no answer when its MAG would have asked ``_TRIES`` times.
"""

import random
from collections.abc import Callable, Sequence
from itertools import cycle, islice

import attrs

from bench.effort import Effort
from bench.impostors import Impostors
from bench.lma import PROVIDER, Lma
from bench.nodes import node_in
from bench.overload import latencies
from bench.population import Population
from bench.report import Report, progress
from bench.requests import accepted, forged, identification_in
from bench.world import MAGS, Place
from pmip_tw.manage.client import ask

KEYS = (
    "good_lost",
    "good_unanswered",
    "good_lost_strangers",
    "good_lost_invented",
    "good_lost_shared",
    "bad_per_second",
    "good_per_second",
    "good_p50_ms",
    "good_p99_ms",
    "flood_timer_p99_ms",
)

BAD_OF_GOOD = 50
"""Bad requests for each good one."""

_TRIES = 4
"""Of a MAG, within seven seconds; it has six within a minute."""

_VARIETY = 5_000
"""Different bad requests, which are sent again and again."""

_STRANGERS = 4

_IMPOSTORS = MAGS
"""The number of their sender, behind those of the MAGs."""


@attrs.frozen(slots=True, kw_only=True)
class _Origin:
    """Where ``bad`` requests come from: number n by sender ``via(n)``."""

    name: str
    bad: Sequence[bytes]
    via: Callable[[int], int]


@attrs.define(slots=True)
class _Outcome:
    """What became of a flood from one origin. ``waited``: seconds of each good request that was answered."""

    good: int = 0
    lost: int = 0
    unanswered: int = 0
    sent: int = 0
    late: int = 0
    seconds: float = 0.0
    waited: list[float] = attrs.field(factory=list)
    raw: dict[str, object] = attrs.field(factory=dict)

    @property
    def bad_per_second(self) -> float:
        return self.sent * BAD_OF_GOOD / (1 + BAD_OF_GOOD) / self.seconds


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
    impostors = Impostors(lma.address)
    origins = (
        _Origin(name="strangers", bad=impostors.packets(bad, _STRANGERS), via=lambda number: _IMPOSTORS),
        _Origin(name="invented", bad=impostors.packets(bad, len(bad)), via=lambda number: _IMPOSTORS),
        _Origin(name="shared", bad=bad, via=lambda number: number % MAGS),
    )
    found = {origin.name: _from(origin, population, impostors, effort) for origin in origins}
    impostors.close()
    lma.server.stop()
    for name, outcome in found.items():
        report.keys[f"good_lost_{name}"] = outcome.lost
        report.raw[name] = outcome.raw
        if outcome.bad_per_second < effort.flood_rate * 0.95:
            report.void.append(f"{name}: only {outcome.bad_per_second:.0f} bad requests a second were sent")
    slowest = min(outcome.bad_per_second for outcome in found.values())
    waited = sorted(wait for outcome in found.values() for wait in outcome.waited)
    report.keys |= {
        "good_lost": sum(outcome.lost for outcome in found.values()),
        "good_unanswered": sum(outcome.unanswered for outcome in found.values()),
        "bad_per_second": slowest,
        "good_per_second": slowest / BAD_OF_GOOD,
        "good_p50_ms": 1000 * waited[len(waited) // 2] if waited else None,
        "good_p99_ms": 1000 * waited[len(waited) * 99 // 100] if waited else None,
        "flood_timer_p99_ms": max(float(str(outcome.raw["timer_p99_ms"])) for outcome in found.values()),
    }
    return report


def _from(origin: _Origin, population: Population, impostors: Impostors, effort: Effort) -> _Outcome:
    """All its rounds."""
    lma, told = population.lma, _Outcome()
    per_round = max(1, round(effort.flood_rate / BAD_OF_GOOD * effort.flood_seconds))
    stream = cycle(enumerate(origin.bad))
    rate = effort.flood_rate * (1 + BAD_OF_GOOD) / BAD_OF_GOOD
    tried: dict[int, int] = {}
    before, spent = _counted(lma), lma.server.cpu()
    with lma.probe.watching("timers") as timers:
        for turn in range(effort.flood_rounds + _TRIES - 1):
            # Who had no answer asks again; in the end nobody else does.
            asking = [*tried, *(population.whose_turn(per_round) if turn < effort.flood_rounds else ())]
            if not asking:
                break
            good, mags = population.asking(asking)
            messages: list[bytes] = []
            senders: list[int] = []
            for request, mag in zip(good, mags, strict=True):
                for number, message in islice(stream, BAD_OF_GOOD):
                    messages.append(message)
                    senders.append(origin.via(number))
                messages.append(request)
                senders.append(mag)
            heard = population.clients.open_loop(messages, senders, rate, others=(impostors.send,))
            heard.keep_only(lambda reply: bool(accepted((reply,))))
            asked = {identification_in(request) for request in good}
            answered = {node_in(reply) for reply in heard.replies if identification_in(reply) in asked}
            tries = {node: tried.get(node, 0) + 1 for node in asking if node not in answered}
            tried = {node: number for node, number in tries.items() if number < _TRIES}
            told.unanswered += len(tries) - len(tried)
            told.good += len(asking)
            told.lost += len(tries)
            told.waited += latencies(messages, heard, rate, every=1 + BAD_OF_GOOD)
            told.seconds, told.sent, told.late = (
                told.seconds + heard.seconds,
                told.sent + heard.sent,
                told.late + heard.late,
            )
            progress(f"{origin.name}, round {turn + 1}: {len(tries)} of {len(asking)} good requests lost")
    spent = lma.server.cpu() - spent
    counted = {kind: number - before.get(kind, 0) for kind, number in _counted(lma).items()}
    told.raw = {
        "good": told.good,
        "lost": told.lost,
        "unanswered": told.unanswered,
        "bad_per_second": told.bad_per_second,
        "checked": sum(n for kind, n in counted.items() if kind.startswith("message-discarded")) / told.sent,
        "lost_by_the_kernel": counted.get("datagram-dropped socket-buffer", 0) / told.sent,
        "given_up": counted.get("datagram-dropped overload", 0) / told.sent,
        "server_cpu_us_per_request": 1e6 * spent / told.sent,
        "server_busy": spent / told.seconds,
        "late_sends": told.late / told.sent,
        "timer_p99_ms": float(timers.get("p99_ms", 0.0)),
    }
    return told


def _counted(lma: Lma) -> dict[str, int]:
    """What the LMA counts, by name and reason."""
    shown = ask(str(lma.control), {"command": "show", "what": "counters"})
    return {f"{row['name']} {row['reason']}": row["count"] for row in shown["rows"]}


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
