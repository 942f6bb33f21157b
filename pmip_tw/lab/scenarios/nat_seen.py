"""What the run of ``nat`` itself noted, beside the capture."""

from typing import Any

import attrs

from pmip_tw.lab.dhcp_servers import Lease
from pmip_tw.lab.pinging import Pings
from pmip_tw.lab.report import Number, Result
from pmip_tw.lab.scenarios.journey import Journey


@attrs.define(slots=True, kw_only=True)
class Seen:
    """``*_ns``: Unix nanoseconds, when that began. ``intruders``: the checks of those who are none of ours."""

    journey: Journey = attrs.field(factory=Journey)
    attach_ns: int = 0
    attached: float = 0.0
    """Monotonic seconds."""
    lease: Lease | None = None
    neighbor_ns: int = 0
    neighbor_address: str = ""
    both_ways: list[Pings] = attrs.field(factory=list)
    silent_ns: int = 0
    spoken_ns: int = 0
    after_silence: Pings | None = None
    reboot_ns: int = 0
    rebooted_ns: int = 0
    neighbor_back: bool = False
    tunnels: dict[str, list[dict[str, Any]]] = attrs.field(factory=dict)
    """What MAG 1 and the LMA show after the reboot; so ``leases``, of the LMA."""
    leases: list[dict[str, Any]] = attrs.field(factory=list)
    server_down: list[str] = attrs.field(factory=list)
    """What the traces of MAG and LMA say."""
    waited: bool = False
    got_nothing: bool = False
    server_back_ms: Number = None
    journey_ns: int = 0
    renew_ns: int = 0
    renewed: str = ""
    renewed_lease: Lease | None = None
    released_ns: int = 0
    gone_ns: int = 0
    released: bool = False
    intruders: Result = attrs.field(factory=lambda: Result(scenario="nat"))
    left: list[str] = attrs.field(factory=list)
    capture_lost: int = 0
