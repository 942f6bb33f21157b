"""Several workers keep what one process keeps, whoever is killed when; and the world sees it if they do not."""

from collections.abc import Callable

import attrs
import pytest
from twisted.internet.defer import succeed

from pmip_tw.agents.session_book import SessionBook
from pmip_tw.agents.workers.remote_book import RemotePages
from pmip_tw.agents.workers.shared_plane import RemotePlane, SharedPlane
from pmip_tw.lma.workers.leased_pool import LeasedPool
from pmip_tw.lma.workers.lender import Lender
from pmip_tw.lma.workers.lent_pool import LentPool
from tests.conformance import covers
from tests.workers.house import Broken, House

Patch = pytest.MonkeyPatch


@covers("P30", "P38", "P62", "P77", "P80", "I10", "AA20")
@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_every_promise_is_kept(seed: int) -> None:
    house = House(seed, workers=2 + seed % 3)
    house.run()
    assert house.kills == 3 and house.answered > 100


def leases_are_forgotten_at_a_restart(patch: Patch) -> None:
    patch.setattr(LentPool, "claim", lambda self, worker, address: None)


def nobody_is_waited_for_at_a_restart(patch: Patch) -> None:
    """The book is begun with what worker 0 tells."""
    heard = Lender._in_use

    def hasty(self, worker, message):
        self._workers = frozenset((worker,)) if not self._began else self._workers
        return heard(self, worker, message)

    patch.setattr(Lender, "_in_use", hasty)


def answers_do_not_wait_for_the_plane(patch: Patch) -> None:
    carry = RemotePlane.carry

    def hasty(self, changes):
        carry(self, changes)
        return succeed(None)

    patch.setattr(RemotePlane, "carry", hasty)
    patch.setattr(RemotePlane, "carried", lambda self, message: self._asked.pop(message.number, None))


def what_is_given_back_is_kept(patch: Patch) -> None:
    """A lease is given twice."""
    patch.setattr(LeasedPool, "_give_up", lambda self, address, monotonic: None)


def who_is_gone_leaves_its_entries(patch: Patch) -> None:
    patch.setattr(SharedPlane, "_remove", lambda self, worker, key: None)


def who_is_not_back_keeps_its_session(patch: Patch) -> None:
    patch.setattr(SessionBook, "begins", lambda self, worker: None)


def ends_are_not_told(patch: Patch) -> None:
    patch.setattr(RemotePages, "over", lambda self, key, terminate_cause: None)


@attrs.frozen(slots=True)
class Defect:
    """``first``: the seed from which on it is looked for."""

    plant: Callable[[Patch], None]
    promise: str
    first: int = 0


DEFECTS = (
    Defect(leases_are_forgotten_at_a_restart, "an address is one node's"),
    Defect(nobody_is_waited_for_at_a_restart, "an address is one node's"),
    Defect(answers_do_not_wait_for_the_plane, "what was answered is carried"),
    Defect(what_is_given_back_is_kept, "an address is one node's"),
    Defect(who_is_gone_leaves_its_entries, "the plane holds what workers say"),
    Defect(who_is_not_back_keeps_its_session, "AAA knows who is bound", first=16),
    Defect(ends_are_not_told, "AAA knows who is bound"),
)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.plant.__name__)
def test_a_defect_is_seen(defect: Defect, monkeypatch: pytest.MonkeyPatch) -> None:
    defect.plant(monkeypatch)
    seen = set()
    for seed in range(defect.first, defect.first + 12):
        try:
            House(seed, workers=2 + seed % 3).run()
        except Broken as broken:
            seen.add(broken.promise)
            if defect.promise in seen:
                return
    raise AssertionError(f"{defect.promise!r} was kept, only these were not: {seen}")
