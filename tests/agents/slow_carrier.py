"""A packet plane elsewhere, which takes its time."""

from collections import deque
from collections.abc import Sequence

from twisted.internet.defer import Deferred

from pmip_tw.addresses import Ipv4
from pmip_tw.agents.carrying import AtOnce, Changes
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.tunnels import AlikeEntries


class SlowCarrier:
    """Carries out when it is told to, in order."""

    def __init__(self, plane: MemoryPlane) -> None:
        self._carrier = AtOnce(plane)
        self._asked: deque[tuple[Changes, Deferred[Refusal | None]]] = deque()

    def carry(self, changes: Changes) -> "Deferred[Refusal | None]":
        answer: Deferred[Refusal | None] = Deferred()
        self._asked.append((changes, answer))
        return answer

    def install_alike(self, entries: AlikeEntries) -> Sequence[Ipv4]:
        """It takes its time for these, too."""
        return entries.home_addresses

    def do(self) -> None:
        """What was asked first."""
        changes, answer = self._asked.popleft()
        answer.callback(self._carrier.carry(changes))

    def do_all(self) -> None:
        while self._asked:
            self.do()

    def __len__(self) -> int:
        return len(self._asked)
