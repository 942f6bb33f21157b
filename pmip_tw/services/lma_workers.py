"""An LMA with several workers: how worker 0 is wired, and each of the others (docs/decisions/0014)."""

import socket
from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase
from twisted.logger import Logger

from pmip_tw.agents.dhcp_roads import AtTheEdge, ToTheEdge
from pmip_tw.agents.lma import Lma
from pmip_tw.agents.rows.tables import Row
from pmip_tw.agents.rows.traffic import with_traffic
from pmip_tw.agents.workers.foreman import Foreman, SharedSignalling
from pmip_tw.agents.workers.remote_book import RemotePages
from pmip_tw.agents.workers.routing import Routing
from pmip_tw.agents.workers.sessions import (
    CHANGE,
    DISCONNECT,
    REAUTHORIZE,
    Rows,
    SessionsOfWorkers,
    answer,
)
from pmip_tw.agents.workers.shared_plane import RemotePlane, SharedPlane
from pmip_tw.agents.workers.supply import Supply
from pmip_tw.agents.workers.worker import Worker, WorkerSignalling, serving
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.forwarding.anchor import TunAnchor
from pmip_tw.interfaces import ISessions, ISignalling
from pmip_tw.lma.workers.holders import Holders
from pmip_tw.lma.workers.lender import Lender
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.manage.shared_operations import SharedOperations
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.net.clock import ReactorClock
from pmip_tw.net.ipsec_policies import KernelPolicies
from pmip_tw.net.pipe import Pipe
from pmip_tw.net.signalling import UdpSignalling
from pmip_tw.services.crew import Crew
from pmip_tw.services.dynamic_authorization import lma_authorization_of
from pmip_tw.services.lma_aaa import diameter_for_workers, diameter_through_worker_0, node_keys_of, radius_of
from pmip_tw.services.lma_accounting import accounting_at, lma_accounting_of
from pmip_tw.services.lma_dhcp import dhcp_edge_of
from pmip_tw.services.lma_parts import engine_of, leased_pools_of, mags_of, store_of
from pmip_tw.services.management import Management
from pmip_tw.services.radius import server_tables


class WorkerZero:
    """Worker 0's own agent, and what it does for the others. ``control`` is the operator's way in, ``authorization``
    AAA's, if there is one; ``last``: what stops after it, and then ``diameter``, by which all of them ask AAA.
    """

    def __init__(
        self,
        settings: LmaSettings,
        reactor: PosixReactorBase,
        crew: Crew,
        signalling: ISignalling,
        forwarding: TunAnchor,
        management: Management,
    ) -> None:
        workers, pools = settings.workers, leased_pools_of(settings)
        lender = Lender([pool.prefix for pool in settings.pools], workers)
        holders = Holders(lender, pools.links, settings.home_addresses, workers)
        clock = ReactorClock(reactor)
        self.diameter, for_workers = diameter_for_workers(settings, reactor, clock, management.observers)
        accounting = lma_accounting_of(
            settings, self.diameter, reactor, ReactorClock(reactor), forwarding, management.observers
        )
        book = None if accounting is None else accounting.book
        self.last = () if accounting is None else (accounting,)
        plane = SharedPlane(forwarding, None if book is None else book.removed)
        dhcp = dhcp_edge_of(
            settings,
            reactor,
            forwarding,
            signalling,
            lambda key: next(iter(holders.of_key(key)), 0),
        )
        self._foreman = Foreman(
            workers,
            routing=Routing(
                workers,
                settings.address,
                mags_of(settings),
                holders.of_address,
                settings.pre_tunnel_request_type,
            ),
            plane=plane,
            lender=lender,
            later=lambda call: reactor.callLater(0, call),
            dhcp=dhcp,
            book=book,
            diameter=for_workers,
        )
        if for_workers is not None:
            for_workers.reach(self._foreman.tell)
        shared: ISignalling = SharedSignalling(signalling, self._foreman)
        supply = Supply(pools, clock, self._foreman.tell_lender)
        radius = radius_of(settings, reactor, clock, management.observers)
        self._foreman.hear_of_leases(supply.heard)
        engine = engine_of(settings, pools)
        self._agent = Lma(
            engine,
            clock=clock,
            signalling=shared if self.diameter is None else self.diameter.hearing(shared),
            forwarding=forwarding,
            store=store_of(settings, reactor),
            tunnel_data=forwarding,
            ipsec=KernelPolicies(),
            observers=[management.observers],
            carrier=plane.own,
            supply=supply,
            dhcp=None if dhcp is None else AtTheEdge(dhcp),
            node_keys=node_keys_of(settings, radius, self.diameter),
            accounting=None if book is None else accounting_at(engine, settings, book.pages()),
        )
        if self.diameter is not None:
            self.diameter.serve(self._agent, self._agent.sessions, reactor, clock)
        self._crew = crew
        self._when_running = reactor.callWhenRunning

        def whose(whom: str) -> int | None:
            """A NAI's or a home address's worker."""
            key = AnchorKey.read(whom)
            if key is None:
                return worker_of_nai(whom.encode(), workers)
            return next(iter(holders.of_key(key)), None)

        sessions: ISessions = SessionsOfWorkers(self._agent.sessions, workers, self._foreman.ask)
        self.authorization = lma_authorization_of(
            settings,
            sessions if book is None else book.by_id(sessions),
            reactor=reactor,
            clock=clock,
            observer=management.observers,
        )
        tables: dict[str, Callable[[], Sequence[Row]]] = {**self._agent.tables()}
        if accounting is None:
            tables |= server_tables(radius)
        else:
            tables |= server_tables(radius, accounting.client) | accounting.tables
        if self.diameter is not None:
            tables |= self.diameter.tables()
        operations = SharedOperations(
            management.operations("lma", tables, revoke=self._agent.revoke),
            workers,
            ask=self._foreman.ask,
            whose=whose,
            completed={"bindings": lambda rows: with_traffic(rows, forwarding)},
        )
        self.control = management.control(reactor, settings.control, operations)

    def start(self) -> None:
        self._agent.start()
        self._when_running(lambda: self._crew.start(self._foreman.connected))

    def stop(self) -> "Deferred[None]":
        """The others first: what they still do needs the packet plane."""
        return Deferred.fromCoroutine(self._stopped())

    async def _stopped(self) -> None:
        self._foreman.stop()
        await self._crew.stop()
        waiting = self._agent.stop()
        if waiting is not None:
            await waiting


