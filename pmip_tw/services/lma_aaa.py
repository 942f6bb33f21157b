"""How an LMA is wired to AAA."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.rules import ProfileRules, RealmDefaults
from pmip_tw.config.settings.diameter import LmaDiameterSettings
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.interfaces import IClock, INodeKeys, IObserver, IRadiusClient
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.net.radius_client import RadiusClient
from pmip_tw.net.radius_node_keys import RadiusNodeKeys
from pmip_tw.services.radius import radius_client_of

if TYPE_CHECKING:
    from pmip_tw.agents.diameter_roads import DiameterForWorkers, DiameterThroughWorker0
    from pmip_tw.services.lma_diameter import LmaDiameter


def radius_of(
    settings: LmaSettings, reactor: PosixReactorBase, clock: IClock, observer: IObserver
) -> RadiusClient | None:
    """The client by which an LMA gets keys of RADIUS servers, one for each worker; None if nobody has any."""
    if settings.radius is None or not settings.radius.of("authentication"):
        return None
    # Accounting has a client of its own, which is stopped later.
    those = settings.radius.only("authentication")
    return radius_client_of(those, nas_of(settings), reactor, clock, observer, settings.address)


def nas_of(settings: LmaSettings) -> Nas:
    """Who we are towards AAA."""
    return Nas(identifier=settings.identity, address=settings.address)


def diameter_of(
    settings: LmaSettings, reactor: PosixReactorBase, clock: IClock, observer: IObserver
) -> "LmaDiameter | None":
    """That of one process; None without [lma.diameter]."""
    if settings.diameter is None:
        return None
    from pmip_tw.services.lma_diameter import LmaDiameter, connected  # its library takes a while  # noqa: PLC0415

    nas = nas_of(settings)
    client = connected(settings.diameter, nas, reactor, clock, observer)
    return LmaDiameter(settings.diameter, nas, key_rules_of(settings), client)


def diameter_for_workers(
    settings: LmaSettings, reactor: PosixReactorBase, clock: IClock, observer: IObserver
) -> "tuple[LmaDiameter | None, DiameterForWorkers | None]":
    """Worker 0's, and what it does for the others; None without [lma.diameter]."""
    if settings.diameter is None:
        return None, None
    from pmip_tw.agents.diameter_roads import DiameterForWorkers  # as above  # noqa: PLC0415
    from pmip_tw.services.lma_diameter import LmaDiameter, connected  # as above  # noqa: PLC0415

    nas = nas_of(settings)
    client = DiameterForWorkers(connected(settings.diameter, nas, reactor, clock, observer), settings.workers)
    return LmaDiameter(settings.diameter, nas, key_rules_of(settings), client), client


def diameter_through_worker_0(
    settings: LmaSettings, worker: int, clock: IClock, send: Callable[[Struct], None]
) -> "tuple[LmaDiameter | None, DiameterThroughWorker0 | None]":
    """Another worker's, and the client that hears what comes back from worker 0; None without [lma.diameter]."""
    if settings.diameter is None:
        return None, None
    from pmip_tw.services.lma_diameter import LmaDiameter, through_worker_0  # as above  # noqa: PLC0415

    nas = nas_of(settings)
    client = through_worker_0(settings.diameter, nas, worker, clock, send)
    return LmaDiameter(settings.diameter, nas, key_rules_of(settings), client), client


def node_keys_of(
    settings: LmaSettings, radius: IRadiusClient | None, diameter: "LmaDiameter | None" = None
) -> INodeKeys | None:
    """None: keys are those of the configuration."""
    if diameter is not None and diameter.node_keys is not None:
        return diameter.node_keys
    if radius is None or not fetches_keys(settings):
        return None
    return RadiusNodeKeys(radius, nas_of(settings), key_rules_of(settings))


def fetches_keys(settings: LmaSettings) -> bool:
    """Whether there is somebody to ask."""
    by_diameter = settings.diameter is not None and "authentication" in settings.diameter.purposes
    return by_diameter or (settings.radius is not None and bool(settings.radius.of("authentication")))


def proves_requests(table: LmaDiameterSettings | None) -> bool:
    """Whether AAA is asked by, and may bring, what has MN-AAA (RFC 4004)."""
    return table is not None and table.mobile_ipv4 and "authentication" in table.purposes


def key_rules_of(settings: LmaSettings) -> ProfileRules:
    """What is believed of an answer."""
    table = settings.keys
    return ProfileRules(
        precedence=table.precedence,
        realms={
            realm.lower(): RealmDefaults(algorithm=entry.algorithm)
            for entry in table.realms
            for realm in entry.realms
        },
    )


def key_policy_of(settings: LmaSettings) -> KeyPolicy | None:
    """That of one worker: each has a part of the nodes, and asks as much less."""
    if not fetches_keys(settings):
        return None
    table, workers = settings.keys, settings.workers
    return KeyPolicy(
        lifetime=table.lifetime,
        grace=table.grace,
        overlap=table.overlap,
        refused=table.reject_hold,
        again=table.recheck,
        most=table.max_keys // workers,
        rate=max(2, table.max_rate // workers),
        outstanding=max(2, table.max_outstanding // workers),
        ignores_unknown_filters=table.unknown_filter == "ignore",
        proofs=proves_requests(settings.diameter),
    )
