"""An observer that remembers."""

from typing import Any

from zope.interface import implementer

from pmip_tw.interfaces import IObserver
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.observations import Alike, Observation


@implementer(IObserver)
class Notes:
    """Every observation in order."""

    def __init__(self) -> None:
        self.all: list[Observation] = []

    def observe(self, observation: Observation, now: Now) -> None:
        self.all.append(observation)

    def observe_alike(self, observations: Alike[Any], now: Now) -> None:
        self.all += observations

    def named(self, name: str) -> list[Observation]:
        return [observation for observation in self.all if observation.name == name]
