"""The computers of the operator. Their processes start, crash and start again; their clocks go on."""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import attrs

from pmip_tw.aaa.accounting.records import Usage
from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.agents.dhcp_edge import DhcpEdge
from pmip_tw.agents.dhcp_roads import AtTheEdge
from pmip_tw.agents.lma import Lma
from pmip_tw.agents.mag import Mag
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.errors import PmipError
from pmip_tw.forwarding.memory import far_end
from pmip_tw.interfaces import Datagram
from pmip_tw.lma.addresses.pools import AddressPool, Pools
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.journal.records import LMA_JOURNAL
from pmip_tw.lma.mags import KnownMags
from pmip_tw.lma.place import Place
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.mag.engine import MagEngine
from pmip_tw.mag.journal.records import MAG_JOURNAL
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registration.protection import LmaAssociation
from pmip_tw.mobility.associations import AssociationTable
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.records import JournalFormat
from pmip_tw.mobility.tunnels import SIGNALLING_PORT, Counters, Entry, Tunnel
from pmip_tw.testing.clock import NodeClock
from pmip_tw.testing.dhcp_socket import FakeDhcpSocket
from pmip_tw.testing.nat import FakeNat, Site
from pmip_tw.testing.network import FakeNetwork
from pmip_tw.testing.spool import FakeSpoolDisk
from pmip_tw.testing.store import FakeDisk
from tests.agents.dhcp_server import SERVER as DHCP_SERVER
from tests.agents.world import GATEWAY, GATEWAY_MAC, LMA, PORT, association
from tests.simulation import roamer
from tests.simulation.aaa import AccessServer, LocalAtMag
from tests.simulation.disks import FusedStore, Hears, Promises
from tests.simulation.fuse import Fuse, FusedPlane, FusedSignalling
from tests.simulation.ledger import Ledger
from tests.simulation.proofs import between, known, proof_of
from tests.simulation.radius.at_lma import RadiusAtLma
from tests.simulation.radius.at_mag import RadiusAtMag
from tests.simulation.radius.books import Moved
from tests.simulation.radius.house import House
from tests.simulation.scenario import DOMAINS, Timepiece, lma_name
from tests.simulation.visits import Visits

if TYPE_CHECKING:
    from tests.simulation.world import World


OUTSIDE = ipv4("203.0.113.100")
PRIVATE = ipv4("10.99.0.2")
"""Of the first MAG's NAT; that of the second is the next."""


class Machine(ABC):
    """``up``: its process runs. ``life``: how often it was started. ``held``: the entries of its packet plane when it
    was last looked at. ``disk`` survives its processes. ``forgetful``: the lives that did not write down everything.
    """

    form: JournalFormat
    promises: Hears

    def __init__(self, world: "World", name: str, address: Ipv4) -> None:
        self.world = world
        self.name = name
        self.address = address
        timepiece = world.scenario.timepieces.get(name, Timepiece())
        self.clock = NodeClock(
            world.clock, f"{world.scenario.seed}/{name}", offset=timepiece.offset, drift=timepiece.drift
        )
        self.up = False
        self.life = 0
        self.held: set[Entry] = set()
        self.dhcp: FakeDhcpSocket | None = None
        self.disk = FakeDisk(name)
        self.spool_disk = FakeSpoolDisk(name)
        self.aaa_moved = Moved()
        self.forgetful: set[int] = set()
        self._speed = random.Random(f"{world.scenario.seed}/{name}/disk")
        self._stirs = partial(world.stirred.__setitem__, self, None)
        self._back_after = 0.0
        self._silent_meanwhile = False

    def start(self) -> None:
        """A process with nothing in its memory."""
        self.life += 1
        self._stirs()
        self.fuse = Fuse(self._stirs)
        self.ledger = Ledger(self.name, self.fuse, self.world.observer(self.name))
        self.socket = FusedSignalling(self.network, (self.address,))
        self.plane = self._new_plane()
        self.plane.counted = self._counted
        self.socket.fuse = self.plane.fuse = self.fuse
        self.socket.before, self.socket.after = self._before, self._after
        self._sent_before = 0
        self.store = FusedStore(
            self.disk, self.form, self.fuse, self._speed, self.in_this_life, self.promises
        )
        self._start_agent()
        self.up = True

    def crash_after(self, effects: int, seconds: float, *, silent: bool) -> None:
        """See actions.Crash."""
        if self.up:
            self.fuse.blow_after(effects)
            self._back_after, self._silent_meanwhile = seconds, silent

    def die(self) -> None:
        """The fuse has blown: everything that the process had is gone."""
        self.up = False
        self._stirs()
        for entry in self.plane.snapshot():
            self._counted(entry, self.plane.counters(entry.key))
        self.aaa_moved.dies()
        self.clock.stop()
        if self.store.waiting or self.promises.lacks:
            self.forgetful.add(self.life)
        self.store.crash()
        self.socket.stop()
        self.plane.stop()
        if self.dhcp is not None:
            self.dhcp.stop()
        if self._silent_meanwhile:
            # The machine is off: whoever has its address when it is on again is heard.
            self.network.silent.add(self.address)
        self.world.later(self._back_after, partial(self._on_again, self.address))

    def _on_again(self, silent: Ipv4) -> None:
        self.network.silent.discard(silent)
        self.start()

    def _counted(self, entry: Entry, counters: Counters) -> None:
        self.aaa_moved.removed(entry, Usage.of(counters))

    def disk_is_well(self) -> None:
        self.disk.trouble = ""

    def in_this_life(self, seconds: float, call: Callable[[], None]) -> None:
        life = self.life
        self.world.later(seconds, lambda: call() if self.up and self.life == life else None)

    def fail_next_install(self) -> None:
        self.plane.fail_next_install()

    @property
    def network(self) -> FakeNetwork | Site:
        """Where its sockets are."""
        return self.world.network

    def seen_from(self) -> tuple[Ipv4, ...]:
        """The addresses that datagrams of it come from, or go to."""
        return (self.address,)

    def entries(self) -> set[Entry]:
        return set(self.plane.snapshot())

    def _before(self, datagram: Datagram) -> None:
        self.ledger.open()
        self._sent_before = self.socket.sent

    def _after(self, datagram: Datagram) -> None:
        self.ledger.close(datagram, answers=self.socket.sent - self._sent_before)
        self.world.heard(self, datagram)

    @abstractmethod
    def _new_plane(self) -> FusedPlane:
        """An empty packet plane of its role."""

    @abstractmethod
    def _start_agent(self) -> None:
        """An agent of its role, with nothing in its memory."""


