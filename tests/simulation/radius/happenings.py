"""What happens to RADIUS servers, and to those who ask them."""

from typing import TYPE_CHECKING

import attrs

from pmip_tw.addresses import Mac
from pmip_tw.wire.eap import Eap, EapCode
from tests.simulation.actions import Action
from tests.simulation.radius.eap import eapol
from tests.simulation.radius.forger import demand, forge
from tests.simulation.radius.house import MISTYPED, House, RadiusHost

if TYPE_CHECKING:
    from tests.simulation.world import World


_FAILURE = Eap(code=EapCode.FAILURE, identifier=1).encode()


def _host(world: "World", number: int) -> RadiusHost:
    assert isinstance(world.aaa, House)
    return world.aaa.servers[number]


@attrs.frozen(slots=True, kw_only=True)
class ServerDies(Action):
    """It is gone for a while, and back with nothing in its memory; ``silently``: nobody says so by ICMP."""

    server: int
    seconds: float
    silently: bool

    def happen(self, world: "World") -> None:
        host = _host(world, self.server)
        host.die(silently=self.silently)
        world.later(self.seconds, host.mend)


@attrs.frozen(slots=True, kw_only=True)
class ServerSlow(Action):
    """Its answers take as long as ``delay`` says, for a while."""

    server: int
    seconds: float
    delay: tuple[float, float]

    def happen(self, world: "World") -> None:
        host = _host(world, self.server)
        host.delay = self.delay
        world.later(self.seconds, host.mend)


@attrs.frozen(slots=True, kw_only=True)
class ServerMistyped(Action):
    """Somebody has mistyped its secret, for a while: what it says cannot be believed."""

    server: int
    seconds: float

    def happen(self, world: "World") -> None:
        host = _host(world, self.server)
        host.twin.answer_secret = MISTYPED
        world.later(self.seconds, host.mend)


@attrs.frozen(slots=True, kw_only=True)
class LogOff(Action):
    """A supplicant says that its node is gone."""

    node: int

    def happen(self, world: "World") -> None:
        node = world.nodes[self.node]
        if node.supplicant is not None and node.where is not None:
            node.supplicant.log_off()


@attrs.frozen(slots=True, kw_only=True)
class ForgedEapol(Action):
    """Somebody on the access link of a MAG speaks in a node's name. ``kind``: of EAPOL."""

    node: int
    mag: int
    kind: int

    def happen(self, world: "World") -> None:
        world.hears(self.mag, eapol(world.nodes[self.node].mac, self.kind, _FAILURE))


@attrs.frozen(slots=True, kw_only=True)
class PointRestarts(Action):
    """An access point is off for a while; its stations look for it, or for another one of its MAG."""

    mag: int
    number: int
    seconds: float

    def happen(self, world: "World") -> None:
        point = world.points[self.mag][self.number]
        point.die()
        world.later(self.seconds, lambda: self._back(world))

    def _back(self, world: "World") -> None:
        point = world.points[self.mag][self.number]
        point.start()
        for node in world.nodes:
            if node.point is point:
                world.associates(node)


@attrs.frozen(slots=True, kw_only=True)
class Demand(Action):
    """AAA acts upon a node's session at a machine. ``kind``: one of authorization.KINDS."""

    machine: str
    node: int
    kind: str

    def happen(self, world: "World") -> None:
        assert isinstance(world.aaa, House)
        world.aaa.asker.ask(world.machine(self.machine), self.kind, world.nodes[self.node].nai)


@attrs.frozen(slots=True, kw_only=True)
class ForgedDemand(Action):
    """Somebody acts upon a node's session who may not. ``trick``: see forger.demand."""

    machine: str
    node: int
    kind: str
    trick: str

    def happen(self, world: "World") -> None:
        machine = world.machine(self.machine)
        if machine.up:
            demand(world, machine, self.kind, world.nodes[self.node].nai, self.trick)


@attrs.frozen(slots=True, kw_only=True)
class Crowd(Action):
    """Many that nobody knows appear at a MAG at once, from some ports of it."""

    mag: int
    nodes: int
    ports: int

    def happen(self, world: "World") -> None:
        mag = world.mags[self.mag]
        for number in range(self.nodes):
            if mag.up:
                stranger = Mac(b"\x02\xee\0\0" + number.to_bytes(2, "big"))
                mag.aaa.ask(stranger, flow=f"port {number % self.ports}")


@attrs.frozen(slots=True, kw_only=True)
class Forge(Action):
    """See forger.forge."""

    mag: int
    trick: str
    choice: int

    def happen(self, world: "World") -> None:
        mag = world.mags[self.mag]
        if mag.up:
            forge(world, mag, mag.aaa.client, self.trick, self.choice)
