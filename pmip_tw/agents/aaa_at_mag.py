"""What a MAG's agent does with AAA: the engine's questions go out, the answers come back as events."""

from collections.abc import Callable, Iterable

from pmip_tw.aaa.verdicts import Verdict
from pmip_tw.interfaces import IAuthenticator
from pmip_tw.mag.effects import Authenticate, MagEffect
from pmip_tw.mag.engine import MagEngine
from pmip_tw.mobility.clock import Now

Happen = Callable[[Callable[[Now], Iterable[MagEffect]]], None]
"""Lets the agent give an event to the engine, now, and carry out what it causes."""


class AaaAtMag:
    """``happen``: the agent's."""

    def __init__(self, engine: MagEngine, authenticator: IAuthenticator, happen: Happen) -> None:
        self._engine = engine
        self._authenticator = authenticator
        self._happen = happen

    def authenticate(self, effect: Authenticate) -> None:
        def concluded(verdict: Verdict) -> None:
            self._happen(
                lambda now: self._engine.authenticated(effect.key, effect.attempt, verdict, now),
            )

        self._authenticator.authenticate(effect.credential).addCallback(concluded)

    def stop(self) -> None:
        """What is outstanding is answered now."""
        self._authenticator.stop()
