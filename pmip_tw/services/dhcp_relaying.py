"""The settings of a DHCP relay as the policy of one, for every role that relays."""

from pmip_tw.config.settings.dhcp_relay import DhcpRelay
from pmip_tw.dhcp.relaying import Fact, RelayPolicy, Spread


def relay_policy_of(settings: DhcpRelay, *, subnet_selection: bool = False) -> RelayPolicy:
    """What the settings say; ``giaddr`` is 0 unless they name one."""
    return RelayPolicy(
        servers=settings.servers,
        giaddr=settings.giaddr,
        spread=Spread(settings.spread),
        option_82=frozenset(map(Fact, settings.option_82)),
        max_hops=settings.max_hops,
        max_size=settings.max_size,
        subnet_selection=subnet_selection,
        client_subnet_selection=settings.client_subnet_selection,
    )
