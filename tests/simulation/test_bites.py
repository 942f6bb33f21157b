"""The simulation sees defects: each of these breaks one rule of the product, and a promise is not kept."""

from collections.abc import Callable

import attrs
import pytest

from pmip_tw.lma import admission, intake
from pmip_tw.lma.address_pool import AddressPool
from pmip_tw.lma.revoking import Revoker
from pmip_tw.mag import accepting, departures, registering, waiting
from pmip_tw.mag.clocks import Identifications
from pmip_tw.mobility.replay import RefusedAhead, seconds_between
from tests.simulation.drawing import draw
from tests.simulation.run import run

ENOUGH = 120
"""Seeds within which a defect must have been seen."""


RARE = 325
"""The first seed where it takes many: a retransmission must be on its way while the node returns."""


def promises_broken(profile: str, first: int) -> str:
    """The first promise that is not kept, "" if all are."""
    for seed in range(first, first + ENOUGH):
        outcome = run(draw(seed, profile))
        if outcome.failed:
            return outcome.promise
    return ""


Break = Callable[[pytest.MonkeyPatch], None]


def replays_are_accepted(patch: pytest.MonkeyPatch) -> None:
    """I6 without its second half."""
    patch.setattr(
        intake,
        "acceptable",
        lambda identification, last, wall, window: abs(seconds_between(identification, wall)) <= window,
    )


def returning_does_not_cancel(patch: pytest.MonkeyPatch) -> None:
    """RV26: the LMA goes on revoking a stay although the node is back."""
    patch.setattr(Revoker, "cancel", lambda self, owner, place: None)


def entries_are_left(patch: pytest.MonkeyPatch) -> None:
    """P51: a MAG that forgets a visitor and not its entry."""
    forget = departures.Departures.forget
    patch.setattr(
        departures.Departures,
        "forget",
        lambda self, visitor, name, **why: forget(self, visitor, name, **why)[1:],
    )


def addresses_are_not_held(patch: pytest.MonkeyPatch) -> None:
    """P80: what somebody has given back is given away first."""
    fresh = AddressPool.fresh
    patch.setattr(AddressPool, "fresh", lambda pool: pool.oldest() or fresh(pool))


def lifetimes_count_from_the_reply(patch: pytest.MonkeyPatch) -> None:
    """M5, badly."""
    grant_of = accepting.grant_of

    def later(*arguments, **more):
        grant = grant_of(*arguments, **more)
        return attrs.evolve(grant, ends_at=grant.ends_at + 5)

    patch.setattr(accepting, "grant_of", later)


def requests_are_sent_once(patch: pytest.MonkeyPatch) -> None:
    """M8: what got no answer gets none."""
    patch.setattr(registering.Registrations, "_unanswered", lambda self, visitor, exchange, now: [])


def discards_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(intake.Intake, "_duplicate", lambda *arguments: [])


def what_was_refused_for_being_ahead_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """I8, I10."""
    patch.setattr(RefusedAhead, "note", lambda *arguments: None)


def offsets_stay_when_clocks_are_set_right(patch: pytest.MonkeyPatch) -> None:
    """I9: whatever the LMA says while our own clock agrees with it."""
    resynchronize = Identifications.resynchronize

    def stubborn(self, nai, lma, reply_identification, wall):
        offset = self.offset(lma)
        ahead = resynchronize(self, nai, lma, reply_identification, wall)
        if offset and not self.offset(lma):
            self._offsets[lma] = offset
        return ahead

    patch.setattr(Identifications, "resynchronize", stubborn)


def timestamps_of_registrations_are_the_time(patch: pytest.MonkeyPatch) -> None:
    """RV6: also where later identifiers were used in revocations."""
    patch.setattr(Revoker, "timestamp_for", lambda self, home_address, peer, now: int(now.wall) - 1)


def moves_are_not_limited(patch: pytest.MonkeyPatch) -> None:
    """P79."""
    patch.setattr(admission, "too_soon", lambda *arguments: None)


def who_is_silent_with_its_lma_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """P15: without a question whether it is there."""
    patch.setattr(
        waiting.Waiting,
        "expired",
        lambda self, visitor, now: self._departures.forget(visitor, "registration-expired"),
    )


@pytest.mark.parametrize(
    ("broken", "promise", "profile"),
    [
        (replays_are_accepted, "nothing unauthentic changes state", "general"),
        (returning_does_not_cancel, "only what is over is revoked", "general"),
        (entries_are_left, "entries are live state", "general"),
        (lifetimes_count_from_the_reply, "a registration ends before its binding", "general"),
        (requests_are_sent_once, "it comes to rest", "general"),
        (discards_are_not_counted, "counters add up", "general"),
        (addresses_are_not_held, "an address is configured once", "short-of-addresses"),
        (
            what_was_refused_for_being_ahead_is_forgotten,
            "nothing unauthentic changes state",
            "clocks-ahead",
        ),
        (moves_are_not_limited, "a node moves once in a while", "same-mac"),
        (offsets_stay_when_clocks_are_set_right, "who is there is served", "clock-steps"),
        (who_is_silent_with_its_lma_is_forgotten, "who is there is served", "outages"),
        (timestamps_of_registrations_are_the_time, "only what is over is revoked", "quick-returns"),
    ],
)
def test_a_defect_is_seen(broken: Break, promise: str, profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch)
    first = RARE if broken is timestamps_of_registrations_are_the_time else 0
    assert promises_broken(profile, first) == promise
