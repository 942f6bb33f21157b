"""A defect between a MAG and AAA costs one answer, and nobody else his."""

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from pmip_tw.aaa.verdicts import Credential, Verdict
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import World
from tests.conformance import covers


class TestDefects(SynchronousTestCase):
    def asked(self, *, at_once: bool) -> None:
        """So often that everybody would be kept out, were one of the questions still open; then AAA is well again."""
        world = World(mag_settings={"max_authentications": 2})
        station, node = world.stations[0], world.mags[0]
        well = node.aaa.authenticate

        def authenticate(credential: Credential) -> Deferred[Verdict]:
            if at_once:
                raise ValueError("a defect")
            return fail(ValueError("a defect"))

        node.aaa.authenticate = authenticate
        for _ in range(3):
            world.hear(node, station.dhcp(MessageType.DISCOVER))
            world.advance(2)
        self.assertEqual([note.reason for note in node.notes.named("aaa-unavailable")], ["", "", ""])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 3)
        node.aaa.authenticate = well
        world.attach(station, node)

    @covers("P83")
    def test_an_answer_that_cannot_be_read(self) -> None:
        self.asked(at_once=False)

    @covers("P83")
    def test_a_question_that_cannot_be_put(self) -> None:
        self.asked(at_once=True)
