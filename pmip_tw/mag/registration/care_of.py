"""The MAG's care-of address, which may change while it runs (P4, P82)."""

import attrs

from pmip_tw.addresses import Ipv4


@attrs.define(slots=True)
class CareOf:
    """``address``: the present one; all rooms of a MAG's machine look at the same value."""

    address: Ipv4
