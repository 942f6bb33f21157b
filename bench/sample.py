"""One measurement of one server, and whether it may be believed."""

import os
import time
from collections.abc import Callable

import attrs

from bench.cores import Occupation
from bench.generator import Heard
from bench.server import Server

BUSY = 0.9
"""Of the time: who is less occupied was waiting for the other."""


@attrs.frozen(slots=True, kw_only=True)
class Sample:
    """``microseconds``: processor time of the server for each reply. ``void``: why it says nothing, or "".

    ``server`` and ``generator``: the part of the time for which each ran, or was ready and waited for its core.
    """

    microseconds: float
    rate: float
    server: float
    generator: float
    heard: Heard = attrs.field(repr=False)
    void: str


def sample(
    server: Server,
    load: Callable[[], Heard],
    *,
    good: Callable[[Heard], int],
    afterwards: Callable[[], None] = lambda: None,
    saves: int = 0,
) -> Sample:
    """``load`` put on ``server``, which may cause more ``afterwards``; ``good``: how many replies are right.

    ``saves``: octets that it has to write for each.
    """
    busy, own, began = Occupation.of(server.pid), Occupation.of(os.getpid()), time.perf_counter()
    spent, written = server.cpu(), server.written()
    heard = load()
    seconds = time.perf_counter() - began
    served = (Occupation.of(server.pid).seconds - busy.seconds) / seconds
    generated = (Occupation.of(os.getpid()).seconds - own.seconds) / seconds
    afterwards()
    spent = server.cpu() - spent
    answered = len(heard.replies)
    void = ""
    if not answered:
        void = "no replies"
    elif good(heard) < answered:
        void = f"{answered - good(heard)} of {answered} replies were not what was asked for"
    elif heard.lost > heard.sent / 100:
        void = f"{heard.lost} of {heard.sent} lost"
    elif server.written() - written < saves * answered:
        void = f"only {server.written() - written} octets were saved for {answered} replies"
    elif generated > BUSY and served < BUSY:
        void = f"the generator was the bottleneck (busy {generated:.0%}, the server {served:.0%})"
    return Sample(
        microseconds=1e6 * spent / max(answered, 1),
        rate=answered / heard.seconds if heard.seconds else 0.0,
        server=served,
        generator=generated,
        heard=heard,
        void=void,
    )
