"""The collector, in processes of their own: what it is told holds for the whole process."""

import json
import subprocess
import sys
from typing import Any

import pytest

from pmip_tw.services import lma, mag
from pmip_tw.services.memory import settle

MANY = """
import gc, json, time
from pmip_tw.services.memory import settle

rounds = []
gc.callbacks.append(lambda phase, info: phase == "start" and rounds.append(info["generation"]))
many = [[number] for number in range({many})]
settle_at = len(rounds)
{settle}
rounds.clear()
more = [[number] for number in range(300_000)]
began = time.thread_time()
gc.collect(1)
print(json.dumps({{"rounds": rounds, "frozen": gc.get_freeze_count(), "seconds": time.thread_time() - began}}))
"""


def collected(many: int, *, settled: bool) -> dict[str, Any]:
    """What the collector does while 300,000 more objects are made."""
    program = MANY.format(many=many, settle="settle()" if settled else "")
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def test_what_lives_long_is_not_gone_through_again() -> None:
    """Without it the collector comes thousands of times, and looks at everything now and then."""
    untold = collected(200_000, settled=False)
    assert len(untold["rounds"]) > 100
    assert 2 in untold["rounds"]
    told = collected(200_000, settled=True)
    assert told["frozen"] > 200_000
    assert len(told["rounds"]) < 10
    assert 2 not in told["rounds"]


@pytest.mark.parametrize("role", [lma, mag])
def test_every_role_settles(role: Any) -> None:
    assert role.settle is settle
