"""The DHCP sockets of an LMA that relays, and how they are wired."""

from collections.abc import Callable

from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.addresses import Ipv4
from pmip_tw.agents.dhcp_edge import DhcpEdge
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.dhcp.relaying import Fact
from pmip_tw.interfaces import IDhcpSocket, IForwardingPlane, ISignalling
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.net.dhcp_socket import UdpDhcpSocket
from pmip_tw.services.lma_parts import dhcp_relay_of


def dhcp_edge_of(
    settings: LmaSettings,
    reactor: PosixReactorBase,
    forwarding: IForwardingPlane,
    signalling: ISignalling,
    worker_of: Callable[[AnchorKey], int] = lambda key: 0,
) -> DhcpEdge | None:
    """None: nothing is relayed.

    Port 67 of every address where servers answer; and what comes there out of the devices of nodes that take us for
    their server (D14). Nobody else can send that: it has been through a node's own tunnel.
    """
    policy = dhcp_relay_of(settings)
    if policy is None:
        return None
    devices = {"": settings.device} | {domain.name: domain.device for domain in settings.domains}
    pools = [pool for pool in settings.pools if pool.assigned_by == "dhcp"]
    homes: dict[str, list[IDhcpSocket]] = {}
    relayed = Fact.SERVER_IDENTIFIER_OVERRIDE in policy.option_82
    for domain, giaddr in dict.fromkeys((pool.domain, pool.giaddr or policy.giaddr) for pool in pools):
        if relayed:
            homes.setdefault(domain, []).append(UdpDhcpSocket(reactor, giaddr, device=devices[domain]))
    giaddrs: dict[Ipv4, None] = dict.fromkeys(pool.giaddr or policy.giaddr for pool in pools)
    servers = {giaddr: UdpDhcpSocket(reactor, giaddr, leaves_devices=relayed) for giaddr in giaddrs}
    return DhcpEdge(forwarding, servers, homes, signalling.send, worker_of)
