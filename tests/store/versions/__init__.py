"""The journals of every version, and what is in them."""

from pathlib import Path

from pmip_tw.mobility.records import Record
from pmip_tw.store.clocks import Instant
from tests.store.records import held, released

VERSIONS = Path(__file__).parent

CONTENT: list[Record] = [held(1), held(2), released(1), held(3)]
"""Oldest first, each in a row of its own."""


def machine_of_then() -> Instant:
    """The machine on which they were written, which has not been restarted since."""
    return Instant("4f2f1d6e-0d5c-4c5e-9d0a-6f1f3c6b8a10", 5000.0, 4000.0, 1_704_067_200.0)
