"""What every ``Subject`` that is a child process does alike."""

import time
from abc import ABC, abstractmethod
from random import Random

from bench.server import Server


class Child(ABC):
    """``ready_within``: seconds in which it says that it is."""

    ready_within: float

    @abstractmethod
    def begin(self) -> Server:
        """Start it, and do not wait."""

    @abstractmethod
    def kill(self) -> None:
        """All of it, at once and without a word."""

    def start(self) -> None:
        self.begin().wait_until_said("is ready", self.ready_within)

    def start_and_kill(self, after: float) -> None:
        self.begin()
        time.sleep(after)
        self.kill()

    def strike(self, random: Random) -> None:
        """It is one process."""
        self.kill()
