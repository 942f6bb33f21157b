"""What a machine asks its agent to do. Each effect names its object completely and may be repeated."""

from typing import Any

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.mobility.observations import Alike, Observation
from pmip_tw.mobility.tunnels import Entry, EntryKey


@attrs.frozen(slots=True)
class Send:
    """Send ``datagram`` from our UDP port 434 at ``source`` to ``destination``."""

    datagram: bytes = attrs.field(repr=False)
    destination: Endpoint
    source: Ipv4


@attrs.frozen(slots=True)
class Install:
    """Make the packet plane hold ``entry``, replacing what has its key in one step."""

    entry: Entry


@attrs.frozen(slots=True)
class Remove:
    """Take the entry of ``key`` out of the packet plane; nothing happens if there is none."""

    key: EntryKey


@attrs.frozen(slots=True)
class Observe:
    """Tell the observers."""

    observation: Observation


@attrs.frozen(slots=True)
class ObserveAlike:
    """Tell the observers of what comes by thousands in a second."""

    observations: Alike[Any]
