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
    """Without it the collector looks at everything now and then."""
    untold = collected(200_000, settled=False)
    assert len(untold["rounds"]) > 100
    assert 2 in untold["rounds"]
    told = collected(200_000, settled=True)
    assert told["frozen"] > 200_000
    assert len(told["rounds"]) < len(untold["rounds"])
    assert 2 not in told["rounds"]


def test_no_look_is_a_long_one() -> None:
    """Keys are made ready and put to rest by the hundred thousand: of each three objects are new, and three freed."""
    program = """
import gc
from pmip_tw.mobility.associations import AssociationTable, SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.services.memory import settle

nodes = [SecurityAssociation(4096, Secret(b"%16d" % number)) for number in range(150_000)]
table = AssociationTable(((f"mn{number}", one) for number, one in enumerate(nodes)), most_ready=131_072)
settle()
looked_at = []
gc.callbacks.append(
    lambda phase, info: phase == "start"
    and looked_at.append(sum(len(gc.get_objects(young)) for young in range(info["generation"] + 1)))
)
other = []
for _ in range(2):
    for place, node in enumerate(nodes):
        node.verify(b"", node.sign(b""))
        if place % 50 == 0:
            other.append([])
print(table.ready, max(looked_at))
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    ready, most = map(int, done.stdout.split())
    assert 130_000 < ready <= 131_072
    assert 1_000 < most < 30_000


@pytest.mark.parametrize("role", [lma, mag])
def test_every_role_settles(role: Any) -> None:
    assert role.settle is settle
