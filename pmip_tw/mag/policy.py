"""What an operator decides about a MAG."""

import attrs

from pmip_tw.addresses import Ipv4, Mac, Prefix
from pmip_tw.dhcp.configuration import HomeConfiguration

_UNCONFIGURED_LENGTH = 24


@attrs.frozen(slots=True, kw_only=True)
class MagPolicy:
    """Times in seconds.

    ``address``: the care-of address, ours. ``lifetime``: asked for. ``nat_traversal``: "auto", "force" or "off" (N1).
    ``attach_probe_max_age``: P15. ``reject_hold``, ``max_authentications``: P83. ``duplicate_mac``: "refuse" or
    "move" (AA24). ``home_links``: what DHCP says, by prefix. ``timestamp_window``: how far an LMA's clock may be from
    ours before we follow it (P33). ``pmip_backoff``: how long nothing is asked for after a refusal with 149 or 150
    (P16). ``access_technology``: told in 147/4; 1 is IEEE 802.3 (P12).
    ``dhcp``: "server" (P60) or "independent" (P62).
    """

    address: Ipv4
    gateway_mac: Mac
    lifetime: int = 1800
    nat_traversal: str = "auto"
    attach_probe_max_age: float = 30.0
    reject_hold: float = 30.0
    max_authentications: int = 256
    duplicate_mac: str = "refuse"
    home_links: tuple[HomeConfiguration, ...] = ()
    timestamp_window: float = 7.0
    pmip_backoff: float = 600.0
    access_technology: int = 1
    dhcp: str = "server"

    def home_link(self, home_address: Ipv4) -> HomeConfiguration:
        """The link that ``home_address`` lives on.

        A prefix that is not configured is taken for a /24 with its first host as gateway (D25, P70).
        """
        configured = self.configured_link(home_address)
        if configured is not None:
            return configured
        mask = 0xFFFFFFFF << (32 - _UNCONFIGURED_LENGTH) & 0xFFFFFFFF
        prefix = Prefix(Ipv4(home_address & mask), _UNCONFIGURED_LENGTH)
        return HomeConfiguration(prefix=prefix, gateway=prefix.first_host)

    def configured_link(self, home_address: Ipv4) -> HomeConfiguration | None:
        """The configured link that ``home_address`` lives on."""
        for link in self.home_links:
            if home_address in link.prefix:
                return link
        return None
