"""Whoever listens to an agent."""

from collections.abc import Sequence
from typing import Any

from zope.interface import implementer

from pmip_tw.interfaces import IObserver
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.observations import Alike, Observation


@implementer(IObserver)
class Observers:
    """Several observers as one."""

    def __init__(self, observers: Sequence[IObserver]) -> None:
        self._observers = tuple(observers)

    def observe(self, observation: Observation, now: Now) -> None:
        for observer in self._observers:
            observer.observe(observation, now)

    def observe_alike(self, observations: Alike[Any], now: Now) -> None:
        for observer in self._observers:
            observer.observe_alike(observations, now)


class Telling:
    """What an agent tells in one wake-up. What is alike is told at once: by ``finish``, or before anything else.

    So what happened to one mobile node is told in order, and what happened to several in one instant by its kind.
    """

    def __init__(self, observers: Sequence[IObserver]) -> None:
        self._observers = Observers(observers)
        self._alike: dict[tuple[str, str], list[Alike[Any]]] = {}

    def observe(self, observation: Observation, now: Now) -> None:
        self.finish(now)
        self._observers.observe(observation, now)

    def gather(self, observations: Alike[Any]) -> None:
        """To be told with this wake-up's of the same kind."""
        kind = (observations.name, observations.reason)
        same = self._alike.get(kind)
        if same is None:
            self._alike[kind] = [observations]
        else:
            same.append(observations)

    def finish(self, now: Now) -> None:
        """Tell what was gathered; it is still the instant ``now``."""
        if self._alike:
            gathered, self._alike = self._alike, {}
            for same in gathered.values():
                self._observers.observe_alike(Alike.joined(same), now)
