"""``twistd pmip-lma``: the parts of an LMA and how they are wired."""

import time

from twisted.application.service import IService
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.addresses import ipv4_text
from pmip_tw.agents.lma import Lma
from pmip_tw.config.lma_settings import LmaSettings
from pmip_tw.forwarding.anchor import TunAnchor
from pmip_tw.forwarding.home_domain import HomeDomain
from pmip_tw.interfaces import IBindingStore
from pmip_tw.lma.address_pool import AddressPool
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.mags import KnownMag, KnownMags
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.pools import Pools
from pmip_tw.lma.realms import realm_key
from pmip_tw.lma.records import LMA_JOURNAL
from pmip_tw.mobility.associations import AssociationTable
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.mn_aaa import AaaTable, NodeKey
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.net.clock import ReactorClock
from pmip_tw.net.ipsec_policies import KernelPolicies
from pmip_tw.net.signalling import UdpSignalling
from pmip_tw.services.daemon import Daemon
from pmip_tw.services.management import Management
from pmip_tw.services.memory import settle
from pmip_tw.services.options import Options, read_settings
from pmip_tw.store.journal import SqliteJournal
from pmip_tw.store.unsaved import Unsaved

__all__ = ["Options", "makeService"]


def makeService(options: Options) -> IService:
    """The LMA that the configuration file describes."""
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs one; not before it is wanted

    assert isinstance(reactor, PosixReactorBase)
    return compose(read_settings(options, LmaSettings), reactor)


def compose(settings: LmaSettings, reactor: PosixReactorBase) -> Daemon:
    """Build the parts and wire their interfaces."""
    engine = LmaEngine(
        policy_of(settings),
        AssociationTable(settings.associations),
        pools_of(settings),
        mags=mags_of(settings),
        aaa=AaaTable(
            (node.nai, NodeKey(node.aaa, node.association)) for node in settings.mobile_nodes if node.aaa
        ),
    )
    signalling = UdpSignalling(reactor, [settings.address, *settings.broadcast_addresses])
    forwarding = TunAnchor(
        reactor=reactor,
        monotonic=time.monotonic,
        signalling=signalling,
        local=settings.address,
        domains=domains_of(settings),
    )
    management = Management()
    agent = Lma(
        engine,
        clock=ReactorClock(reactor),
        signalling=signalling,
        forwarding=forwarding,
        store=store_of(settings, reactor),
        tunnel_data=forwarding,
        ipsec=KernelPolicies(),
        observers=[management.observers],
    )
    control = management.control(reactor, settings.control, "lma", agent.tables(), revoke=agent.revoke)
    return Daemon(
        f"LMA {settings.identity} at {ipv4_text(settings.address)}",
        (agent, control),
        when_running=reactor.callWhenRunning,
        at_stop=management.log.flush,
        settle=settle,
    )


def store_of(settings: LmaSettings, reactor: PosixReactorBase) -> IBindingStore:
    """The journal, or none: ``store = ""``."""
    if not settings.store:
        return Unsaved()
    # A binding lives for as long as the longest lifetime, its address is held then; the rest is for what was saved
    # under another configuration, and for identifiers of revocations.
    horizon = settings.max_lifetime + settings.address_hold + 3600
    return SqliteJournal(settings.store, LMA_JOURNAL, horizon=horizon, reactor=reactor)


def domains_of(settings: LmaSettings) -> tuple[HomeDomain, ...]:
    """The main address space and those of [[lma.domains]] (P85), each with its pools' prefixes and gateways."""
    return (
        _home_domain(settings, "", settings.device, None),
        *(_home_domain(settings, domain.name, domain.device, domain.table) for domain in settings.domains),
    )


def _home_domain(settings: LmaSettings, name: str, device: str, table: int | None) -> HomeDomain:
    pools = [pool for pool in settings.pools if pool.domain == name]
    return HomeDomain(
        name=name,
        device=device,
        mtu=settings.mtu,
        prefixes=tuple(pool.prefix for pool in pools),
        table=table,
        gateways={pool.prefix: pool.gateway for pool in pools},
    )


def policy_of(settings: LmaSettings) -> LmaPolicy:
    return LmaPolicy(
        address=settings.address,
        max_lifetime=settings.max_lifetime,
        nat_max_lifetime=settings.nat_max_lifetime,
        timestamp_window=settings.timestamp_window,
        handover_min_interval=settings.handover_min_interval,
        revoke_on_handover=settings.revoke_on_handover,
        nat_traversal=settings.nat_traversal,
        forced_udp=settings.forced_udp,
        keepalive_interval=settings.keepalive_interval,
        strict_reserved_bits=settings.strict_reserved_bits,
        require_revocation=settings.require_revocation,
        revocation_inform=settings.revocation_inform,
        resync_beyond_last=settings.resync_beyond_last,
        encapsulations=frozenset(map(Encapsulation.labelled, settings.encapsulations)),
        gre_key_with_d=settings.gre_key_with_d,
        max_bindings=settings.max_bindings,
        by_technology=settings.binding_key == "nai+tech",
        tunnel_broadcast=settings.tunnel_broadcast,
        dynamic_home_agent=settings.dynamic_home_agent,
        redirects={
            realm_key(realm): redirect.home_agent
            for redirect in settings.redirects
            for realm in redirect.realms
        },
        drawn_redirects=settings.dynamic_ha_format == "long",
        explain_refusals=settings.explain_refusals,
    )


def mags_of(settings: LmaSettings) -> KnownMags | None:
    """None without [[lma.mags]]: nothing is looked up then."""
    if not settings.mags:
        return None
    return KnownMags(
        KnownMag(
            address=mag.address,
            mode=AuthenticationMode(mag.auth),
            associations=mag.associations,
            behind_nat=mag.behind_nat,
            realms=frozenset(map(realm_key, mag.realms)),
            proxy=mag.proxy,
            draft03=mag.extension_style == "draft03",
        )
        for mag in settings.mags
    )


def pools_of(settings: LmaSettings) -> Pools:
    pools = [
        (
            AddressPool(
                pool.prefix,
                exclude=pool.exclude,
                hold=settings.address_hold,
                gateway=pool.gateway,
                name_servers=pool.dns,
                domain=pool.domain,
            ),
            pool.realms,
        )
        for pool in settings.pools
    ]
    return Pools(pools, settings.home_addresses)
