"""What AAA has been asked and has not answered yet, and what its answer means (AA2, P83)."""

from collections.abc import Callable

from pmip_tw.aaa.verdicts import Credential, Verdict
from pmip_tw.mag.authentication.gate import Gate
from pmip_tw.mag.effects import Authenticate, MagEffect
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey

Then = Callable[[Verdict, Now], list[MagEffect]]
"""What follows from a verdict; it finds out itself whether anybody still waits for it."""


class Questions:
    """Every question is counted by ``gate`` while it is open; each is answered once."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._open: dict[int, Then] = {}
        self._asked = 0

    def ask(self, key: AccessKey, credential: Credential, then: Then, now: Now) -> Authenticate:
        self._gate.began(now.monotonic)
        self._asked += 1
        self._open[self._asked] = then
        return Authenticate(key, credential, self._asked)

    def answered(self, attempt: int, verdict: Verdict, now: Now) -> list[MagEffect]:
        then = self._open.pop(attempt, None)
        if then is None:
            return []
        self._gate.ended()
        return then(verdict, now)
