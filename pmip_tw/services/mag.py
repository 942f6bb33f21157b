"""``twistd pmip-mag``: the parts of a MAG and how they are wired."""

import time

import attrs
from twisted.application.service import IService
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4, ipv4_text
from pmip_tw.agents.mag import Mag
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.forwarding.access import TunAccess
from pmip_tw.forwarding.breakout import BreakoutRules
from pmip_tw.forwarding.path_mtu import LINK_MTU
from pmip_tw.interfaces import IBindingStore, IUplink
from pmip_tw.mag.engine import MagEngine
from pmip_tw.mag.journal.records import MAG_JOURNAL
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registration.protection import LmaAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.net.clock import ReactorClock
from pmip_tw.net.dhcp_socket import UdpDhcpSocket
from pmip_tw.net.signalling import UdpSignalling
from pmip_tw.net.uplink import NetlinkUplink, why_absent
from pmip_tw.services.daemon import Daemon
from pmip_tw.services.dhcp_relaying import relay_policy_of
from pmip_tw.services.dynamic_authorization import dynamic_authorization_of, filters_of
from pmip_tw.services.mag_aaa import authenticator_of, diameter_of, radius_of
from pmip_tw.services.mag_access import access_policy_of
from pmip_tw.services.mag_access_points import access_point_tables, access_points_of
from pmip_tw.services.mag_accounting import mag_accounting_of
from pmip_tw.services.management import Management
from pmip_tw.services.memory import settle
from pmip_tw.services.options import Options, read_settings
from pmip_tw.services.radius import server_tables
from pmip_tw.store.journal import SqliteJournal
from pmip_tw.store.unsaved import Unsaved
from pmip_tw.wire.encapsulation import overhead

__all__ = ["Options", "makeService"]


def makeService(options: Options) -> IService:
    """The MAG that the configuration file describes."""
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs one; not before it is wanted

    assert isinstance(reactor, PosixReactorBase)
    return compose(read_settings(options, MagSettings), reactor)


def compose(settings: MagSettings, reactor: PosixReactorBase) -> Daemon:
    """Build the parts and wire their interfaces."""
    uplink = NetlinkUplink(reactor, settings.uplink) if settings.uplink else None
    if uplink is not None:
        settings = attrs.evolve(settings, address=_present_address(uplink, settings.uplink))
    policy = policy_of(settings)
    engine = MagEngine(policy)
    clock = ReactorClock(reactor)
    management = Management()
    signalling = UdpSignalling(reactor, [settings.address])
    forwarding = TunAccess(
        reactor=reactor,
        monotonic=time.monotonic,
        signalling=signalling,
        local=settings.address,
        interfaces=tuple(access.interface for access in settings.access),
        gateway_mac=settings.gateway_mac,
        gateway_for=engine.gateway_for,
        local_routing=settings.local_routing,
        breakout=breakout_of(settings),
    )
    address = None if uplink is None else lambda: engine.care_of_address
    radius = radius_of(settings, reactor, clock, management.observers, address)
    access_points = access_points_of(settings, radius, reactor, clock, management.observers, address)
    diameter = diameter_of(settings, reactor, clock, management.observers)
    accounting = mag_accounting_of(
        settings, radius, diameter, reactor, forwarding, management.observers, address
    )
    agent = Mag(
        engine,
        clock=clock,
        signalling=signalling,
        forwarding=forwarding,
        dhcp=_dhcp_socket(policy, reactor),
        authenticator=authenticator_of(settings, radius, diameter, address),
        access_points=access_points,
        store=store_of(settings, reactor),
        uplink=uplink,
        accounts=None if accounting is None else accounting.accounts,
        tunnel_data=forwarding,
        observers=[management.observers],
    )
    authorization = dynamic_authorization_of(
        settings.dynamic_authorization,
        agent.sessions,
        identity=settings.identity,
        address=lambda: engine.care_of_address,
        local=UNSPECIFIED if uplink is not None else settings.address,
        reactor=reactor,
        clock=clock,
        observer=management.observers,
    )
    tables = agent.tables() | server_tables(radius) | access_point_tables(access_points)
    if accounting is not None:
        tables |= accounting.tables
    diameters = () if diameter is None else (diameter,)
    for one in diameters:
        one.act_upon(agent.sessions)
        tables |= one.tables()
    operations = management.operations("mag", tables, detach=agent.detach)
    control = management.control(reactor, settings.control, operations)
    return Daemon(
        f"MAG {settings.identity} at {ipv4_text(settings.address)}",
        (*diameters, agent, *authorization, control),
        when_running=reactor.callWhenRunning,
        at_stop=management.log.flush,
        settle=settle,
    )


def store_of(settings: MagSettings, reactor: PosixReactorBase) -> IBindingStore:
    """The journal, or none: ``store = ""``."""
    if not settings.store:
        return Unsaved()
    # What is longest-lived is a registration; the rest is for what was saved when ``lifetime`` was longer.
    return SqliteJournal(settings.store, MAG_JOURNAL, horizon=settings.lifetime + 3600, reactor=reactor)


