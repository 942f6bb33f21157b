"""A request that comes once more: a replay that is refused, or the duplicate of the last one accepted."""

from pmip_tw.mobility.clock import NTP_EPOCH
from pmip_tw.wire.extension_values import UdpTunnelRequest
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, MAG1, MAG2, MAG3, Anchor, reply_in


class TestReplay:
    @covers("I10")
    def test_after_deregistration(self) -> None:
        """I10: captured requests do not bring the binding back, for as long as their timestamps would."""
        anchor = Anchor()
        captured = anchor.datagram(skew=6.9)
        anchor.hear(captured)
        anchor.release(skew=6.95)
        for _ in range(30):
            assert reply_in(anchor.hear(captured)[0], 1).code == 133
            anchor.pass_time(0.5)
        assert anchor.state() == ([], {})

    @covers("I10")
    def test_at_the_last_instant_of_the_window(self) -> None:
        """The floor outlives every timestamp that it guards, exact edges included."""
        anchor = Anchor()
        edge = (int(anchor.clock.wall) + NTP_EPOCH + 7) << 32
        captured = anchor.datagram(identification=edge)
        anchor.broken = "no memory"
        assert reply_in(anchor.hear(captured)[0], 1).code == 130
        anchor.broken = ""
        anchor.pass_time(14)
        assert reply_in(anchor.hear(captured)[0], 1).code == 133

    @covers("I6")
    def test_the_deregistration_itself(self) -> None:
        anchor = Anchor()
        anchor.accept()
        captured = anchor.datagram(lifetime=0)
        anchor.hear(captured)
        anchor.accept()
        before = anchor.state()
        assert reply_in(anchor.hear(captured)[0], 1).code == 133
        assert anchor.state() == before

    @covers("I8", "I10")
    def test_one_that_was_refused_for_being_ahead_when_its_time_has_come(self) -> None:
        """The MAG has followed our clock since; from elsewhere it would turn the tunnel to whoever captured it."""
        anchor = Anchor()
        captured = anchor.datagram(skew=15)
        assert reply_in(anchor.hear(captured)[0], 1).code == 133
        anchor.accept()
        before = anchor.state()
        for _ in range(30):
            assert reply_in(anchor.hear(captured, MAG2)[0], 1).code == 133
            assert anchor.state() == before
            anchor.pass_time(1)

    @covers("I8")
    def test_others_at_that_time_are_welcome(self) -> None:
        anchor = Anchor()
        anchor.hear(anchor.datagram(skew=15))
        anchor.pass_time(10)
        anchor.accept()
        anchor.accept(node=2, skew=5)

    @covers("I10")
    def test_after_expiry(self) -> None:
        anchor = Anchor()
        captured = anchor.datagram(skew=6, lifetime=1)
        anchor.hear(captured)
        anchor.pass_time(3)
        assert anchor.binding() is None
        assert reply_in(anchor.hear(captured)[0], 1).code == 133

    def test_floors_are_forgotten_in_the_end(self) -> None:
        """Nothing is left to wake for, and the node is welcome."""
        anchor = Anchor()
        anchor.accept()
        anchor.release()
        anchor.pass_time(700)
        assert anchor.engine.next_deadline() is None
        assert anchor.accept().home_address == FIRST_ADDRESS

    @covers("I11")
    def test_across_the_end_of_the_era(self) -> None:
        """I11: 2036-02-07 06:28:16 UTC is a second like any other."""
        anchor = Anchor(handover_min_interval=0.0)
        anchor.clock.wall = 2.0**32 - NTP_EPOCH - 3
        last = anchor.request().identification
        anchor.accept()
        for _ in range(6):
            anchor.pass_time(1)
            anchor.accept()
        assert anchor.request().identification < last
        anchor.deny(133, identification=last)

    @covers("I11", "P33")
    def test_resynchronization_across_the_end_of_the_era(self) -> None:
        """P33: two seconds before it, a MAG four seconds ahead was accepted."""
        anchor = Anchor(handover_min_interval=0.0)
        anchor.clock.wall = 2.0**32 - NTP_EPOCH - 2
        anchor.accept(1, MAG1, skew=4.5)
        reply = anchor.ask(1, MAG2)
        assert (reply.code, reply.identification >> 32) == (133, 3)

    @covers("I11", "P33")
    def test_resynchronization_just_before_the_end_of_the_era(self) -> None:
        """The told second is the one after the last accepted, not the window's end behind the era."""
        anchor = Anchor(handover_min_interval=0.0)
        anchor.clock.wall = 2.0**32 - NTP_EPOCH - 3
        anchor.accept(1, MAG1, skew=1.5)
        reply = anchor.ask(1, MAG2)
        assert (reply.code, reply.identification >> 32) == (133, 0xFFFFFFFF)


@covers("L5")
class TestDuplicate:
    """L5: the accepted request once more."""

    def test_same_answer_with_what_is_left(self) -> None:
        anchor = Anchor()
        whole = anchor.datagram()
        anchor.hear(whole)
        before = anchor.state()
        anchor.clock.advance(2.5)
        reply = reply_in(anchor.hear(whole)[0], 1)
        assert (reply.code, reply.lifetime, reply.home_address) == (1, 597, FIRST_ADDRESS)
        assert anchor.state() == before

    def test_once_a_second(self) -> None:
        anchor = Anchor()
        whole = anchor.datagram()
        anchor.hear(whole)
        assert len(anchor.hear(whole)) == 1
        anchor.ignore("duplicate", whole)
        anchor.clock.advance(1)
        assert len(anchor.hear(whole)) == 1

    def test_not_to_somebody_else(self) -> None:
        """A captured request must not fetch an answer that tells of another tunnel."""
        anchor = Anchor()
        whole = anchor.datagram()
        anchor.hear(whole)
        anchor.ignore("duplicate", whole, MAG3)
        offering = anchor.datagram(2, udp_tunnel=UdpTunnelRequest())
        anchor.hear(offering)
        anchor.ignore("duplicate", offering, MAG3)

    def test_not_when_nothing_is_left(self) -> None:
        """Lifetime 0 would mean de-registered."""
        anchor = Anchor()
        whole = anchor.datagram(lifetime=2)
        anchor.hear(whole)
        anchor.clock.advance(1.5)
        anchor.ignore("duplicate", whole)

    def test_does_not_lengthen_the_life(self) -> None:
        anchor = Anchor()
        whole = anchor.datagram(lifetime=5)
        anchor.hear(whole)
        for _ in range(7):
            anchor.pass_time(1)
            anchor.hear(whole)
        assert anchor.binding() is None

    def test_after_a_handover_it_is_a_replay(self) -> None:
        anchor = Anchor()
        whole = anchor.datagram(1, MAG1)
        anchor.hear(whole)
        anchor.accept(1, MAG2)
        before = anchor.state()
        assert reply_in(anchor.hear(whole)[0], 1).code == 133
        assert anchor.state() == before
