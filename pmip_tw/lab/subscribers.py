"""Who the mobile nodes are."""

from typing import Final

import attrs

from pmip_tw.addresses import Mac, ipv4, mac
from pmip_tw.lab.freeradius import RadiusUser
from pmip_tw.lab.sites import LMA_ADDRESS


@attrs.frozen(slots=True, kw_only=True)
class Subscriber:
    """A mobile node's identity, as AAA and LMA know it. ``key_text``: its MN-HA key."""

    mac: Mac
    nai: str
    spi: int
    key_text: str = attrs.field(repr=False)

    def at_radius(self) -> RadiusUser:
        """As FreeRADIUS knows it, if nothing else is said: its MAC address is enough for its LMA here."""
        return RadiusUser(
            mac=self.mac, nai=self.nai, lma=ipv4(LMA_ADDRESS), spi=self.spi, key_text=self.key_text
        )


SUBSCRIBER: Final = Subscriber(
    mac=mac("02:00:00:00:00:01"), nai="mn1@lab.example", spi=4096, key_text="0123456789abcdef"
)
