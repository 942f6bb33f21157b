"""By whose association the requests of a MAG are proven (RFC 5563 4.3, P72)."""

from enum import Enum


class AuthenticationMode(Enum):
    """What a MAG and an LMA share; the values are the configuration's words at both."""

    PER_MN = "per-mn"
    """Nothing: the keys are those of the mobile nodes."""
    FA_HA = "fa-ha"
    """A key of the MAG's own, for FA-HA authenticators."""
    IPSEC = "ipsec"
    """ESP for all signalling (P73)."""
