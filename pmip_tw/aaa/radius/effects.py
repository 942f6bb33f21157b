"""What the machine asks its edge to do."""

import attrs

from pmip_tw.aaa.radius.outcome import RadiusOutcome
from pmip_tw.addresses import Endpoint
from pmip_tw.mobility.effects import Observe, ObserveAlike


@attrs.frozen(slots=True)
class Transmit:
    """Send ``datagram`` to a server from the socket of this number; to one of TLS, on its connection."""

    datagram: bytes = attrs.field(repr=False)
    destination: Endpoint
    socket: int = 0


@attrs.frozen(slots=True)
class Connect:
    """Connect to this server by TLS, and say how that ends."""

    server: Endpoint


@attrs.frozen(slots=True)
class Disconnect:
    """Close the connection to this server, which is of no use; nothing needs to be said of it any more."""

    server: Endpoint


@attrs.frozen(slots=True)
class Finished:
    """The exchange that ``ask`` gave this number is over."""

    exchange: int
    outcome: RadiusOutcome


Effect = Transmit | Connect | Disconnect | Finished | Observe | ObserveAlike
