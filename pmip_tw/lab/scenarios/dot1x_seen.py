"""What the run of ``dot1x`` itself noted, beside the capture."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs

from pmip_tw.lab.daemons import Counts
from pmip_tw.lab.dynamic_client import Answer
from pmip_tw.lab.freeradius import Attachment, Record
from pmip_tw.lab.pinging import Pings
from pmip_tw.lab.port_counters import Counted
from pmip_tw.lab.report import Check
from pmip_tw.lab.scenarios.journey import Journey


@attrs.define(slots=True, kw_only=True)
class Seen:
    """Instants are Unix nanoseconds. ``counted``: what came from the node's port and what went to it."""

    journey: Journey = attrs.field(factory=Journey)
    forgotten: tuple[int, ...] = ()
    """The moves before which the AAA server forgot its TLS sessions."""
    attach_ns: int = 0
    attached_ns: int = 0
    journey_ns: int = 0
    travelled_ns: int = 0
    change_ns: int = 0
    changed_ns: int = 0
    end_ns: int = 0
    over_ns: int = 0
    bulk: list[dict[str, Any]] = attrs.field(factory=list)
    changes: list[Answer] = attrs.field(factory=list)
    after_change: list[Pings] = attrs.field(factory=list)
    """How many pings came back after each change."""
    ended: Answer | None = None
    complete: bool = False
    counted: tuple[Counted, Counted] | None = None
    records: Sequence[Record] = ()
    attachments: Sequence[Attachment] = ()
    dropped: Counts = attrs.field(factory=Counter)
    refused: Counts = attrs.field(factory=Counter)
    """What MAGs have counted of strangers, and of forged requests."""
    intruders: list[Check] = attrs.field(factory=list)
    left: list[str] = attrs.field(factory=list)
    capture_lost: int = 0
