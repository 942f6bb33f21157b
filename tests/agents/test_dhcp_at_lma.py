"""What an LMA hears of DHCP, when it is about to end, and when something in it is wrong."""

from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from pmip_tw.addresses import Endpoint
from pmip_tw.agents.dhcp_at_lma import DhcpAtLma
from pmip_tw.lma.registration.commitment import Effect
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.dhcp import MessageType
from tests.lma.dhcp_anchor import HOME, DhcpAnchor, message


class TestHearing(SynchronousTestCase):
    def setUp(self) -> None:
        self.anchor = DhcpAnchor()
        self.finished = 0

    def hearer(self, run) -> DhcpAtLma:
        def finish(now: Now) -> None:
            self.finished += 1

        clock = self.anchor.clock
        return DhcpAtLma(self.anchor.engine.dhcp, None, clock, run=run, finish=finish)

    def test_nothing_is_heard_that_would_not_be_saved(self) -> None:
        """A release would end a lease that the next process has again."""
        found: list[Effect] = []
        hearer = self.hearer(lambda effects, now: found.extend(effects))
        hearer.hear_no_more()
        self.anchor.open()
        self.anchor.lease()
        hearer.from_home_address(message(MessageType.RELEASE, ciaddr=HOME).encode(), Endpoint(HOME, 68), "")
        self.assertEqual((found, self.finished), ([], 0))
        self.assertEqual(len(self.anchor.engine.leases), 1)

    def test_a_defect_costs_one_message(self) -> None:
        """Neither the packet plane nor a socket, which hand it up, is to hear of it."""

        def run(effects: Iterable[Effect], now: Now) -> None:
            raise ValueError("a defect")

        self.hearer(run).answered(b"", Endpoint(HOME, 67))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(self.finished, 1)
