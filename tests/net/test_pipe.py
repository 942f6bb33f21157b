"""What only the pipe between processes has: turns of a reactor."""

from itertools import pairwise

from msgspec import Struct

from pmip_tw.agents.workers.messages import Carry
from pmip_tw.net.pipe import MOST_TOGETHER
from tests.loops import private_reactor, run_until
from tests.net.pipes import socket_pipe


def test_very_many_messages_are_dealt_with_in_many_turns() -> None:
    """A worker that is started again installs all its entries; packets and signalling have their turn meanwhile."""
    with private_reactor() as reactor:
        zero, other = socket_pipe(reactor)
        heard: list[Struct] = []
        turns: list[int] = []
        zero.start(heard.append, lambda: None)
        other.start(lambda message: None, lambda: None)
        for number in range(20_000):
            other.send(Carry(number, []))

        def look() -> bool:
            turns.append(len(heard))
            return len(heard) == 20_000

        run_until(reactor, look)
        steps = [after - before for before, after in pairwise(turns)]
        assert max(steps) < 20_000 / 2
        assert max(steps) >= MOST_TOGETHER
        zero.stop()
        other.stop()
        run_until(reactor, lambda: zero.transport is None and other.transport is None)
