"""AAA as MAGs meet it: slow, refusing, or not there."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept, Credential, Reject, Unavailable, Verdict
from pmip_tw.addresses import Ipv4, Mac
from pmip_tw.interfaces import IAuthenticator, ISessions
from tests.agents.world import LMA, association

if TYPE_CHECKING:
    from tests.simulation.nodes import MobileNode
    from tests.simulation.world import World

NO_ANSWER = 4.0
"""Seconds until a MAG gives up on servers that are not there."""


def profile_of(node: "MobileNode") -> Profile:
    """What AAA says of a node."""
    lmas = tuple(Ipv4(LMA + number) for number in node.habit.lmas)
    return Profile(nai=node.nai, lmas=lmas, mn_ha=association(node.number + 1))


class AccessServer:
    """One for all MAGs. ``delay``: shortest and longest seconds; ``refused``: who is turned away at present;
    ``down``: nobody is answered.
    """

    def __init__(self, seed: str, verdicts: dict[Mac, Verdict], delay: tuple[float, float]) -> None:
        self.verdicts = verdicts
        self.delay = delay
        self.refused: set[Mac] = set()
        self.down = False
        self._random = random.Random(seed)

    @classmethod
    def of(cls, world: "World") -> "AccessServer":
        """It knows the nodes of ``world``."""
        scenario = world.scenario
        verdicts: dict[Mac, Verdict] = {node.mac: Accept(profile_of(node)) for node in world.nodes}
        return cls(f"{scenario.seed}/aaa", verdicts, scenario.aaa_delay)

    def goes_down(self) -> None:
        self.down = True

    def comes_back(self) -> None:
        self.down = False

    def answer(self, mac: Mac) -> tuple[float, Verdict]:
        """When, in seconds, and what."""
        if self.down:
            return NO_ANSWER, Unavailable("the simulated AAA is down")
        verdict = self.verdicts.get(mac)
        if verdict is None or mac in self.refused:
            verdict = Reject("the simulated AAA refuses it")
        return self._random.uniform(*self.delay), verdict


@implementer(IAuthenticator)
class AccessClient:
    """A MAG's side; it dies with the MAG. ``later(seconds, call)`` makes things happen."""

    def __init__(self, server: AccessServer, later: Callable[[float, Callable[[], None]], None]) -> None:
        self._server = server
        self._later = later
        self._dead = False

    def authenticate(self, credential: Credential) -> "Deferred[Verdict]":
        wait, verdict = self._server.answer(credential.mac)
        asked: Deferred[Verdict] = Deferred()
        self._later(wait, lambda: self._conclude(asked, verdict))
        return asked

    def stop(self) -> None:
        self._dead = True

    def _conclude(self, asked: "Deferred[Verdict]", verdict: Verdict) -> None:
        if self._dead:
            return
        failures: list[Failure] = []
        asked.callback(verdict)
        asked.addErrback(failures.append)
        for failure in failures:  # a Deferred swallows crashes and defects alike
            failure.raiseException()


class LocalAtMag:
    """A MAG's process and that AAA."""

    def __init__(self, server: AccessServer, later: Callable[[float, Callable[[], None]], None]) -> None:
        self.authenticator = AccessClient(server, later)
        self.accounts = None
        self.access_points = None

    def started(self, sessions: ISessions) -> None:
        """It acts upon none."""

    def check(self) -> None:
        """It promises nothing."""

    def die(self) -> None:
        """What is asked is asked."""
