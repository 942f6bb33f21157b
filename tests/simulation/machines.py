"""The computers of the operator. Their processes start, crash and start again; their clocks go on."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.agents.lma import Lma
from pmip_tw.agents.mag import Mag
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import Datagram
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.pools import AddressPool, Pools
from pmip_tw.mag.engine import MagEngine
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mobility.associations import AssociationTable
from pmip_tw.mobility.tunnels import Entry
from pmip_tw.testing.clock import NodeClock
from tests.agents.world import GATEWAY, GATEWAY_MAC, LMA, PORT, association
from tests.simulation.aaa import AccessClient
from tests.simulation.fuse import Fuse, FusedPlane, FusedSignalling
from tests.simulation.ledger import Ledger
from tests.simulation.scenario import Timepiece

if TYPE_CHECKING:
    from tests.simulation.world import World


class Machine:
    """``up``: its process runs. ``life``: how often it was started."""

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
        self._back_after = 0.0
        self._silent_meanwhile = False

    def start(self) -> None:
        """A process with nothing in its memory."""
        self.life += 1
        self.fuse = Fuse()
        self.ledger = Ledger(self.name, self.fuse, self.world.observer(self.name))
        self.socket = FusedSignalling(self.world.network, (self.address,))
        self.plane = self._new_plane()
        self.socket.fuse = self.plane.fuse = self.fuse
        self.socket.before, self.socket.after = self._before, self._after
        self._sent_before = 0
        self._start_agent()
        self.up = True
        self.world.network.silent.discard(self.address)

    def crash_after(self, effects: int, seconds: float, *, silent: bool) -> None:
        """See actions.Crash."""
        if self.up:
            self.fuse.blow_after(effects)
            self._back_after, self._silent_meanwhile = seconds, silent

    def die(self) -> None:
        """The fuse has blown: everything that the process had is gone."""
        self.up = False
        self.clock.stop()
        self.socket.stop()
        self.plane.stop()
        if self._silent_meanwhile:
            self.world.network.silent.add(self.address)
        self.world.later(self._back_after, self.start)

    def fail_next_install(self) -> None:
        self.plane.fail_next_install()

    def entries(self) -> set[Entry]:
        return set(self.plane.snapshot())

    def _before(self, datagram: Datagram) -> None:
        self.ledger.open()
        self._sent_before = self.socket.sent

    def _after(self, datagram: Datagram) -> None:
        self.ledger.close(datagram, answers=self.socket.sent - self._sent_before)
        self.world.heard(self, datagram)

    def _new_plane(self) -> FusedPlane:
        raise NotImplementedError

    def _start_agent(self) -> None:
        raise NotImplementedError


class MagMachine(Machine):
    """A MAG with one access interface."""

    engine: MagEngine
    agent: Mag

    def __init__(self, world: "World", number: int) -> None:
        self.number = number
        super().__init__(world, f"mag{number}", ipv4(f"198.51.100.{number + 10}"))

    def detach(self, nai: str) -> None:
        if self.up:
            try:
                self.agent.detach(nai)
            except PmipError:
                self.world.note(self.name, f"{nai} is not served here")

    def _new_plane(self) -> FusedPlane:
        plane = FusedPlane(
            monotonic=self.world.monotonic, local=self.address, ports=(PORT,), gateway_mac=GATEWAY_MAC
        )
        plane.carrier = self.world.carry
        return plane

    def _start_agent(self) -> None:
        world = self.world
        link = HomeConfiguration(prefix=world.home, gateway=GATEWAY)
        policy = MagPolicy(
            address=self.address,
            gateway_mac=GATEWAY_MAC,
            home_links=(link,),
            **world.scenario.mag_settings,  # type: ignore[arg-type]
        )
        self.engine = MagEngine(policy)
        self.agent = Mag(
            self.engine,
            clock=self.clock,
            signalling=self.socket,
            forwarding=self.plane,
            authenticator=AccessClient(world.aaa, world.later),
            tunnel_data=self.plane,
            observers=[self.ledger],
        )
        self.agent.start()


class LmaMachine(Machine):
    """An LMA. Its bindings are in memory only: a durable store would be given to the engine here."""

    engine: LmaEngine
    agent: Lma

    def __init__(self, world: "World") -> None:
        super().__init__(world, "lma", LMA)

    def _new_plane(self) -> FusedPlane:
        plane = FusedPlane(monotonic=self.world.monotonic, local=self.address)
        plane.carrier = self.world.carry
        return plane

    def _start_agent(self) -> None:
        world = self.world
        policy = LmaPolicy(address=self.address, **world.scenario.lma_settings)  # type: ignore[arg-type]
        pool = AddressPool(world.home, hold=policy.address_hold)
        self.engine = LmaEngine(
            policy,
            AssociationTable((node.nai, association(node.number + 1)) for node in world.nodes),
            Pools([(pool, ["example.net"])], dict(world.static)),
        )
        self.agent = Lma(
            self.engine,
            clock=self.clock,
            signalling=self.socket,
            forwarding=self.plane,
            tunnel_data=self.plane,
            observers=[self.ledger],
        )
        self.agent.start()


def named(machines: Iterable[Machine], name: str) -> Machine:
    return next(machine for machine in machines if machine.name == name)
