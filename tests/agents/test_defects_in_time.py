"""What is due at one moment is due for many: a defect in one of them costs the others nothing, and is not the end."""

from unittest.mock import patch

from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from pmip_tw.access.authenticator import Authenticator
from pmip_tw.agents.taking_turns import TakingTurns
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.registration.registrations import Registrations as AnchorRegistrations
from pmip_tw.mag.effects import MagEffect
from pmip_tw.mag.registration.registering import Registrations
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.due import PUT_OFF
from tests.agents.world import Station, World
from tests.conformance import covers
from tests.mag.bench import ADDRESS
from tests.mag.supplicants import EapBench, said


class Defect(Exception):
    """Ours."""


class TestOfAMag(SynchronousTestCase):
    @covers("AA25")
    def test_of_one_visitor(self) -> None:
        """The sessions of three end in one wake-up."""
        world = World(nodes=3, profile={"session_timeout": 100})
        node, poisoned = world.mags[0], world.stations[1].nai
        for station in world.stations:
            world.attach(station, node)
        due = Registrations.due

        def met(self: Registrations, visitor: Visitor, now: object) -> object:
            if visitor.nai == poisoned:
                raise Defect
            return due(self, visitor, now)  # type: ignore[arg-type]

        with patch.object(Registrations, "due", met):
            world.advance(105)
            self.assertEqual(len(self.flushLoggedErrors(Defect)), 1)
            self.assertEqual(node.states, {poisoned: "registered"})
            self.assertEqual([bound.nai.decode() for bound in world.lma_engine.bindings], [poisoned])
            world.advance(PUT_OFF)
            self.assertEqual(
                len(self.flushLoggedErrors(Defect)), 1, "it is tried again, and not all the time"
            )
        world.advance(PUT_OFF)
        self.assertEqual(node.states, {})

    def test_what_was_decided_before_it_happens(self) -> None:
        """The end of a visit that meets a defect afterwards is carried out: the packet plane has no entry left."""
        world = World(nodes=1, profile={"session_timeout": 100})
        node = world.mags[0]
        world.attach(world.stations[0], node)
        with patch.object(type(node.engine._aaa), "due", side_effect=Defect):
            world.advance(105)
        self.assertEqual(len(self.flushLoggedErrors(Defect)), 1)
        self.assertEqual(list(node.plane.snapshot()), [])

    @covers("X2")
    def test_of_one_conversation(self) -> None:
        bench, log = EapBench(), Logger()
        for number in range(3):
            bench.hear(Station(100 + number).data(ADDRESS))
        poisoned = Station(101).mac
        machine = bench.engine._aaa.dot1x._conversations.get(
            next(one.key for one in bench.engine.visitors if one.mac == poisoned)
        )
        due = Authenticator.due

        def met(self: Authenticator, now: object) -> object:
            if self is machine:
                raise Defect
            return due(self, now)  # type: ignore[arg-type]

        bench.at += 3.1
        with patch.object(Authenticator, "due", met):
            effects = TakingTurns[MagEffect](log).take(bench.engine.wake(bench.now), bench.at)
        self.assertEqual(len(self.flushLoggedErrors(Defect)), 1)
        self.assertEqual(
            [bool(said(effects, Station(100 + number).mac)) for number in range(3)], [True, False, True]
        )
        self.assertTrue(said(bench.wait(PUT_OFF + 1), poisoned))

    def test_what_comes_due_by_itself_is_not_tried_all_the_time(self) -> None:
        world = World(nodes=1, profile={"session_timeout": 100})
        node = world.mags[0]
        world.attach(world.stations[0], node)
        with (
            patch.object(node.engine._anew, "pulse", side_effect=Defect),
            patch.object(node.engine._anew, "next_deadline", return_value=world.clock.monotonic),
        ):
            world.advance(10)
            self.assertIn(len(self.flushLoggedErrors(Defect)), range(9, 13))
            world.advance(95)
            self.assertEqual(node.states, {}, "nobody else waits for ever")
        self.flushLoggedErrors(Defect)


class TestOfAnLma(SynchronousTestCase):
    @covers("L6")
    def test_of_one_binding(self) -> None:
        world = World(mags=1, nodes=3, mag_settings={"lifetime": 60})
        node = world.mags[0]
        for station in world.stations:
            world.attach(station, node)
        node.kill()
        poisoned = world.stations[1].nai.encode()
        leave = AnchorRegistrations.leave

        def met(self: AnchorRegistrations, bound: Binding, *rest: object) -> object:
            if bound.nai == poisoned:
                raise Defect
            return leave(self, bound, *rest)  # type: ignore[arg-type]

        with patch.object(AnchorRegistrations, "leave", met):
            world.advance(61)
            self.assertEqual(len(self.flushLoggedErrors(Defect)), 1)
            self.assertEqual([bound.nai for bound in world.lma_engine.bindings], [poisoned])
            self.assertEqual(len(world.notes.named("binding-expired")), 2)
        world.advance(PUT_OFF + 5)
        self.assertEqual([*world.lma_engine.bindings], [])
