"""After a restart: the packet plane has what the journal has brought back, before anything is heard."""

from collections.abc import Callable, Iterable
from functools import partial

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pmip_tw.addresses import Ipv4
from pmip_tw.agents.carrying import ICarrier
from pmip_tw.interfaces import IClock, IForwardingPlane
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.registration.commitment import Effect
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Install
from pmip_tw.mobility.tunnels import AlikeEntries, AnchorEntry, AnchorKey


class Returning:
    """``run(effects, now)`` gets what comes of it later; ``back(now)`` is called when a packet plane in another process
    has everything, if that was not so at once.
    """

    _log = Logger(namespace="pmip.lma")

    def __init__(
        self,
        engine: LmaEngine,
        carrier: ICarrier,
        forwarding: IForwardingPlane,
        clock: IClock,
        *,
        run: Callable[[Iterable[Effect], Now], None],
        back: Callable[[Now], None],
    ) -> None:
        self._engine = engine
        self._carrier = carrier
        self._forwarding = forwarding
        self._clock = clock
        self._run = run
        self._back = back
        self._coming = 0

    @property
    def is_over(self) -> bool:
        return not self._coming

    def bring_back(self, now: Now) -> list[Effect]:
        """Live bindings into the plane, what else a former process left there out of it.

        What is to be told of it when somebody can be told.
        """
        for entry in self._forwarding.snapshot():
            if not isinstance(entry, AnchorEntry) or self._engine.bound_to(entry.key) is None:
                self._forwarding.remove(entry.key)
        refused: list[AnchorKey] = []
        for entries in self._engine.entries():
            for entry in self._entries_left(entries):
                refusal = self._carrier.carry((Install(entry),))
                if isinstance(refusal, Deferred):
                    self._coming += 1
                    refusal.addCallback(partial(self._at_last, entry.key))
                elif refusal is not None:
                    self._tell(entry.key, refusal)
                    refused.append(entry.key)
        effects: list[Effect] = []
        for key in refused:
            effects += self._not_served(key, now)
        return effects

    def _entries_left(self, entries: AnchorEntry | AlikeEntries) -> Iterable[AnchorEntry]:
        """Nearly all are alike, and are taken at once; the others one by one."""
        if isinstance(entries, AnchorEntry):
            return (entries,)
        left: Iterable[Ipv4] = self._carrier.install_alike(entries)
        return (entries.of(home_address) for home_address in left)

    def _at_last(self, key: AnchorKey, refusal: Refusal | None) -> None:
        self._coming -= 1
        now = self._clock.now()
        if refusal is not None:
            self._tell(key, refusal)
            self._run(self._not_served(key, now), now)
        if not self._coming:
            self._back(now)

    def _not_served(self, key: AnchorKey, now: Now) -> Iterable[Effect]:
        bound = self._engine.bound_to(key)
        return () if bound is None else self._engine.cannot_be_served(bound, now)

    def _tell(self, key: AnchorKey, refusal: Refusal) -> None:
        self._log.error("{entry} is not served any more: {why}", entry=key, why=refusal.cause)
