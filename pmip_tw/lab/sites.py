"""Where everything is: the laboratory's addresses, and how each MAG is connected to the core."""

from collections.abc import Mapping
from typing import Final

import attrs

from pmip_tw.addresses import prefix

HOME: Final = prefix("10.1.0.0/24")
LMA_ADDRESS: Final = "198.51.100.1"
AAA_ADDRESS: Final = "198.51.100.53"
CORRESPONDENT: Final = "203.0.113.9"


@attrs.frozen(slots=True, kw_only=True)
class Site:
    """``address``: the MAG's own. ``seen_as``: the address by which the core knows it, if a NAT is between.
    ``access_point``: the core address of the one that authenticates before this MAG, if there is one."""

    address: str
    seen_as: str = ""
    access_point: str = ""

    @property
    def core_address(self) -> str:
        """The address in the core."""
        return self.seen_as or self.address


Sites = Mapping[str, Site]
"""By the name of the MAG."""

DIRECT: Final[Sites] = {"mag1": Site(address="198.51.100.11"), "mag2": Site(address="198.51.100.12")}
BEHIND_NATS: Final[Sites] = {
    "mag1": Site(address="192.168.1.10", seen_as="198.51.100.21"),
    "mag2": Site(address="192.168.1.10", seen_as="198.51.100.22"),
}
"""Each behind a NAT of its own, and both with the same private address, as two customers of a shop have it."""
BEHIND_ACCESS_POINTS: Final[Sites] = {
    "mag1": Site(address="198.51.100.11", access_point="198.51.100.31"),
    "mag2": Site(address="198.51.100.12", access_point="198.51.100.32"),
}
"""Each with an access point that asks it by RADIUS."""