class OtherWorker:
    """Worker ``number``, in a process of its own. ``end``: ends the process."""

    _log = Logger(namespace="pmip.workers")

    def __init__(
        self,
        settings: LmaSettings,
        reactor: PosixReactorBase,
        number: int,
        opened: socket.socket,
        pipe_end: socket.socket,
        end: Callable[[], None],
    ) -> None:
        self._end = end
        self._ended = False
        self.management = Management()
        pools = leased_pools_of(settings)
        clock = ReactorClock(reactor)
        pipe = Pipe.of_another(reactor, pipe_end)
        plane = RemotePlane(pipe.send)
        supply = Supply(pools, clock, pipe.send)
        radius = radius_of(settings, reactor, clock, self.management.observers)
        diameter, asking = diameter_through_worker_0(settings, number, clock, pipe.send)
        dhcp = None if settings.dhcp_relay is None else ToTheEdge(pipe.send)
        signalling = WorkerSignalling(
            UdpSignalling(reactor, [settings.address], opened=lambda address: opened), serving(pipe)
        )
        engine = engine_of(settings, pools, number)
        self._agent = Lma(
            engine,
            clock=clock,
            signalling=signalling if diameter is None else diameter.hearing(signalling),
            forwarding=plane,
            store=store_of(settings, reactor, number),
            ipsec=KernelPolicies(),
            observers=[self.management.observers],
            carrier=plane,
            supply=supply,
            dhcp=dhcp,
            node_keys=node_keys_of(settings, radius, diameter),
            accounting=accounting_at(engine, settings, RemotePages(pipe.send))
            if settings.accounting.enabled
            else None,
        )
        if diameter is not None:
            diameter.serve(self._agent, self._agent.sessions, reactor, clock)
        tables = self._agent.tables() | server_tables(radius)
        operations = self.management.operations("lma", tables, revoke=self._agent.revoke)

        def asked(command: str, what: str) -> "Rows | Deferred[Rows]":
            """By an operator, or by AAA."""
            if command in (DISCONNECT, CHANGE, REAUTHORIZE):
                return answer(self._agent.sessions, command, what)
            return operations.answer(command, what)

        self._worker = Worker(
            pipe,
            signalling=signalling,
            plane=plane,
            supply=supply,
            asked=asked,
            stop=self._stop,
            lost=self._lost,
            dhcp=dhcp,
            diameter=asking,
        )

    def start(self) -> None:
        """PmipError: why it cannot."""
        self._worker.start()
        self._agent.start()

    def _lost(self) -> None:
        self._log.warn("worker 0 is gone: this one ends, too")
        if self._ended:
            self._agent.stop(carried=False)  # it was about to, and waits for the packet plane
        self._end_with(carried=False)

    def _stop(self) -> None:
        self._end_with(carried=True)

    def _end_with(self, *, carried: bool) -> None:
        if not self._ended:
            self._ended = True
            Deferred.fromCoroutine(self._stopped(carried))

    async def _stopped(self, carried: bool) -> None:
        try:
            waiting = self._agent.stop(carried=carried)
            if waiting is not None:
                await waiting
            self._worker.stop()
        finally:
            self.management.log.flush()
            self._end()
