"""What an LMA is made of, from its settings."""

from typing import Any

import attrs

from pmip_tw.config.settings.address_spaces import Pool
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.forwarding.home_domain import HomeDomain
from pmip_tw.interfaces import IBindingStore
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.journal.records import LMA_JOURNAL
from pmip_tw.lma.mags import KnownMag, KnownMags
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.realms import realm_key
from pmip_tw.lma.workers.leased_pool import LeasedPool
from pmip_tw.lma.workers.leased_pools import LeasedPools
from pmip_tw.lma.workers.leases import block_size
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.mobility.associations import AssociationTable
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.mn_aaa import AaaTable, NodeKey
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.services.dhcp_relaying import relay_policy_of
from pmip_tw.services.dynamic_authorization import filters_of
from pmip_tw.services.lma_aaa import key_policy_of
from pmip_tw.store.journal import SqliteJournal, ThreadReactor
from pmip_tw.store.slices import journal_path
from pmip_tw.store.unsaved import Unsaved


def engine_of(settings: LmaSettings, pools: Pools, worker: int = 0) -> LmaEngine:
    """It knows the keys of the worker's own nodes."""
    workers = settings.workers
    associations = (
        (nai, association)
        for nai, association in settings.associations
        if workers == 1 or worker_of_nai(nai, workers) == worker
    )
    return LmaEngine(
        policy_of(settings),
        AssociationTable(associations),
        pools,
        mags=mags_of(settings),
        aaa=AaaTable(
            (node.nai, NodeKey(node.aaa, node.association(settings.address)))
            for node in settings.mobile_nodes
            if node.aaa
        ),
        dhcp_relay=dhcp_relay_of(settings),
        keys=key_policy_of(settings),
    )


def dhcp_relay_of(settings: LmaSettings) -> RelayPolicy | None:
    """None: nothing is relayed. Servers answer to our own address if no other is named."""
    if settings.dhcp_relay is None:
        return None
    policy = relay_policy_of(settings.dhcp_relay)
    return attrs.evolve(policy, giaddr=policy.giaddr or settings.address)


def store_of(settings: LmaSettings, reactor: ThreadReactor, worker: int = 0) -> IBindingStore:
    """The journal of a worker, or none: ``store = ""``."""
    if not settings.store:
        return Unsaved()
    path = journal_path(settings.store, worker, settings.workers)
    return SqliteJournal(path, LMA_JOURNAL, horizon=horizon_of(settings), reactor=reactor)


def horizon_of(settings: LmaSettings) -> float:
    """A binding lives for as long as the longest lifetime, its address is held then; the rest is for what was saved
    under another configuration, and for identifiers of revocations.
    """
    return settings.max_lifetime + settings.address_hold + 3600


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
        allow_relayed_colocated=settings.allow_relayed_colocated,
        require_protected_extensions=settings.require_protected_extensions,
        refuse_reserved_144=settings.reserved3_policy == "134",
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
        pre_tunnel=settings.pre_tunnel,
        pre_tunnel_request_type=settings.pre_tunnel_request_type,
        pre_tunnel_reply_type=settings.pre_tunnel_reply_type,
        filters=filters_of(settings.filters),
        pre_tunnel_lifetime=settings.pre_tunnel_lifetime,
        sees_traffic=settings.workers == 1,
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


def _addresses(pool: Pool, settings: LmaSettings) -> dict[str, Any]:
    """What every kind of address pool is told besides its prefix."""
    return {
        "exclude": pool.exclude,
        "hold": settings.address_hold,
        "gateway": pool.gateway,
        "name_servers": pool.dns,
        "domain": pool.domain,
        "giaddr": pool.giaddr,
        "by_dhcp": pool.assigned_by == "dhcp",
    }


def pools_of(settings: LmaSettings) -> Pools:
    """All addresses of all pools."""
    pools = [(AddressPool(pool.prefix, **_addresses(pool, settings)), pool.realms) for pool in settings.pools]
    return Pools(pools, settings.home_addresses)


def leased_pools_of(settings: LmaSettings) -> LeasedPools:
    """What worker 0 lends of the same pools."""
    pools = []
    for pool in settings.pools:
        block = block_size(pool.prefix, settings.workers)
        pools.append((LeasedPool(pool.prefix, block=block, **_addresses(pool, settings)), pool.realms))
    return LeasedPools(pools, settings.home_addresses)
