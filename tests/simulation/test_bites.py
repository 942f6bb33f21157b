"""The simulation sees defects: each of these breaks one rule of the product, and a promise is not kept."""

from collections.abc import Callable

import attrs
import pytest

from pmip_tw.lma import intake
from pmip_tw.lma.address_pool import AddressPool
from pmip_tw.lma.revoking import Revoker
from pmip_tw.mag import accepting, departures, registering
from pmip_tw.mobility.replay import seconds_between
from tests.simulation.drawing import draw
from tests.simulation.run import run

ENOUGH = 120
"""Seeds within which a defect must have been seen."""


def promises_broken(profile: str) -> str:
    """The first promise that is not kept, "" if all are."""
    for seed in range(ENOUGH):
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
    fresh = AddressPool.take_fresh
    patch.setattr(AddressPool, "take_fresh", lambda pool, nai: pool.take_oldest(nai) or fresh(pool, nai))


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
    ],
)
def test_a_defect_is_seen(broken: Break, promise: str, profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch)
    assert promises_broken(profile) == promise
