"""A world: machines, nodes, network and AAA of a scenario on one fake clock, and the loop that lets it happen."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from typing import Any

import attrs
from twisted.logger import globalLogPublisher
from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4, Prefix, ipv4
from pmip_tw.forwarding.dhcp_packets import is_dhcp
from pmip_tw.interfaces import Datagram, IObserver
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.observations import Alike, Observation
from pmip_tw.mobility.tunnels import SIGNALLING_PORT, Tunnel
from pmip_tw.testing.clock import FakeClock
from pmip_tw.testing.nat import FakeNat, Site
from pmip_tw.testing.network import FakeNetwork
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.udp import udp_packet
from tests.agents.dhcp_server import SERVER as DHCP_SERVER
from tests.agents.dhcp_server import DhcpServer
from tests.agents.world import PORT
from tests.simulation import invariants, rest, state
from tests.simulation.aaa import AccessServer
from tests.simulation.actions import Action, Renumber, Roam
from tests.simulation.adversary import Adversary
from tests.simulation.fuse import Crashed
from tests.simulation.machines import OUTSIDE, PRIVATE, LmaMachine, Machine, MagMachine, named
from tests.simulation.nodes import MobileNode
from tests.simulation.radius.access_points import access_points_of
from tests.simulation.radius.house import House
from tests.simulation.roamer import Roamer
from tests.simulation.scenario import Scenario
from tests.simulation.traffic import Traffic
from tests.simulation.violation import Violation

ON_AIR = 0.001
"""Seconds that a frame takes on the access link."""

SHORT_LEASE = 40
"""Seconds, of the DHCP server in the core."""

MOST_EVENTS = 20_000
"""Ten times what the longest scenario has."""


class World:
    """``run`` it once. ``story``: what happened, in words, if ``recorded``. ``told``: all observations by name.
    ``stirred``: who has done anything in this event.
    """

    def __init__(self, scenario: Scenario, *, recorded: bool = False) -> None:
        seed = scenario.seed
        self.scenario = scenario
        self.story: list[str] | None = [] if recorded else None
        self.told: Counter[str] = Counter()
        self.events = 0
        self.clock = FakeClock(seed)
        self.started_at = self.clock.monotonic
        self.home = Prefix(ipv4("10.1.0.0"), scenario.prefix_length)
        conditions = scenario.conditions
        self.network = FakeNetwork(
            f"{seed}/network",
            loss=conditions.loss,
            duplication=conditions.duplication,
            reordering=conditions.reordering,
            delay=conditions.delay,
            held_up=conditions.held_up,
            clock=self.clock,
        )
        self._lost = random.Random(f"{seed}/tunnels")
        self._plan: list[tuple[float, int, Callable[[], None]]] = []
        self._planned = 0
        self.nodes = [
            MobileNode(number, habit, self, f"{seed}/node{number}")
            for number, habit in enumerate(scenario.nodes)
        ]
        self.deserving = {node.mac for node in self.nodes if node.deserves_service}
        self.static = self._static_addresses()
        self.dhcp_server: DhcpServer | None = None
        if scenario.mag_settings.get("dhcp") in ("ack-trigger", "tunnel"):
            self.dhcp_server = DhcpServer(self.network, SHORT_LEASE)
        self.aaa = AccessServer.of(self) if scenario.aaa is None else House(self, scenario.aaa)
        self.roamer: Roamer | None = None
        if any(isinstance(action, Roam) for action in scenario.actions):
            self.roamer = Roamer(self)
        self.stirred: dict[Machine, None] = {}
        self.lmas = [LmaMachine(self, number) for number in range(scenario.lmas)]
        self._sites: dict[int, Site] = {}
        self.mags = [MagMachine(self, number) for number in range(scenario.mags)]
        self.points = access_points_of(self)
        self._airs = random.Random(f"{seed}/airs")
        self.machines: list[Machine] = [*self.lmas, *self.mags]
        self._at = {machine.address: machine for machine in self.machines if machine.network is self.network}
        self.traffic = Traffic(self)
        self.adversary = Adversary(self)
        self.history = invariants.History(self)
        self.view = state.View(self.lmas, self.mags)
        self._defects: list[str] = []
        self._broken: Violation | None = None

    # The loop

    def run(self) -> None:
        """Everything that was drawn, then calm, then silence. Raises Violation."""
        globalLogPublisher.addObserver(self._logged)
        try:
            for machine in self.machines:
                machine.start()
            for point in self.points:
                for one in point:
                    one.start()
            for action in self.scenario.actions:
                self.later(action.at, lambda action=action: self._happen(action))
            last = max((action.at for action in self.scenario.actions), default=0.0)
            self.run_for(last + 1.0)
            rest.calm(self)
            rest.silence(self)
        finally:
            globalLogPublisher.removeObserver(self._logged)

    def run_for(self, seconds: float) -> None:
        end = self.clock.monotonic + seconds
        more = True
        while more:
            with suppress(Crashed):
                more = self.clock.step(end)
            self._bury()
            self._after_event()

    def _happen(self, action: Action) -> None:
        if self.story is not None:
            self.note("*", f"{action}")
        action.happen(self)

    def _after_event(self) -> None:
        self.events += 1
        if self.events > MOST_EVENTS:
            raise Violation("it comes to rest", f"{MOST_EVENTS} events and no end")
        if self._broken is not None:
            raise self._broken
        if self._defects:
            raise Violation("no defect", self._defects[0])
        for mag in self.mags:
            if mag.up and mag in self.stirred:
                mag.aaa.check()
            if mag.up and mag.plane.transmitted:
                self._on_air(mag)
        for lma in self.lmas:
            if lma.up and lma.aaa is not None and lma in self.stirred:
                lma.aaa.check()
        for points in self.points:
            for point in points:
                point.check()
        self.traffic.check_delivered()
        invariants.after_event(self)

    def _on_air(self, mag: MagMachine) -> None:
        """What a MAG sent reaches the nodes that are there."""
        frames = [frame for _, frame in mag.plane.transmitted]
        mag.plane.transmitted.clear()
        for node in self.nodes:
            if mag.number in (node.where, node.overheard_by):
                for frame in frames:
                    if frame[0] & 1 or frame[:6] == node.mac:
                        self.later(ON_AIR, lambda node=node, frame=frame: node.hear(frame))

    def _bury(self) -> None:
        for machine in self.machines:
            if machine.up and machine.fuse.blown:
                self.note(machine.name, "crashed")
                self.told["crashed"] += 1
                self.history.note_bindings()  # what it said before it died, it said
                machine.die()

    def _logged(self, event: dict[str, object]) -> None:
        failure = event.get("log_failure")
        if failure is None or failure.check(Crashed):  # type: ignore[attr-defined]
            return
        if failure.check(Violation):  # type: ignore[attr-defined]
            self._broken = failure.value  # type: ignore[attr-defined]
        else:
            text = failure.getTraceback() if self.story is not None else str(failure.value)  # type: ignore[attr-defined]
            self._defects.append(f"{type(failure.value).__name__}: {text}")  # type: ignore[attr-defined]

    # What its inhabitants use

    def monotonic(self) -> float:
        return self.clock.monotonic

    @property
    def elapsed(self) -> float:
        return self.clock.monotonic - self.started_at

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """``call`` happens as an event of its own."""
        self._planned += 1
        heappush(self._plan, (self.clock.monotonic + seconds, self._planned, call))
        self._arm()

    def _arm(self) -> None:
        self.clock.wake_at(self._plan[0][0] if self._plan else None, self._next_of_plan)

    def _next_of_plan(self) -> None:
        _, _, call = heappop(self._plan)
        self._arm()
        call()

    def hears(self, mag: int, frame: bytes) -> None:
        """See nodes.Surroundings."""
        points = self.points[mag] if self.points else []
        if points and not any(point.passes(frame[6:12]) for point in points):
            return
        self.later(ON_AIR, lambda: self._frame_arrives(self.mags[mag], frame))

    def associates(self, node: MobileNode) -> None:
        """See nodes.Surroundings."""
        self.leaves(node)
        if self.points and node.where is not None:
            node.point = self._airs.choice(self.points[node.where])
            node.point.associate(node)

    def leaves(self, node: MobileNode) -> None:
        """See nodes.Surroundings."""
        if node.point is not None:
            node.point.left(node)
            node.point = None

    def _frame_arrives(self, mag: MagMachine, frame: bytes) -> None:
        if mag.up:
            expected = self.traffic.expect_upstream(mag, frame)
            mag.plane.node_sends(PORT, frame)
            if expected is not None:
                self.traffic.check_upstream(*expected)

    def configured(self, node: MobileNode) -> None:
        """See nodes.Surroundings."""
        self.history.configured(node)

    def ask_dhcp_server(self, lma: LmaMachine, asked: DhcpMessage, domain: str) -> None:
        """A node speaks to the server itself, through its tunnel (P65)."""
        assert self.dhcp_server is not None
        answer = self.dhcp_server.answer(asked)
        if answer is not None:
            to = Endpoint(asked.ciaddr, 68)
            packet = udp_packet(Endpoint(DHCP_SERVER, 67), to, answer.encode())
            self.later(ON_AIR, lambda: lma.plane.host_sends(packet, domain))

    def carry(self, sender: Machine, tunnel: Tunnel, inner: bytes) -> None:
        """Packets in tunnels arrive at once: they show what the packet planes hold, not what networks lose.

        DHCP, of which an agent may be told, is an event of its own: who crashes of it does so alone. It may be lost.
        """
        source = None
        if isinstance(sender, MagMachine) and sender.nat is not None:
            if not tunnel.over_udp:
                return
            source = sender.nat.outbound(Endpoint(tunnel.local, SIGNALLING_PORT))
        if not is_dhcp(inner):
            self._arrives(tunnel, inner, source)
        elif self._lost.random() >= self.network.loss:
            self.later(ON_AIR, lambda: self._arrives(tunnel, inner, source))

    def _arrives(self, tunnel: Tunnel, inner: bytes, source: Endpoint | None) -> None:
        machine = self._at.get(tunnel.remote)
        if machine is None:
            found = self._behind(Endpoint(tunnel.remote, tunnel.remote_port))
            if found is None:
                return
            machine, address = found
            tunnel = attrs.evolve(tunnel, remote=address)
        if machine.up:
            machine.plane.carried(tunnel, inner, source)

    def _behind(self, endpoint: Endpoint) -> tuple[MagMachine, Ipv4] | None:
        """Whom a NAT shows as ``endpoint``, and his own address."""
        for mag in self.mags:
            if mag.nat is not None and mag.nat.outside == endpoint.address:
                own = mag.nat.inbound(endpoint)
                if own is not None and own.address == mag.address:
                    return mag, own.address
        return None

    def site_of(self, mag: int) -> Site | None:
        """The network of a MAG behind a NAT."""
        scenario = self.scenario
        if mag not in scenario.nats:
            return None
        number = 0 if scenario.nat_layout == "shared" else mag
        if number not in self._sites:
            nat = FakeNat(PRIVATE, Ipv4(OUTSIDE + number), timeout=scenario.nat_timeout)
            nat.monotonic = self.monotonic
            self._sites[number] = Site(self.network, nat)
        return self._sites[number]

    def heard(self, machine: Machine, datagram: Datagram) -> None:
        """A process has dealt with a datagram."""
        self.adversary.overhears(machine, datagram)
        if self.story is not None:
            self.note(machine.name, f"got {_short(datagram)}")

    def with_mac(self, mac: bytes) -> MobileNode:
        return next(node for node in self.nodes if node.mac == mac)

    def lma_at(self, address: Ipv4) -> LmaMachine:
        return next(lma for lma in self.lmas if lma.address == address)

    def machine(self, name: str) -> Machine:
        return named(self.machines, name)

    def addresses_of(self, mag: int) -> tuple[Ipv4, ...]:
        """What a MAG's own address is at first, and what it may become."""
        numbers = {action.number for action in self.scenario.actions if isinstance(action, Renumber)}
        return tuple(ipv4(f"198.51.{100 + mag}.{number}") for number in (10, *sorted(numbers)))

    def renumber(self, mag: MagMachine, number: int) -> None:
        address = ipv4(f"198.51.{100 + mag.number}.{number}")
        del self._at[mag.address]
        self._at[address] = mag
        mag.renumber(address)

    # What is told of it

    def note(self, who: str, text: str) -> None:
        if self.story is not None:
            self.story.append(f"{self.elapsed:9.3f}  {who:<5} {text}")

    def observer(self, name: str) -> IObserver:
        return _Listener(self, name)

    def _static_addresses(self) -> list[tuple[str, Ipv4]]:
        found = []
        for node in self.nodes:
            if node.habit.static:
                address = Ipv4(self.home.broadcast - 1 - node.number)
                node.configure(address)
                found.append((node.nai, address))
        return found


