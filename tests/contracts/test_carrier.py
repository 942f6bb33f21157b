"""What every carrier does (ICarrier), with the packet plane in this process or at the other end of a pipe."""

from collections.abc import Iterator
from typing import Protocol

import pytest
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.agents.carrying import AtOnce, Changes, ICarrier
from pmip_tw.agents.workers.messages import Carried, Carry
from pmip_tw.agents.workers.shared_plane import RemotePlane, SharedPlane
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import IForwardingPlane
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.mobility.tunnels import AlikeEntries, AnchorEntry, AnchorKey, Encapsulation, Tunnel
from pmip_tw.testing.clock import FakeClock
from pmip_tw.testing.pipe import fake_pipe
from tests.conformance import covers

LMA, MAG1, MAG2 = ipv4("192.0.2.1"), ipv4("198.51.100.1"), ipv4("198.51.100.2")
HOME, OTHER = ipv4("10.1.0.2"), ipv4("10.1.0.3")


def entry(home: Ipv4 = HOME, mag: Ipv4 = MAG1, domain: str = "") -> AnchorEntry:
    return AnchorEntry(home_address=home, tunnel=Tunnel(local=LMA, remote=mag), domain=domain)


class World(Protocol):
    plane: MemoryPlane
    carrier: ICarrier

    def settle(self) -> None: ...


class Here:
    carrier: ICarrier

    def __init__(self) -> None:
        self.plane = MemoryPlane(monotonic=lambda: 0.0, local=LMA, domains=("", "blue"))
        self.carrier = AtOnce(self.plane)

    def settle(self) -> None:
        """It is done."""


class WorkerZero(Here):
    """One of several, which has the plane."""

    def __init__(self) -> None:
        super().__init__()
        self.carrier = SharedPlane(self.plane).own


class Elsewhere:
    """Worker 1 asks worker 0; ``other`` is worker 2."""

    def __init__(self, domains: tuple[str, ...] = ("", "blue")) -> None:
        self._clock = FakeClock()
        self.plane = MemoryPlane(monotonic=lambda: 0.0, local=LMA, domains=domains)
        self.shared = SharedPlane(self.plane)
        self.carrier = self._worker(1)
        self.other = self._worker(2)

    def _worker(self, number: int) -> RemotePlane:
        zero, end = fake_pipe(self._clock, lambda: 0.01)
        remote = RemotePlane(end.send)

        def asked(message: object) -> None:
            assert isinstance(message, Carry)
            carried = self.shared.carry(number, message)
            if message.number:
                zero.send(carried)

        def answered(message: object) -> None:
            assert isinstance(message, Carried)
            remote.carried(message)

        zero.start(asked, lambda: None)
        end.start(answered, lambda: None)
        return remote

    def settle(self) -> None:
        self._clock.advance(1.0)


@pytest.fixture(params=[Here, WorkerZero, Elsewhere], ids=["here", "worker-0", "elsewhere"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield request.param()


def carried(world: World, *changes: Install | Remove) -> Refusal | None:
    return both(world, [changes])[0]


def both(world: World, orders: list[Changes]) -> list[Refusal | None]:
    """The answers, in the order in which they came."""
    answers: list[Refusal | None] = []
    for changes in orders:
        answer = world.carrier.carry(changes)
        if isinstance(answer, Deferred):
            answer.addCallback(answers.append)
        else:
            answers.append(answer)
    world.settle()
    return answers


def test_holds_replaces_and_removes(world: World) -> None:
    assert carried(world, Install(entry())) is None
    assert world.plane.snapshot() == (entry(),)
    assert carried(world, Install(entry(mag=MAG2))) is None
    assert world.plane.snapshot() == (entry(mag=MAG2),)
    assert carried(world, Remove(entry().key), Install(entry(OTHER))) is None
    assert world.plane.snapshot() == (entry(OTHER),)


def test_what_is_not_there_is_removed_as_well(world: World) -> None:
    assert carried(world, Remove(AnchorKey(HOME))) is None


def test_orders_are_carried_out_one_after_the_other(world: World) -> None:
    orders: list[Changes] = [[Install(entry())], [Install(entry(mag=MAG2))], [Remove(entry().key)]]
    assert both(world, orders) == [None, None, None]
    assert world.plane.snapshot() == ()


@covers("H14")
def test_what_cannot_be_carried_is_refused_for_want_of_resources(world: World) -> None:
    world.plane.fail_next_install("no room")
    refusal = carried(world, Install(entry()))
    assert refusal is not None and refusal.code == 130 and "no room" in refusal.cause
    assert world.plane.snapshot() == ()
    assert carried(world, Install(entry())) is None


@covers("P45")
def test_an_address_that_is_in_the_tunnel_already_is_refused_as_such(world: World) -> None:
    theirs = entry(domain="blue")
    world.plane.install(theirs)
    refusal = carried(world, Install(entry()))
    assert refusal is not None and refusal.code == 139 and "GRE keys" in refusal.cause
    assert world.plane.snapshot() == (theirs,)


def test_an_entry_with_everything_arrives_as_it_is(world: World) -> None:
    keyed = Tunnel(local=LMA, remote=MAG1, encapsulation=Encapsulation.GRE, key_in=7, key_out=8)
    full = AnchorEntry(home_address=HOME, tunnel=keyed, domain="blue", copies=(entry().tunnel,))
    assert carried(world, Install(full)) is None
    assert world.plane.snapshot() == (full,)
    assert carried(world, Remove(full.key)) is None
    assert world.plane.snapshot() == ()


class TestOfSeveralWorkers:
    """What one does to the plane touches nobody else's entries."""

    def test_it_is_a_plane_for_its_agent(self) -> None:
        """One that is told, and asked nothing: what it holds is worker 0's to know."""
        world = Elsewhere()
        verifyObject(IForwardingPlane, world.carrier)
        world.carrier.install(entry())
        world.settle()
        assert world.plane.snapshot() == (entry(),) and world.carrier.snapshot() == ()
        world.carrier.remove(entry().key)
        world.settle()
        assert world.plane.snapshot() == ()

    def test_an_address_that_went_to_another_worker_stays_there(self) -> None:
        """The old one hears late that it is gone."""
        world = Elsewhere()
        world.carrier.carry([Install(entry())])
        world.settle()
        world.other.carry([Install(entry(mag=MAG2))])
        world.settle()
        world.carrier.carry([Remove(entry().key)])
        world.settle()
        assert world.plane.snapshot() == (entry(mag=MAG2),)
        world.shared.begins(1)
        world.shared.serves(1)
        assert world.plane.snapshot() == (entry(mag=MAG2),)

    @pytest.mark.parametrize("dies", [False, True])
    @pytest.mark.parametrize("alike", [False, True])
    def test_or_at_worker_0(self, dies: bool, alike: bool) -> None:
        """Which has no pipe. The other may have died before it said that the address is free, and is back."""
        world = Elsewhere(("",))
        world.carrier.carry([Install(entry())])
        world.settle()
        if dies:
            world.shared.begins(1)
        world.plane.fail_next_install("no room")
        assert world.shared.own.carry([Install(entry(mag=MAG2))]) is not None
        assert world.plane.snapshot() == (entry(),)
        if alike:
            coming = AlikeEntries(entry(mag=MAG2).tunnel, entry().domain, [entry().home_address])
            assert not world.shared.own.install_alike(coming)
        else:
            assert world.shared.own.carry([Install(entry(mag=MAG2))]) is None
        if dies:
            world.shared.serves(1)
        else:
            world.carrier.carry([Remove(entry().key)])
            world.settle()
        assert world.plane.snapshot() == (entry(mag=MAG2),)
