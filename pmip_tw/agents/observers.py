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
