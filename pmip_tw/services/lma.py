"""``twistd pmip-lma``: the parts of an LMA and how they are wired."""

import time
from pathlib import Path

from twisted.application.service import IService
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.addresses import ipv4_text
from pmip_tw.agents.dhcp_roads import AtTheEdge
from pmip_tw.agents.lma import Lma
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.forwarding.anchor import TunAnchor
from pmip_tw.interfaces import ISignalling
from pmip_tw.net.clock import ReactorClock
from pmip_tw.net.ipsec_policies import KernelPolicies
from pmip_tw.net.signalling import UdpSignalling
from pmip_tw.services.crew import Crew
from pmip_tw.services.daemon import Daemon, Part
from pmip_tw.services.dynamic_authorization import lma_authorization_of
from pmip_tw.services.journals import Journals
from pmip_tw.services.lma_aaa import diameter_of, node_keys_of, radius_of
from pmip_tw.services.lma_accounting import accounting_at, lma_accounting_of
from pmip_tw.services.lma_dhcp import dhcp_edge_of
from pmip_tw.services.lma_parts import domains_of, engine_of, pools_of, store_of
from pmip_tw.services.lma_workers import WorkerZero
from pmip_tw.services.management import Management
from pmip_tw.services.memory import settle
from pmip_tw.services.options import Options, read_settings
from pmip_tw.services.radius import server_tables

__all__ = ["Options", "makeService"]


def makeService(options: Options) -> IService:
    """The LMA that the configuration file describes."""
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs one; not before it is wanted

    assert isinstance(reactor, PosixReactorBase)
    settings = read_settings(options, LmaSettings)
    return (
        compose(settings, reactor)
        if settings.workers == 1
        else compose_workers(settings, reactor, Path(options["config"]))
    )


def compose(settings: LmaSettings, reactor: PosixReactorBase) -> Daemon:
    """One process: build the parts and wire their interfaces."""
    signalling = UdpSignalling(reactor, [settings.address, *settings.broadcast_addresses])
    forwarding = _plane(settings, reactor, signalling)
    management = Management()
    dhcp = dhcp_edge_of(settings, reactor, forwarding, signalling)
    clock = ReactorClock(reactor)
    radius = radius_of(settings, reactor, clock, management.observers)
    diameter = diameter_of(settings, reactor, clock, management.observers)
    engine = engine_of(settings, pools_of(settings))
    accounting = lma_accounting_of(
        settings, diameter, reactor, ReactorClock(reactor), forwarding, management.observers
    )
    agent = Lma(
        engine,
        clock=clock,
        signalling=signalling if diameter is None else diameter.hearing(signalling),
        forwarding=forwarding,
        store=store_of(settings, reactor),
        tunnel_data=forwarding,
        ipsec=KernelPolicies(),
        observers=[management.observers],
        dhcp=None if dhcp is None else AtTheEdge(dhcp),
        node_keys=node_keys_of(settings, radius, diameter),
        accounting=None if accounting is None else accounting_at(engine, settings, accounting.book.pages()),
    )
    last = () if accounting is None else (accounting,)
    sessions = agent.sessions if accounting is None else accounting.book.by_id(agent.sessions)
    authorization = lma_authorization_of(
        settings, sessions, reactor=reactor, clock=clock, observer=management.observers
    )
    if diameter is not None:
        diameter.serve(agent, sessions, reactor, clock)
    first = () if diameter is None else (diameter,)
    clients = [one for one in (radius, None if accounting is None else accounting.client) if one is not None]
    tables = agent.tables() | server_tables(*clients)
    if accounting is not None:
        tables |= accounting.tables
    for one in first:
        tables |= one.tables()
    operations = management.operations("lma", tables, revoke=agent.revoke)
    control = management.control(reactor, settings.control, operations)
    return _daemon(
        settings, reactor, management, (*first, *last, Journals(settings), agent, *authorization, control)
    )


def compose_workers(settings: LmaSettings, reactor: PosixReactorBase, config: Path) -> Daemon:
    """Several processes, of which this is worker 0: it has the packet plane and starts the others."""
    crew = Crew(reactor, settings, config)
    signalling = UdpSignalling(
        reactor, [settings.address, *settings.broadcast_addresses], opened=crew.port.of_worker_0
    )
    forwarding = _plane(settings, reactor, signalling)
    management = Management()
    zero = WorkerZero(settings, reactor, crew, signalling, forwarding, management)
    first = () if zero.diameter is None else (zero.diameter,)
    return _daemon(
        settings,
        reactor,
        management,
        (*first, *zero.last, crew.port, Journals(settings), zero, *zero.authorization, zero.control),
    )


def _plane(settings: LmaSettings, reactor: PosixReactorBase, signalling: ISignalling) -> TunAnchor:
    return TunAnchor(
        reactor=reactor,
        monotonic=time.monotonic,
        signalling=signalling,
        local=settings.address,
        domains=domains_of(settings),
    )


def _daemon(
    settings: LmaSettings, reactor: PosixReactorBase, management: Management, parts: tuple[Part, ...]
) -> Daemon:
    return Daemon(
        f"LMA {settings.identity} at {ipv4_text(settings.address)}",
        parts,
        when_running=reactor.callWhenRunning,
        at_stop=management.log.flush,
        settle=settle,
    )
