"""How nodes are authenticated where they appear: from settings to the policy of the MAG's machine."""

from pmip_tw.access.authenticator import EapTimes
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.mag.authentication.access_policy import AccessPolicy, Dot1xPolicy, PortAuthentication


def access_policy_of(settings: MagSettings) -> AccessPolicy:
    """What ``[[mag.access]]``, ``[mag.dot1x]`` and ``[[mag.radius_proxy.clients]]`` say."""
    table = settings.dot1x
    clients = () if settings.radius_proxy is None else settings.radius_proxy.clients
    return AccessPolicy(
        ports={port.interface: PortAuthentication(port.authentication) for port in settings.access},
        access_points=frozenset((client.address, client.interface) for client in clients),
        dot1x=Dot1xPolicy(
            times=EapTimes(
                tx_period=table.tx_period,
                max_tries=table.max_tries,
                quiet_period=table.quiet_period,
                server_timeout=table.server_timeout,
            ),
            reauth_period=table.reauth_period,
            mac_after=table.mac_after,
            max_conversations=table.max_conversations,
            max_new=table.max_new,
        ),
    )