@implementer(IObserver)
class _Listener:
    """What agents tell goes into the story."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    def observe(self, observation: Observation, now: Now) -> None:
        key = observation.name if not observation.reason else f"{observation.name} {observation.reason}"
        self._world.told[key] += 1
        if observation.name == "binding-moved":
            invariants.one_move_at_a_time(self._world, self._lma(), observation.nai)
        elif observation.name == "binding-created":
            self._world.history.begins_anew(self._lma(), observation.nai)
        elif observation.name == "binding-revoked":
            self._world.history.revoked.add((self._lma().address, observation.nai))
        elif observation.name == "revocation-received":
            mag = self._world.machine(self._name)
            assert isinstance(mag, MagMachine)
            invariants.only_what_is_over_is_revoked(self._world, mag, observation.nai)
        if self._world.story is not None:
            about = f" {observation.nai}" if observation.nai else ""
            cause = f": {observation.cause}" if observation.cause else ""
            self._world.note(self._name, f"{key}{about}{cause}")

    def observe_alike(self, observations: Alike[Any], now: Now) -> None:
        for observation in observations:
            self.observe(observation, now)

    def _lma(self) -> LmaMachine:
        machine = self._world.machine(self._name)
        assert isinstance(machine, LmaMachine)
        return machine


def _short(datagram: Datagram) -> str:
    kinds = {1: "request", 3: "reply", 7: "revocation", 15: "acknowledgment"}
    kind = kinds.get(datagram.payload[0] if datagram.payload else -1, "?")
    return f"{kind} from {datagram.source}"
