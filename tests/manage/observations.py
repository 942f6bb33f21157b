"""Observations and instants for the tests."""

from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.observations import Observation

WALL = 1_800_000_000.0
SESSION = "02:00:00:00:00:01 on acc0"
NAI = "mn1@example.net"


def at(seconds: float) -> Now:
    """So many seconds after the beginning."""
    return Now(seconds, WALL + seconds, bytes)


def accepted(nai: str = NAI, session: str = SESSION) -> Observation:
    return Observation(name="access-accepted", nai=nai, session=session)


def refused(nai: str = NAI, session: str = "", cause: str = "no") -> Observation:
    return Observation(name="registration-refused", nai=nai, session=session, reason="133", cause=cause)
