"""What a mobile node learns about its home link."""

import attrs

from pmip_tw.addresses import Ipv4, Prefix


@attrs.frozen(slots=True, kw_only=True)
class HomeConfiguration:
    """The home link of one prefix (P70).

    ``gateway`` is the server identifier too, and the same on every MAG, so that a renewal reaches whichever MAG
    serves the node (D21, P66). ``lease_time`` is in seconds; ``mtu`` in octets, None to leave it to the node.
    """

    prefix: Prefix
    gateway: Ipv4
    dns: tuple[Ipv4, ...] = ()
    lease_time: int = 3600
    mtu: int | None = None
