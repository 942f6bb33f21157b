"""Who the mobile nodes are."""

from typing import Final

import attrs

from pmip_tw.addresses import Mac, mac


@attrs.frozen(slots=True, kw_only=True)
class Subscriber:
    """A mobile node's identity, as AAA and LMA know it. ``key_text``: its MN-HA key."""

    mac: Mac
    nai: str
    spi: int
    key_text: str = attrs.field(repr=False)


SUBSCRIBER: Final = Subscriber(
    mac=mac("02:00:00:00:00:01"), nai="mn1@lab.example", spi=4096, key_text="0123456789abcdef"
)
