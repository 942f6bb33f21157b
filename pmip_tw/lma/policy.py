"""What an operator decides about an LMA."""

import attrs

from pmip_tw.addresses import Ipv4


@attrs.frozen(slots=True, kw_only=True)
class LmaPolicy:
    """Times in seconds.

    ``address``: the home agent address, ours. ``max_lifetime``: the longest lifetime granted (L6);
    ``nat_max_lifetime``: the same for UDP tunnels (N25). ``timestamp_window``: I6. ``handover_min_interval``: P79.
    ``address_hold``: P80. ``revoke_on_handover``: P35. ``nat_traversal``, ``forced_udp``: N19.
    ``keepalive_interval``: told in UDP tunnel replies (N38). ``resync_beyond_last``: P33.
    ``strict_reserved_bits``: refuse requests with reserved bits set (H9). ``require_revocation``: RV3.
    ``revocation_inform``: agree to the I bit (RV5).
    """

    address: Ipv4
    max_lifetime: int = 3600
    nat_max_lifetime: int = 600
    timestamp_window: float = 7.0
    handover_min_interval: float = 1.0
    address_hold: float = 3600.0
    revoke_on_handover: bool = True
    nat_traversal: bool = True
    forced_udp: bool = True
    keepalive_interval: int = 110
    resync_beyond_last: bool = True
    strict_reserved_bits: bool = False
    require_revocation: bool = False
    revocation_inform: bool = False
