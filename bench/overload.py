"""At a rate, whatever comes back: how long an answer takes at half the capacity, and what happens at twice of it.

The capacity is what the server's core could do if it did nothing else: a second by the cost of a message. **Goodput**
is good answers for each second of the server's processor time, compared with the closed loop of the same run: wasted
work shows in it, and what else runs on the machine does not.
"""

from collections.abc import Callable, Sequence
from statistics import median

import attrs

from bench.effort import Effort
from bench.generator import PATIENCE, Clients, Heard
from bench.population import WINDOW, Messages, Population
from bench.probing import Probe
from bench.report import progress
from bench.requests import accepted, identification_in, numbered
from bench.sample import sample
from bench.server import Server
from bench.standard import Echo
from bench.subjects import ECHO_WINDOW

OVERLOAD = 2.0
LEAST_OFFERED = 1.9
"""Times the capacity; with less it was no overload."""

MOST_ANSWERED = 0.9
"""Of what was offered; a server that answers more had more room than its closed loop showed."""

LATE_SENDS = 0.1
"""Part of the messages of a latency run that may have been sent late."""

_RUN = 64
"""Requests that may change places."""


@attrs.define(slots=True)
class Overloads:
    """``raw``: by subject, the medians of what was found; ``void``: what says nothing, and why."""

    raw: dict[str, object] = attrs.field(factory=dict)
    void: list[str] = attrs.field(factory=list)
    p50_ms: float | None = None
    timer_p99_ms: float | None = None
    goodput: float | None = None


@attrs.frozen(slots=True, kw_only=True)
class _Target:
    name: str
    server: Server
    probe: Probe
    clients: Clients
    capacity: float
    prepare: Callable[[int], Messages]
    good: Callable[[list[bytes]], int]
    window: int


def overloads(
    echo: Echo, lma: Population, lma_us: float | None, echo_us: float | None, effort: Effort
) -> Overloads:
    """Of the LMA and, for comparison, of the echo."""
    told = Overloads()
    if lma_us is None or echo_us is None:
        told.void.append("overload: what a message costs is unknown")
        return told
    [message], _ = lma.renewals(1)
    clients = echo.clients(len(message))

    def echoed(number: int) -> Messages:
        return numbered(message, number), [0] * number

    targets = [
        _Target(
            name="echo",
            server=echo.server,
            probe=echo.probe,
            clients=clients,
            capacity=1e6 / echo_us,
            prepare=echoed,
            good=len,
            window=ECHO_WINDOW,
        ),
        _Target(
            name="lma",
            server=lma.lma.server,
            probe=lma.lma.probe,
            clients=lma.clients,
            capacity=1e6 / lma_us,
            prepare=lambda number: in_runs(lma.renewals(number)),
            good=accepted,
            window=WINDOW,
        ),
    ]
    found: dict[str, dict[str, list[float]]] = {target.name: {} for target in targets}
    for turn in range(effort.overload_rounds):
        for target in targets:
            for measure in (_latency, _overloaded):
                values, void = measure(target, effort.overload_seconds)
                if void:
                    told.void.append(f"overload round {turn + 1}: {target.name}: {void}")
                else:
                    for name, value in values.items():
                        found[target.name].setdefault(name, []).append(value)
                shown = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
                progress(
                    f"overload round {turn + 1}: {target.name}: {shown}{' VOID: ' if void else ''}{void}"
                )
    medians = {name: {what: median(some) for what, some in of.items()} for name, of in found.items()}
    told.raw = {f"{name}_open_loop": of for name, of in medians.items()}
    told.p50_ms = medians["lma"].get("p50_ms")
    told.timer_p99_ms = medians["lma"].get("timer_p99_ms")
    told.goodput = medians["lma"].get("goodput")
    return told


def _latency(target: _Target, seconds: float) -> tuple[dict[str, float], str]:
    """At half the capacity."""
    rate = target.capacity / 2
    messages = target.prepare(max(1, int(rate * seconds)))
    heard = target.clients.open_loop(*messages, rate)
    waited = latencies(messages[0], heard, rate)
    if not waited:
        return {}, "no replies"
    values = {
        "p50_ms": 1000 * waited[len(waited) // 2],
        "p99_ms": 1000 * waited[len(waited) * 99 // 100],
        "late_sends": heard.late / heard.sent,
    }
    if heard.late > heard.sent * LATE_SENDS:
        return values, f"{heard.late} of {heard.sent} were sent late"
    if target.good(heard.replies) < heard.sent * 0.99:
        return values, f"only {target.good(heard.replies)} of {heard.sent} were answered as they should be"
    return values, ""


def _overloaded(target: _Target, seconds: float) -> tuple[dict[str, float], str]:
    """At twice the capacity, beside a closed loop just before it."""
    closed = target.prepare(max(1, int(target.capacity * seconds / 4)))
    peak = sample(
        target.server,
        lambda: target.clients.closed_loop(*closed, target.window),
        good=lambda heard: target.good(heard.replies),
    )
    capacity = 1e6 / peak.microseconds
    rate = OVERLOAD * capacity
    messages = target.prepare(max(1, int(rate * seconds)))
    with target.probe.watching("timers") as timers:
        spent = target.server.cpu()
        heard = target.clients.open_loop(*messages, rate)
        spent = target.server.cpu() - spent
    in_time = sum(waited <= PATIENCE for waited in latencies(messages[0], heard, rate))
    good = min(in_time, target.good(heard.replies))
    if not good:
        return {}, "no replies"
    offered = heard.sent / heard.seconds
    values = {
        "goodput": good / spent / capacity,
        "timer_p99_ms": float(timers.get("p99_ms", 0.0)),
        "timer_worst_ms": float(timers.get("worst_ms", 0.0)),
        "offered": offered / capacity,
        "answered": good / heard.sent,
        "good_per_second": good / heard.seconds,
        "peak_per_second": peak.rate,
    }
    if peak.void:
        return values, f"the closed loop before it: {peak.void}"
    if offered < LEAST_OFFERED * capacity:
        return values, f"the generator offered {offered:.0f}/s, {offered / capacity:.2f} times the capacity"
    if good > heard.sent * MOST_ANSWERED:
        return values, f"it was no overload: {good} of {heard.sent} were answered"
    return values, ""


def in_runs(messages: Messages) -> Messages:
    """The same, a little reordered, so that one MAG often sends several in a row: the generator likes that."""
    requests, via = messages
    order: list[int] = []
    for first in range(0, len(requests), _RUN):
        order += sorted(range(first, min(first + _RUN, len(requests))), key=via.__getitem__)
    return [requests[place] for place in order], [via[place] for place in order]


def latencies(messages: Sequence[bytes], heard: Heard, rate: float, every: int = 1) -> list[float]:
    """Seconds from the instant at which each answered message was to be sent, sorted.

    ``every``: one in so many may be answered, the last of them.
    """
    intended = {
        identification_in(messages[place]): place / rate for place in range(every - 1, len(messages), every)
    }
    return sorted(
        arrived - sent
        for reply, arrived in zip(heard.replies, heard.arrived, strict=True)
        # What was asked before may be answered late.
        if (sent := intended.get(identification_in(reply))) is not None
    )
