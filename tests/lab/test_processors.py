"""What of the machine was left, as the kernel tells it."""

import os
import subprocess
import sys

from pmip_tw.lab import processors
from pmip_tw.lab.processors import Processors

BUSY = "cpu  100 20 30 4000 50 6 7 8 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"


def test_what_programs_used_and_other_machines_and_not_devices() -> None:
    assert processors.used(BUSY) == 100 + 20 + 30 + 8


def test_a_process_with_its_children_whatever_its_name() -> None:
    assert processors.used_with_children("7 (a) (b c)) S 1" + " 0" * 9 + " 10 20 3 4 20 0") == 37


def test_what_others_took_is_not_left() -> None:
    cores = os.cpu_count() or 1
    before = Processors(time=100.0, ours=1.0, others=50.0)
    for others, left in ((50.0, 1.0), (50.0 + cores, 0.9), (50.0 + 12 * cores, 0.0), (49.9, 1.0)):
        assert Processors(time=110.0, ours=20.0, others=others).left_since(before) == left


def test_what_a_child_used_is_ours() -> None:
    before = Processors.now()
    subprocess.run([sys.executable, "-c", "sum(range(10_000_000))"], check=True)
    assert Processors.now().ours - before.ours >= 0.05
