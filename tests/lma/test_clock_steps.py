"""Somebody sets the LMA's clock: nobody is locked out, and nothing that was recorded works again."""

import pytest

from pmip_tw.mobility.clock import NTP_EPOCH
from pmip_tw.mobility.replay import ntp_seconds, ntp_timestamp
from pmip_tw.wire.extension_values import RevocationSupport
from tests.conformance import covers
from tests.lma.anchor import MAG1, MAG2, Anchor, association, reply_in, revocations

STEPS = [-3600.0, -60.0, -8.0, 8.0, 60.0, 3600.0]


def right_time(anchor: Anchor, step: float) -> int:
    """The Identification of a MAG whose clock is right, after the LMA's was set by ``step``."""
    return ntp_timestamp(anchor.clock.wall - step)


@covers("I6", "I8", "I9")
@pytest.mark.parametrize("step", STEPS)
def test_a_mag_resynchronizes_by_133_and_loses_nothing(step: float) -> None:
    """Whichever way it went: one refusal, which says what time it is, and the next request is accepted."""
    anchor = Anchor()
    anchor.accept(1, MAG1)
    anchor.pass_time(30)
    anchor.clock.wall += step
    asked = right_time(anchor, step)
    reply = anchor.ask(1, MAG1, identification=asked)
    if step > 0:
        assert reply.code == 133
        offset = (reply.identification >> 32) - (asked >> 32)
        assert abs(offset - step) <= 1
        reply = anchor.ask(1, MAG1, identification=asked + (offset << 32) + 1)
    assert reply.code == 1
    assert anchor.binding() is not None


@covers("I10", "I6")
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("later", [0.5, 10, 100, 3600])
def test_recorded_requests_stay_dead(step: float, later: float) -> None:
    """Accepted, then released, long ago; the clock is set so that their timestamps would be in the window."""
    anchor = Anchor()
    captured = anchor.datagram(1, MAG1)
    anchor.hear(captured)
    anchor.release()
    anchor.pass_time(abs(step))
    anchor.clock.wall += step
    anchor.pass_time(later)
    assert reply_in(anchor.hear(captured)[0], 1).code == 133
    assert anchor.state() == ([], {})


@covers("I6")
def test_one_that_was_caught_on_its_way_stays_dead() -> None:
    """The LMA has never seen it; it only was in time once."""
    anchor = Anchor()
    caught = anchor.datagram(1, MAG1)
    anchor.accept(2)
    anchor.pass_time(60)
    anchor.accept(2)
    anchor.clock.wall -= 60
    assert reply_in(anchor.hear(caught)[0], 1).code == 133
    assert anchor.binding(1) is None


@covers("I10")
def test_a_refused_one_from_a_mag_ahead_of_time() -> None:
    """Recorded while the LMA's clock was an hour ahead; the clock is corrected, and an hour passes."""
    anchor = Anchor()
    anchor.clock.wall += 3600
    captured = anchor.datagram(1, MAG1)
    anchor.hear(captured)
    anchor.release()
    anchor.clock.wall -= 3600
    for _ in range(40):
        anchor.pass_time(100)
        assert reply_in(anchor.hear(captured)[0], 1).code == 133


@covers("I8")
def test_after_a_step_back_the_lma_goes_on_and_falls_behind_slowly() -> None:
    """MAGs with the right time have one refusal now and then, until both clocks agree again."""
    anchor = Anchor()
    anchor.accept(1, MAG1)
    anchor.clock.wall -= 20
    told = anchor.ask(2, MAG1, identification=ntp_timestamp(anchor.clock.wall))
    assert told.code == 133
    assert (told.identification >> 32) - ntp_seconds(anchor.clock.wall) == 20
    anchor.pass_time(1000)
    halfway = anchor.ask(2, MAG1, identification=ntp_timestamp(anchor.clock.wall))
    assert (halfway.identification >> 32) - ntp_seconds(anchor.clock.wall) == pytest.approx(10, abs=1)
    anchor.pass_time(1100)
    assert anchor.accept(1, MAG1).code == 1


@covers("RV6", "RV15", "RV17")
@pytest.mark.parametrize("step", STEPS)
def test_identifiers_stay_in_the_window_of_the_mag(step: float) -> None:
    """The MAG reckons from the timestamp of its registration; 300 s is what it allows."""
    anchor = Anchor()
    registered = anchor.accept(1, MAG1, revocation=RevocationSupport(5)).revocation
    anchor.pass_time(100)
    anchor.clock.wall += step
    for revocation in revocations([*anchor.revoke(1), *anchor.pass_time(60)]):
        assert registered is not None
        assert 0 < revocation.identifier - registered.timestamp - 100 <= 60 or (
            revocation.identifier == registered.timestamp + 100
        )


@covers("RV6", "RV15")
def test_a_timestamp_after_a_step_back_is_later_than_what_was_said_before() -> None:
    anchor = Anchor()
    anchor.accept(1, MAG1, revocation=RevocationSupport(5))
    [before] = revocations(anchor.revoke(1))
    anchor.clock.wall -= 3600
    asked = ntp_timestamp(anchor.clock.wall + 3600) + 9
    again = anchor.accept(1, MAG1, identification=asked, revocation=RevocationSupport(6)).revocation
    assert again is not None and again.timestamp >= before.identifier


@covers("I11")
def test_a_step_across_the_end_of_the_era() -> None:
    """The clock was in 2036 by mistake and comes back to 2024: it goes on there, and MAGs follow."""
    anchor = Anchor()
    honest = anchor.clock.wall
    anchor.clock.wall = 2**32 - NTP_EPOCH + 100
    anchor.accept(1, MAG1)
    anchor.clock.wall = honest
    reply = anchor.ask(1, MAG2)
    assert reply.code == 133
    assert reply.identification >> 32 == pytest.approx(100, abs=1)
    told = (reply.identification & ~0xFFFFFFFF) | 0xF0000000
    assert anchor.ask(1, MAG2, identification=told).code == 1


@covers("I12")
def test_a_stranger_moves_no_clock() -> None:
    anchor = Anchor()
    anchor.hear(anchor.request(skew=6).encode(mn_ha=association(2)))
    anchor.accept()


@covers("I10")
def test_what_is_remembered_outlives_the_window_of_a_clock_that_is_slowed() -> None:
    """After a step back a timestamp stays in the window for longer than two windows."""
    anchor = Anchor(timestamp_window=3600)
    captured = anchor.datagram(1, MAG1, skew=3599)
    anchor.hear(captured)
    anchor.release(skew=3599.5)
    anchor.clock.wall -= 36_000
    anchor.pass_time(7_210)
    assert reply_in(anchor.hear(captured)[0], 1).code == 133
    assert anchor.binding() is None


def test_people_are_told_once() -> None:
    """By a wake-up that is due at once; the datagram that came first is handled as any other."""
    anchor = Anchor()
    anchor.accept(1, MAG1)
    anchor.names()
    anchor.clock.wall -= 3600
    anchor.accept(1, MAG1, skew=3600)
    anchor.accept(1, MAG1, skew=3600)
    anchor.pass_time(0)
    assert anchor.names() == ["binding-renewed", "binding-renewed", "clock-set-back"]
    anchor.clock.wall -= 60
    anchor.pass_time(3600)
    assert anchor.names() == ["clock-set-back", "binding-expired"]
