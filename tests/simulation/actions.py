"""What happens in a world, beside what its machines do by themselves. Nodes and MAGs are numbers from 0."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from tests.simulation.world import World


@attrs.frozen(slots=True, kw_only=True)
class Action(ABC):
    """``at``: seconds after the start."""

    at: float

    @abstractmethod
    def happen(self, world: "World") -> None:
        """It begins now; what follows from it is the world's business."""


@attrs.frozen(slots=True, kw_only=True)
class Arrive(Action):
    """A node is at a MAG from now on. ``by``: "data" as if nothing had happened, "reboot" asks for the address that it
    has, "dhcp" begins anew.
    """

    node: int
    mag: int
    by: str = "data"

    def happen(self, world: "World") -> None:
        world.nodes[self.node].arrive(self.mag, self.by)


@attrs.frozen(slots=True, kw_only=True)
class Sleep(Action):
    """A node neither speaks nor hears; its address stays configured, as in a laptop that is closed."""

    node: int

    def happen(self, world: "World") -> None:
        world.nodes[self.node].sleep()


@attrs.frozen(slots=True, kw_only=True)
class SwitchOff(Action):
    """A node is gone without a word, and its address with it."""

    node: int

    def happen(self, world: "World") -> None:
        world.nodes[self.node].switch_off()


@attrs.frozen(slots=True, kw_only=True)
class Release(Action):
    """A node gives its address back by DHCP, and is switched off."""

    node: int

    def happen(self, world: "World") -> None:
        world.nodes[self.node].release()


@attrs.frozen(slots=True, kw_only=True)
class Overheard(Action):
    """Another MAG hears a node as well, and is heard by it, for a while (P79)."""

    node: int
    mag: int
    seconds: float

    def happen(self, world: "World") -> None:
        node = world.nodes[self.node]
        node.overheard_by = self.mag
        world.later(self.seconds, node.no_longer_overheard)


@attrs.frozen(slots=True, kw_only=True)
class Stray(Action):
    """A frame that a node sent before it moved comes out of an old MAG's buffers only now."""

    node: int
    mag: int

    def happen(self, world: "World") -> None:
        node = world.nodes[self.node]
        if self.mag in node.visited and node.address:
            world.hears(self.mag, node.data())


@attrs.frozen(slots=True, kw_only=True)
class Claim(Action):
    """A node sends a packet with the address of another one."""

    node: int
    other: int

    def happen(self, world: "World") -> None:
        node, other = world.nodes[self.node], world.nodes[self.other]
        if node.where is not None and other.address:
            world.hears(node.where, node.data(other.address))


@attrs.frozen(slots=True, kw_only=True)
class Detach(Action):
    """An operator ends a node's session at a MAG."""

    node: int
    mag: int

    def happen(self, world: "World") -> None:
        world.mags[self.mag].detach(world.nodes[self.node].nai)


@attrs.frozen(slots=True, kw_only=True)
class Revoke(Action):
    """An operator ends a node's bindings at every LMA (RV21)."""

    node: int

    def happen(self, world: "World") -> None:
        for lma in world.lmas:
            lma.revoke(world.nodes[self.node].nai)


@attrs.frozen(slots=True, kw_only=True)
class Renumber(Action):
    """A MAG's own address changes (P82); ``number`` is the last octet of the new one."""

    mag: int
    number: int

    def happen(self, world: "World") -> None:
        world.renumber(world.mags[self.mag], self.number)


@attrs.frozen(slots=True, kw_only=True)
class Crash(Action):
    """A machine's process dies before its next effect but ``effects``, and is started again ``seconds`` after.

    ``silent``: the whole machine is off meanwhile, so that nobody says by ICMP that nothing listens.
    """

    machine: str
    effects: int
    seconds: float
    silent: bool = False

    def happen(self, world: "World") -> None:
        world.machine(self.machine).crash_after(self.effects, self.seconds, silent=self.silent)


@attrs.frozen(slots=True, kw_only=True)
class Partition(Action):
    """``machines`` and the others do not reach each other for a while."""

    machines: tuple[str, ...]
    seconds: float

    def happen(self, world: "World") -> None:
        apart = {address for name in self.machines for address in world.machine(name).seen_from()}
        rest = {address for machine in world.machines for address in machine.seen_from()} - apart
        world.network.partition(apart, rest)
        world.later(self.seconds, world.network.heal)


@attrs.frozen(slots=True, kw_only=True)
class SetClock(Action):
    """A machine's wall clock jumps."""

    machine: str
    seconds: float

    def happen(self, world: "World") -> None:
        world.machine(self.machine).clock.set_forward(self.seconds)


@attrs.frozen(slots=True, kw_only=True)
class NatForgets(Action):
    """The NAT of a MAG gives it another port from now on, and passes nothing to the former one (N23)."""

    mag: int

    def happen(self, world: "World") -> None:
        nat = world.mags[self.mag].nat
        if nat is not None:
            nat.forget()


@attrs.frozen(slots=True, kw_only=True)
class Roam(Action):
    """A host with Mobile IP of its own asks for a registration; see Roamer.ask."""

    place: int
    lifetime: int
    beside: bool

    def happen(self, world: "World") -> None:
        assert world.roamer is not None
        world.roamer.ask(self.place, self.lifetime, beside=self.beside)


@attrs.frozen(slots=True, kw_only=True)
class AaaDown(Action):
    """No AAA server answers for a while."""

    seconds: float

    def happen(self, world: "World") -> None:
        world.aaa.goes_down()
        world.later(self.seconds, world.aaa.comes_back)


@attrs.frozen(slots=True, kw_only=True)
class Refuse(Action):
    """AAA turns a node away for a while."""

    node: int
    seconds: float

    def happen(self, world: "World") -> None:
        mac = world.nodes[self.node].mac
        world.aaa.refused.add(mac)
        world.later(self.seconds, lambda: world.aaa.refused.discard(mac))


@attrs.frozen(slots=True, kw_only=True)
class FailInstall(Action):
    """A machine's packet plane refuses its next entry."""

    machine: str

    def happen(self, world: "World") -> None:
        world.machine(self.machine).fail_next_install()


@attrs.frozen(slots=True, kw_only=True)
class DiskFull(Action):
    """What a machine wants to save cannot be saved for a while."""

    machine: str
    seconds: float

    def happen(self, world: "World") -> None:
        machine = world.machine(self.machine)
        machine.disk.trouble = "the disk is full"
        world.later(self.seconds, machine.disk_is_well)


@attrs.frozen(slots=True, kw_only=True)
class Attack(Action):
    """The adversary does something with a datagram that he heard; ``choice`` says with which, and what.

    ``trick``: "repeat", "falsify" or "elsewhere", which is a repetition from an address of his own.
    """

    trick: str
    choice: int

    def happen(self, world: "World") -> None:
        world.adversary.attack(self.trick, self.choice)
