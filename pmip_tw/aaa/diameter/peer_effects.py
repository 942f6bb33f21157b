"""What is configured of a Diameter peer, and what its machine asks of the edge and tells the node."""

import attrs

from pmip_tw.mobility.effects import Observe
from pmip_tw.wire.diameter.message import Message


@attrs.frozen(slots=True, kw_only=True)
class PeerPolicy:
    """A peer as configured. ``host``: its DiameterIdentity, "" for whoever connects to us. ``realms``: what it can
    reach, none for any. ``keys``: whether key AVPs may come from it: the way to it is protected, or short."""

    host: str
    realms: frozenset[str] = frozenset()
    keys: bool = False
    watchdog_interval: float = 30.0
    reconnect_interval: float = 30.0
    accepting: bool = False


@attrs.frozen(slots=True)
class Connect:
    """Open a connection to the peer; what becomes of it is told."""

    peer: str


@attrs.frozen(slots=True)
class Transmit:
    """Send ``octets`` to the peer."""

    peer: str
    octets: bytes = attrs.field(repr=False)


@attrs.frozen(slots=True)
class Disconnect:
    """End its connection, or the attempt; nothing more is told about it. ``gently``: what was sent still goes out."""

    peer: str
    gently: bool = False


@attrs.frozen(slots=True)
class Came:
    """To the node: a message that is not the peers' own business."""

    message: Message


@attrs.frozen(slots=True)
class Changed:
    """To the node: the peer can be used now, or cannot any more."""


Effect = Connect | Transmit | Disconnect | Observe | Came | Changed