class MagMachine(Machine):
    """A MAG with one access interface, perhaps behind a NAT."""

    engine: MagEngine
    agent: Mag
    aaa: LocalAtMag | RadiusAtMag
    form = MAG_JOURNAL
    promises: Visits

    def __init__(self, world: "World", number: int) -> None:
        self.number = number
        self.site = world.site_of(number)
        address = world.addresses_of(number)[0]
        if self.site is not None and world.scenario.nat_layout == "alike":
            address = self.site.nat.inside
        super().__init__(world, f"mag{number}", address)
        self.promises = Visits(self.name)

    @property
    def network(self) -> FakeNetwork | Site:
        return self.site or self.world.network

    @property
    def nat(self) -> FakeNat | None:
        return None if self.site is None else self.site.nat

    def seen_from(self) -> tuple[Ipv4, ...]:
        return (self.address,) if self.nat is None else (self.nat.outside,)

    @property
    def place(self) -> Place:
        """What tells it from other MAGs: behind NATs they may have the same address (N28)."""
        return Place(self.address, self.seen_from()[0])

    def at_lma(self, tunnel: Tunnel) -> Tunnel | None:
        """A tunnel of ours as the LMA sees it; None if it cannot."""
        far = far_end(tunnel)
        if self.nat is None:
            return far
        seen = self.nat.seen_as(Endpoint(tunnel.local, SIGNALLING_PORT))
        if seen is None or not tunnel.over_udp:
            return None
        return attrs.evolve(far, remote=seen.address, remote_port=seen.port)

    def die(self) -> None:
        super().die()
        self.aaa.die()

    def detach(self, nai: str) -> None:
        if self.up:
            try:
                self.agent.detach(nai)
            except PmipError:
                self.world.note(self.name, f"{nai} is not served here")

    def renumber(self, address: Ipv4) -> None:
        """Its uplink has another address from now on, whether anybody runs there or not."""
        self.address = address
        if self.up:
            self.agent.uplink_changed(address)

    def _new_plane(self) -> FusedPlane:
        plane = FusedPlane(
            monotonic=self.world.monotonic, local=self.address, ports=(PORT,), gateway_mac=GATEWAY_MAC
        )
        plane.carrier = partial(self.world.carry, self)
        return plane

    def _start_agent(self) -> None:
        world = self.world
        link = HomeConfiguration(prefix=world.home, gateway=GATEWAY)
        policy = MagPolicy(
            address=self.address,
            gateway_mac=GATEWAY_MAC,
            home_links=(link,),
            associations=self._associations(),
            **world.scenario.mag_settings,  # type: ignore[arg-type]
        )
        self.engine = MagEngine(policy)
        self.aaa = (
            LocalAtMag(world.aaa, world.later)
            if isinstance(world.aaa, AccessServer)
            else RadiusAtMag(world.aaa, self)
        )
        relays = policy.dhcp_relay is not None
        self.dhcp = FakeDhcpSocket(world.network, self.address) if relays else None
        self.agent = Mag(
            self.engine,
            clock=self.clock,
            signalling=self.socket,
            forwarding=self.plane,
            authenticator=self.aaa.authenticator,
            accounts=self.aaa.accounts,
            access_points=self.aaa.access_points,
            store=self.store,
            dhcp=self.dhcp,
            tunnel_data=self.plane,
            observers=[self.ledger],
        )
        self.plane.said = self.promises.said
        self.ledger.waiting = lambda: self.store.waiting
        self.agent.start()
        self.aaa.started(self.agent.sessions)
        self.promises.restarted(self.engine.visitors, self.address, world.monotonic())

    def _associations(self) -> tuple[LmaAssociation, ...]:
        proof = proof_of(self.world, self.number)
        if proof == "per-mn":
            return ()
        mode = AuthenticationMode.FA_HA if proof == "fa-ha" else AuthenticationMode.PER_MN
        return tuple(
            LmaAssociation(address=lma.address, mode=mode, fa_ha=between(self.number))
            for lma in self.world.lmas
        )


