"""The queues of questions about keys: turns, and who makes room."""

import random

import pytest

from pmip_tw.addresses import Ipv4
from pmip_tw.lma.keys import questions
from pmip_tw.lma.keys.questions import About


@pytest.mark.parametrize("seed", range(20))
def test_whoever_has_most_makes_room(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a list of all that waits, through whatever comes."""
    monkeypatch.setattr(questions, "MOST_WAITING", 12)
    draw = random.Random(seed)
    queue = questions._Queue(6)
    waiting: dict[Ipv4, list[About]] = {}
    for number in range(400):
        longest = max(map(len, waiting.values()), default=0)
        if draw.random() < 0.3 and waiting:
            about = queue.pop()
            [source] = [one for one, row in waiting.items() if row and row[0] == about]
            waiting[source].pop(0)
        else:
            source = Ipv4(draw.choice([1, 1, 1, 2, 2, 3, 4, 5]))
            row = waiting.setdefault(source, [])
            about = (b"%d" % number, 256, source)
            room = queue.put(about, source)
            full = sum(map(len, waiting.values())) == 12
            if len(row) == 6 or (full and len(row) + 1 >= longest):
                assert room is False
            else:
                row.append(about)
                assert full == (room is not True)
                if not isinstance(room, bool):
                    [loser] = [one for one, theirs in waiting.items() if theirs and theirs[-1] == room]
                    assert len(waiting[loser]) == longest and loser != source
                    waiting[loser].pop()
        waiting = {source: row for source, row in waiting.items() if row}
        assert len(queue) == sum(map(len, waiting.values())) <= 12