def breakout_of(settings: MagSettings) -> BreakoutRules:
    """Which networks nearby are reached past the tunnels, and who must not be: whoever knows us by our address."""
    servers = settings.radius.servers if settings.radius else ()
    peers = settings.diameter.peers if settings.diameter else ()
    access_points = settings.radius_proxy.clients if settings.radius_proxy else ()
    relay = settings.dhcp_relay
    authorization = settings.dynamic_authorization
    return BreakoutRules(
        device=settings.local_breakout_device,
        proxy_arp=settings.local_breakout_mode == "proxy_arp",
        prefixes=settings.local_breakout,
        home_prefixes=tuple(home.prefix for home in settings.home_prefixes),
        trusting=frozenset(
            (
                *(server.address for server in servers),
                *(peer.address for peer in peers),
                *(access_point.address for access_point in access_points),
                *(relay.servers if relay else ()),
                *(client.address for client in (authorization.clients if authorization else ())),
                *(lma.address for lma in settings.lmas),
                *settings.default_lmas,
                *(lma for user in settings.users for lma in user.preferred),
            )
        ),
    )


def _present_address(uplink: IUplink, interface: str) -> Ipv4:
    """The address to begin with; ends the process if there is none."""
    address = uplink.address()
    if address is None:
        no_address = f"the interface {interface!r} has no IPv4 address (yet): start the MAG when it has"
        raise SystemExit(f"uplink: {why_absent(interface) or no_address}")
    return address


def _tunnel_mtu(settings: MagSettings) -> int:
    """What the largest encapsulation leaves that may come to be used; IP-in-IP is what an LMA may fall back to."""
    keyed, over_udp = settings.gre_key != "none", settings.nat_traversal != "off"
    kinds = (Encapsulation.IP_IN_IP, Encapsulation.labelled(settings.encapsulation))
    return LINK_MTU - max(overhead(kind, over_udp=over_udp, keyed=keyed) for kind in kinds)


def policy_of(settings: MagSettings) -> MagPolicy:
    mtu = _tunnel_mtu(settings) if settings.advertise_mtu else None  # D26
    return MagPolicy(
        address=settings.address,
        gateway_mac=settings.gateway_mac,
        lifetime=settings.lifetime,
        nat_traversal=settings.nat_traversal,
        colocated=settings.coa_mode == "colocated",
        unknown_home_address=ALL_ONES if settings.unknown_hoa == "ones" else UNSPECIFIED,
        encapsulation=Encapsulation.labelled(settings.encapsulation),
        gre_key=settings.gre_key,
        gre_key_with_d=settings.gre_key_with_d,
        tunnel_broadcast=settings.tunnel_broadcast,
        host_configuration=settings.host_configuration,
        send_identifiers=settings.send_identifiers,
        associations=tuple(
            LmaAssociation(address=lma.address, mode=AuthenticationMode(lma.auth), fa_ha=lma.association)
            for lma in settings.lmas
        ),
        default_lmas=settings.default_lmas,
        dynamic_home_agent=settings.dynamic_home_agent,
        pmip_backoff=settings.pmip_backoff,
        liveness=settings.liveness,
        liveness_interval=settings.liveness_interval,
        keepalive_interval=settings.keepalive_interval,
        keepalive_scope=settings.keepalive_scope,
        behind_nat=settings.behind_nat,
        on_revoke=settings.on_revoke,
        require_revocation=settings.require_revocation,
        access=access_policy_of(settings),
        attach_probe_max_age=settings.attach_probe_max_age,
        reject_hold=settings.reject_hold,
        duplicate_mac=settings.duplicate_mac,
        dhcp=settings.dhcp,
        ack_hold=settings.ack_hold,
        pre_tunnel_request_type=settings.pre_tunnel_request_type,
        pre_tunnel_reply_type=settings.pre_tunnel_reply_type,
        identity=settings.identity,
        dhcp_relay=_relay_policy_of(settings),
        dhcp_subnet=settings.dhcp_subnet,
        filters=filters_of(settings.filters),
        ignores_unknown_filters=settings.unknown_filter == "ignore",
        follow_dhcp=settings.dhcp_relay is None or settings.dhcp_relay.follow_dhcp,
        home_links=tuple(
            HomeConfiguration(
                prefix=home.prefix, gateway=home.gateway, dns=home.dns, lease_time=home.lease_time, mtu=mtu
            )
            for home in settings.home_prefixes
        ),
    )


def _relay_policy_of(settings: MagSettings) -> RelayPolicy | None:
    relay = settings.dhcp_relay
    if relay is None:
        return None
    return relay_policy_of(relay, subnet_selection=relay.subnet_selection)


def _dhcp_socket(policy: MagPolicy, reactor: PosixReactorBase) -> UdpDhcpSocket | None:
    relay = policy.dhcp_relay
    return None if relay is None else UdpDhcpSocket(reactor, relay.giaddr or policy.address)
