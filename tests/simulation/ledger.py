"""Counters add up: every datagram that an agent was given is answered for exactly once."""

from collections import Counter
from typing import Any

from zope.interface import implementer

from pmip_tw.interfaces import Datagram, IObserver
from pmip_tw.manage.counters import Tally
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.observations import Alike, Observation
from tests.simulation.fuse import Fuse
from tests.simulation.violation import Violation

ACCEPTED = frozenset(
    (
        "binding-created",
        "binding-moved",
        "binding-added",
        "binding-renewed",
        "binding-released",
        "deregistration-without-binding",
        "registration-answered-again",
        "revocation-acknowledged",
        "registration-accepted",
        "registration-renewed",
        "deregistered",
        "clock-resynchronized",
        "revocation-received",
        "pre-tunnel-opened",
        "pre-tunnel-accepted",
    )
)
REFUSED = frozenset(("registration-refused", "deregistration-refused", "pre-tunnel-refused"))
DISCARDED = frozenset(("message-discarded",))
CONCLUSIONS = ACCEPTED | REFUSED | DISCARDED

_OF_DHCP = "dhcp-"
"""So begin the reasons for which messages of DHCP servers are discarded, which arrive on another port."""


@implementer(IObserver)
class Elsewhere:
    """Hears what the edges of other ports tell."""

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger

    def observe(self, observation: Observation, now: Now) -> None:
        self._ledger.observe_elsewhere(observation, now)

    def observe_alike(self, observations: Alike[Any], now: Now) -> None:
        for observation in observations:
            self.observe(observation, now)


@implementer(IObserver)
class Ledger:
    """Hears what one process tells. ``told``: every observation of its life by name; ``discarded``: that became of the
    last datagram. ``waiting()``: how many appends are not durable; what a datagram caused is told when they are.
    """

    def __init__(self, name: str, fuse: Fuse, heard_by: IObserver | None) -> None:
        self.name = name
        self.tally = Tally()
        self.told: Counter[str] = Counter()
        self.datagrams = 0
        self.answered_silently = 0
        self.elsewhere = 0
        self._fuse = fuse
        self._heard_by = heard_by
        self._conclusions = 0
        self._is_open = False
        self._awaited = 0
        self._waiting_before = 0
        self.discarded = False

    def waiting(self) -> int:
        """Nothing, unless it is replaced."""
        return 0

    def observe(self, observation: Observation, now: Now) -> None:
        self._write(observation, now)
        if observation.reason.startswith(_OF_DHCP):
            self.elsewhere += observation.name in CONCLUSIONS
        elif observation.name in CONCLUSIONS:
            self._conclusions += 1
            self.discarded = observation.name in DISCARDED
            if not self._is_open and self._awaited:
                self._awaited -= 1
        self._pass_on(observation, now)

    def observe_elsewhere(self, observation: Observation, now: Now) -> None:
        """About what came to another port."""
        self._write(observation, now)
        self.elsewhere += observation.name in CONCLUSIONS
        self._pass_on(observation, now)

    def _write(self, observation: Observation, now: Now) -> None:
        self._fuse.burn()
        self.tally.observe(observation, now)
        self.told[observation.name] += 1

    def _pass_on(self, observation: Observation, now: Now) -> None:
        if self._heard_by is not None:
            self._heard_by.observe(observation, now)

    def observe_alike(self, observations: Alike[Any], now: Now) -> None:
        for observation in observations:
            self.observe(observation, now)

    def open(self) -> None:
        """A datagram is about to be given to the process."""
        self._conclusions, self.discarded = 0, False
        self._is_open, self._waiting_before = True, self.waiting()

    def close(self, datagram: Datagram, *, answers: int) -> None:
        """It has been dealt with; ``answers``: datagrams that the process sent meanwhile."""
        self.datagrams += 1
        self._is_open = False
        if self._conclusions == 0 and self.waiting() > self._waiting_before:
            self._awaited += 1
        elif self._conclusions == 0 and (answers or self.waiting()):
            self.answered_silently += (
                1  # an acknowledgment once more (RV17, RV37), perhaps when that is durable
            )
        elif self._conclusions != 1:
            seen = (
                f"{self.name} told {self._conclusions} times what became of a datagram of {datagram.source}"
            )
            raise Violation("counters add up", seen)

    def audit(self) -> None:
        """The counters that operators see agree with what was delivered."""
        counted = sum(self.tally.count(name) for name in CONCLUSIONS)
        if counted + self.answered_silently + self._awaited - self.elsewhere != self.datagrams:
            seen = f"{self.name} counted {counted} of {self.datagrams} datagrams, and answered some more silently"
            raise Violation("counters add up", seen)
        if sum(row["count"] for row in self.tally.rows()) != sum(self.told.values()):
            raise Violation("counters add up", f"{self.name} counted something that nobody told it")
