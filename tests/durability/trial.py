"""One trial: load, death at a random moment, a restart, and a look at what is left."""

import shutil
import time
from pathlib import Path
from random import Random

import attrs

from bench.generator import Clients
from bench.requests import Requests
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from tests.durability.behavior import Behavior
from tests.durability.ledger import Ledger
from tests.durability.seen import Asked, Broken
from tests.durability.subject import HOLD, Subject
from tests.durability.traffic import Traffic

_LOOKED_AT = 100
"""Nodes whose old requests are repeated after each restart, by somebody who has heard them."""

_AGAIN = 0.15
"""Share of deaths after which the restart dies as well."""

_SILENCE = 0.05
"""Seconds without any message, after which none is on its way."""


@attrs.frozen(slots=True, kw_only=True)
class Load:
    """``seconds``: how long an LMA lives under load, from and to. ``restart``: seconds that one takes, more or less."""

    nodes: int
    rate: float
    seconds: tuple[float, float]
    restart: float


class Trials:
    """Of one ``subject``. What a restart is to find is copied to the directory ``found`` before it does."""

    def __init__(self, subject: Subject, load: Load, random: Random, found: Path) -> None:
        """ServerError: it does not come up at all."""
        self._subject = subject
        self._load = load
        self._random = random
        self._to_find = found
        self._ledger = Ledger(load.nodes, hold=HOLD)
        self._clients = Clients(subject.mags, subject.address, SIGNALLING_PORT, own_port=SIGNALLING_PORT)
        requests = Requests(subject.address)
        requests.check()
        self.traffic = Traffic(
            self._clients,
            requests,
            subject.mags,
            ledger=self._ledger,
            behavior=Behavior(random, self._ledger, nodes=load.nodes, mags=len(subject.mags)),
            rate=load.rate,
        )
        self.kills = self.found = self.repeated = 0
        self.slowest_restart = 0.0
        subject.start()

    def next(self) -> list[Broken]:
        """Kill it once more; which promises are broken. ServerError: it does not come up again."""
        subject, random = self._subject, self._random
        self.traffic.run(random.uniform(*self._load.seconds))
        subject.strike(random)
        self.kills += 1
        self.traffic.listen(_SILENCE)
        self._ledger.silence()
        if random.random() < _AGAIN:
            subject.start_and_kill(random.uniform(0, 2 * self._load.restart))
            self.kills += 1
        shutil.rmtree(self._to_find, ignore_errors=True)
        subject.keep(self._to_find)
        self._restart()
        # Before anything is looked at: an old request that is believed shows in what is found.
        self.repeated += self.traffic.repeat(self._captured())
        self.traffic.listen(_SILENCE)
        began = time.monotonic()
        rows = subject.bindings()
        self._ledger.audit(rows, began, time.monotonic())
        self.found += len(rows)
        return self._ledger.broken

    def check(self) -> list[Broken]:
        """Whether the journal of a running LMA is whole."""
        problem = self._subject.check()
        return [Broken("the journal is whole", None, problem, ())] if problem else []

    def end(self) -> None:
        """Nobody is left."""
        self._subject.kill()
        self._clients.close()

    def _restart(self) -> None:
        began = time.monotonic()
        self._subject.start()
        self.slowest_restart = max(self.slowest_restart, time.monotonic() - began)

    def _captured(self) -> list[Asked]:
        """Some of the requests that are void by now."""
        now = time.monotonic()
        nodes = (self._random.randrange(self._load.nodes) for _ in range(_LOOKED_AT))
        return [asked for node in nodes for asked in self._ledger.captured(node, now)]
