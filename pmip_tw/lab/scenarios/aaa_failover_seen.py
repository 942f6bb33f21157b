"""What the run of ``aaa-failover`` itself noted, beside the capture."""

from collections.abc import Sequence

import attrs

from pmip_tw.lab.freeradius import Record
from pmip_tw.lab.pinging import Pings


@attrs.define(slots=True, kw_only=True)
class Seen:
    """Instants are Unix nanoseconds. ``failed_over``: the address of the node that came when one server was down;
    ``said``: what the MAG's trace said of the one that came when both were. ``records``: of both servers, by the
    server's number."""

    began_ns: int = 0
    one_down_ns: int = 0
    both_down_ns: int = 0
    killed_ns: int = 0
    both_back_ns: int = 0
    left_ns: int = 0
    failed_over: str = ""
    told_other: bool = False
    """Its Start is at the other server."""
    dark: Pings | None = None
    said: str = ""
    got_nothing: bool = False
    waiting: int = 0
    """Accounting records that the MAG kept when both servers were down."""
    back_ms: float | None = None
    records: Sequence[tuple[int, Record]] = ()
    left: list[str] = attrs.field(factory=list)
    capture_lost: int = 0
