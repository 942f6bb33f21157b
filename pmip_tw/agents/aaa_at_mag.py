"""What a MAG's agent does with AAA: the engine's questions go out, the answers come back as events."""

from collections.abc import Callable, Iterable

from zope.interface import implementer

from pmip_tw.aaa.accounting import TerminateCause
from pmip_tw.aaa.profile import Profile
from pmip_tw.aaa.verdicts import Verdict
from pmip_tw.interfaces import IAccessPoints, IAccessPointsReceiver, IAuthenticator
from pmip_tw.mag.effects import Authenticate, Expel, MagEffect, SessionOver
from pmip_tw.mag.engine import MagEngine
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey

Happen = Callable[[Callable[[Now], Iterable[MagEffect]]], None]
"""Lets the agent give an event to the engine, now, and carry out what it causes."""


@implementer(IAccessPointsReceiver)
class AaaAtMag:
    """``happen``: the agent's. ``access_points``: where nodes are authenticated elsewhere, None if nowhere."""

    def __init__(
        self,
        engine: MagEngine,
        authenticator: IAuthenticator,
        happen: Happen,
        access_points: IAccessPoints | None = None,
    ) -> None:
        self._engine = engine
        self._authenticator = authenticator
        self._happen = happen
        self._access_points = access_points

    def start(self) -> None:
        """Whoever is authenticated elsewhere may come now. PmipError: why not."""
        if self._access_points is not None:
            self._access_points.start(self)

    def carry_out(self, effect: Authenticate | Expel | SessionOver) -> None:
        match effect:
            case Authenticate():
                self._authenticate(effect)
            case Expel():
                if self._access_points is not None:
                    self._access_points.expel(effect.key)
            case SessionOver():
                pass  # nobody accounts for it yet

    def _authenticate(self, effect: Authenticate) -> None:
        def concluded(verdict: Verdict) -> None:
            self._happen(
                lambda now: self._engine.authenticated(effect.attempt, verdict, now),
            )

        self._authenticator.authenticate(effect.credential).addCallback(concluded)

    def attached_elsewhere(self, key: AccessKey, profile: Profile) -> None:
        self._happen(lambda now: self._engine.attached_elsewhere(key, profile, now))

    def detached_elsewhere(self, key: AccessKey, why: str, terminate_cause: TerminateCause) -> None:
        self._happen(lambda now: self._engine.detached_elsewhere(key, why, terminate_cause, now))

    def stop(self) -> None:
        """What is outstanding is answered now."""
        if self._access_points is not None:
            self._access_points.stop()
        self._authenticator.stop()
