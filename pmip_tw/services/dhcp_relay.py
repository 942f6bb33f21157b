"""``twistd pmip-dhcp-relay``: the parts of a DHCP relay by itself and how they are wired."""

from collections.abc import Callable

from twisted.application.service import IService
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.agents.dhcp_relay import DhcpRelay
from pmip_tw.config.settings.relay import RelayLink, RelaySettings
from pmip_tw.dhcp.relay_agent import ClientLink, RelayAgent
from pmip_tw.dhcp.relaying import Circuit
from pmip_tw.net.client_links import PacketClientLinks
from pmip_tw.net.clock import ReactorClock
from pmip_tw.net.dhcp_socket import UdpDhcpSocket
from pmip_tw.net.interface_addresses import address_of, prefix_of
from pmip_tw.net.uplink import why_absent
from pmip_tw.services.daemon import Daemon
from pmip_tw.services.dhcp_relaying import relay_policy_of
from pmip_tw.services.management import Management
from pmip_tw.services.memory import settle
from pmip_tw.services.options import Options, read_settings

__all__ = ["Options", "makeService"]

AddressOf = Callable[[str], tuple[Ipv4, Prefix]]


def makeService(options: Options) -> IService:
    """The relay that the configuration file describes."""
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs one; not before it is wanted

    assert isinstance(reactor, PosixReactorBase)
    return compose(read_settings(options, RelaySettings), reactor)


def compose(settings: RelaySettings, reactor: PosixReactorBase) -> Daemon:
    """Build the parts and wire their interfaces."""
    links = client_links_of(settings, _present_address)
    addresses = {link.circuit.giaddr for link in links}
    clock = ReactorClock(reactor)
    management = Management()
    agent = DhcpRelay(
        RelayAgent(relay_policy_of(settings, subnet_selection=settings.subnet_selection), links),
        clock=clock,
        links=PacketClientLinks(reactor, [link.name for link in links]),
        servers={address: UdpDhcpSocket(reactor, address) for address in addresses},
        observers=[management.observers],
    )
    operations = management.operations("dhcp-relay", agent.tables())
    control = management.control(reactor, settings.control, operations)
    return Daemon(
        f"DHCP relay {settings.identity} at {', '.join(map(ipv4_text, sorted(addresses)))}",
        (agent, control),
        when_running=reactor.callWhenRunning,
        at_stop=management.log.flush,
        settle=settle,
    )


def client_links_of(settings: RelaySettings, address_of_interface: AddressOf) -> list[ClientLink]:
    """Each link with what servers are told of it; what its settings leave open its interface's address says (D4)."""
    return [_client_link(link, settings, *address_of_interface(link.interface)) for link in settings.links]


def _client_link(link: RelayLink, settings: RelaySettings, own: Ipv4, prefix: Prefix) -> ClientLink:
    circuit_id = link.circuit_id or f"{settings.identity}:{link.interface}"
    return ClientLink(
        name=link.interface,
        prefix=prefix,
        circuit=Circuit(
            port=link.interface,
            circuit_id=circuit_id.encode(),
            subscriber_id=link.subscriber_id.encode(),
            subnet=link.subnet or prefix.network,
            giaddr=link.giaddr or settings.giaddr or own,
            trusted=link.trusted,
        ),
    )


def _present_address(interface: str) -> tuple[Ipv4, Prefix]:
    """The address to begin with; ends the process if there is none."""
    address, prefix = address_of(interface), prefix_of(interface)
    if address is None or prefix is None:
        absent = why_absent(interface)
        no_address = f"the interface {interface!r} has no IPv4 address: give it one of its clients' subnet"
        raise SystemExit(f"links: {absent or no_address}")
    return address, prefix