class LmaMachine(Machine):
    """An LMA, with home links of its own in each domain."""

    engine: LmaEngine
    agent: Lma
    aaa: RadiusAtLma | None
    form = LMA_JOURNAL
    promises: Promises

    def __init__(self, world: "World", number: int) -> None:
        self.number = number
        super().__init__(world, lma_name(number), Ipv4(LMA + number))
        self.promises = Promises(self.name)

    def die(self) -> None:
        super().die()
        if self.aaa is not None:
            self.aaa.die()

    def revoke(self, nai: str) -> None:
        if self.up:
            try:
                self.agent.revoke(nai)
                self.world.history.revoked.add((self.address, nai))
            except PmipError:
                self.world.note(self.name, f"{nai} has no binding")

    def _new_plane(self) -> FusedPlane:
        plane = FusedPlane(
            monotonic=self.world.monotonic, local=self.address, domains=tuple(DOMAINS.values())
        )
        plane.carrier = partial(self.world.carry, self)
        return plane

    def _start_agent(self) -> None:
        world = self.world
        others = world.scenario.redirected if self.number == 0 else ()
        settings = dict(world.scenario.lma_settings)
        hold = float(str(settings.pop("address_hold", 3600.0)))
        policy = LmaPolicy(
            address=self.address,
            redirects={realm.encode(): world.lmas[1].address for realm in others},
            **settings,  # type: ignore[arg-type]
        )
        pools = [
            (AddressPool(world.home, hold=hold, domain=domain, by_dhcp=policy.pre_tunnel), [realm])
            for realm, domain in DOMAINS.items()
        ]
        relay = RelayPolicy(servers=(DHCP_SERVER,), giaddr=self.address) if policy.pre_tunnel else None
        self.engine = LmaEngine(
            policy,
            AssociationTable(
                [
                    *((node.nai, association(node.number + 1)) for node in world.nodes),
                    (roamer.NAI, roamer.ASSOCIATION),
                ]
            ),
            Pools(pools, dict(world.static)),
            mags=KnownMags(known(world)),
            dhcp_relay=relay,
        )
        house = world.aaa
        accounts = isinstance(house, House) and house.settings.accounting
        self.aaa = RadiusAtLma(house, self, self.engine) if accounts else None
        self.socket.said = self.promises.said
        self.ledger.waiting = lambda: self.store.waiting
        self.agent = Lma(
            self.engine,
            clock=self.clock,
            signalling=self.socket,
            forwarding=self.plane,
            store=self.store,
            tunnel_data=self.plane,
            observers=[self.ledger],
            dhcp=None if relay is None else AtTheEdge(self._edge()),
            accounting=None if self.aaa is None else self.aaa.accounting,
        )
        self.agent.start()
        if self.aaa is not None:
            self.aaa.started(self.agent.sessions)
        bound = {binding.nai: binding.identification for binding in self.engine.bindings}
        self.promises.restarted(bound, world.monotonic())

    def _edge(self) -> DhcpEdge:
        """Where DHCP servers answer to."""
        self.dhcp = FakeDhcpSocket(self.world.network, self.address)
        return DhcpEdge(self.plane, {self.address: self.dhcp}, {}, self.socket.send)


def named(machines: Iterable[Machine], name: str) -> Machine:
    return next(machine for machine in machines if machine.name == name)
