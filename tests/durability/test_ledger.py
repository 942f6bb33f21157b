"""The ledger finds what it is there to find, and nothing else."""

from collections.abc import Sequence

import pytest

from pmip_tw.addresses import ipv4
from tests.durability.ledger import Ledger
from tests.durability.seen import Asked, Row

HOLD = 60
HERE, THERE = ipv4("10.0.0.2"), ipv4("10.0.0.3")


def row(node: int, home: int, remaining: int, *, mag: int = 0) -> Row:
    return Row(node, home, mag, remaining)


class Story:
    """Mobile nodes and an LMA that answers at once; every step takes a tenth of a second."""

    def __init__(self) -> None:
        self.ledger = Ledger(3, hold=HOLD)
        self.now = 1000.0
        self._sequence = 0

    def ask(self, node: int, *, mag: int = 0, lifetime: int = 20) -> int:
        self._sequence += 1
        self.now += 0.1
        self.ledger.asked(Asked(node, self._sequence, mag, lifetime, self.now, b"request"))
        return self._sequence

    def answer(
        self,
        node: int,
        sequence: int,
        home: int,
        *,
        code: int = 1,
        lifetime: int = 20,
        timestamp: int | None = None,
    ) -> None:
        self.now += 0.1
        self.ledger.answered(node, sequence, code, lifetime, home, self.now, timestamp=timestamp)

    def register(self, node: int, home: int, *, mag: int = 0, lifetime: int = 20) -> int:
        sequence = self.ask(node, mag=mag, lifetime=lifetime)
        self.answer(node, sequence, home, lifetime=lifetime)
        return sequence

    def restart(self, *rows: Row, after: float = 2.0) -> None:
        self.now += after
        self.ledger.audit(rows, self.now, self.now + 0.1)
        self.now += 0.1

    @property
    def promises(self) -> Sequence[str]:
        """Those that are broken."""
        return [broken.promise for broken in self.ledger.broken]


@pytest.fixture
def story() -> Story:
    return Story()


def test_what_was_answered_and_is_there_breaks_nothing(story: Story) -> None:
    story.register(0, HERE)
    story.register(1, THERE, mag=1, lifetime=60)
    story.restart(row(0, HERE, 18), row(1, THERE, 58, mag=1))
    assert story.promises == []
    story.register(0, HERE, mag=2)
    story.restart(row(0, HERE, 18, mag=2), row(1, THERE, 56, mag=1))
    assert story.promises == []


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([row(0, HERE, 18)], id="neither"),
        pytest.param([row(0, HERE, 58, mag=1)], id="the handover"),
        pytest.param([row(0, HERE, 58, mag=1), row(1, THERE, 18)], id="both"),
    ],
)
def test_what_was_not_answered_may_be_there_or_not(story: Story, found: Sequence[Row]) -> None:
    story.register(0, HERE)
    story.ask(0, mag=1, lifetime=60)
    story.ask(1)
    story.restart(*found)
    assert story.promises == []


def test_what_was_answered_is_missed_whatever_was_asked_later(story: Story) -> None:
    story.register(0, HERE)
    story.ask(0, mag=1, lifetime=60)
    story.restart()
    assert story.promises == ["what was answered is there after the restart"]


def test_a_deregistration_without_an_answer_may_have_been_obeyed(story: Story) -> None:
    story.register(0, HERE)
    story.ask(0, lifetime=0)
    story.restart()
    assert story.promises == []
    story.register(0, HERE)
    story.ask(0, lifetime=0)
    story.restart(row(0, HERE, 18))
    assert story.promises == []


def test_a_lost_binding_is_missed(story: Story) -> None:
    story.register(0, HERE)
    story.restart()
    assert story.promises == ["what was answered is there after the restart"]
    assert "asks MAG 0 for 20 s" in str(story.ledger.broken[0])


def test_what_has_expired_meanwhile_is_not(story: Story) -> None:
    story.register(0, HERE, lifetime=5)
    story.restart(after=7)
    assert story.promises == []


def test_what_has_expired_must_not_be_there(story: Story) -> None:
    story.register(0, HERE, lifetime=5)
    story.restart(row(0, HERE, 5), after=7)
    assert story.promises == ["what has expired is gone"]


def test_what_was_deregistered_must_not_be_there(story: Story) -> None:
    story.register(0, HERE)
    story.register(0, HERE, lifetime=0)
    story.restart(row(0, HERE, 18))
    assert story.promises == ["what was de-registered is gone"]


def test_an_older_state_is_noticed(story: Story) -> None:
    story.register(0, HERE)
    story.register(0, HERE, mag=1)
    story.restart(row(0, HERE, 18))
    assert story.promises == ["a binding is where the last answer said"]


@pytest.mark.parametrize("remaining", [10, 22])
def test_a_lifetime_goes_on(story: Story, remaining: int) -> None:
    story.register(0, HERE)
    story.restart(row(0, HERE, remaining))
    assert story.promises == ["a lifetime goes on over a restart"]


def test_another_home_address_after_the_restart(story: Story) -> None:
    story.register(0, HERE)
    story.restart(row(0, THERE, 18))
    assert "a node keeps its home address" in story.promises


def test_another_home_address_in_an_answer(story: Story) -> None:
    story.register(0, HERE)
    story.register(0, THERE)
    assert story.promises == ["a node keeps its home address"]


def test_a_home_address_is_held_for_who_had_it(story: Story) -> None:
    story.register(0, HERE)
    story.register(0, HERE, lifetime=0)
    story.now += HOLD / 2
    story.register(1, HERE)
    assert story.promises == ["a home address is one node's"]


def test_afterwards_it_is_anybodys(story: Story) -> None:
    story.register(0, HERE)
    story.register(0, HERE, lifetime=0)
    story.now += HOLD + 1
    story.register(1, HERE)
    story.register(0, THERE)
    assert story.promises == []


def test_two_nodes_with_one_home_address(story: Story) -> None:
    story.register(0, HERE)
    story.ask(1)
    story.restart(row(0, HERE, 18), row(1, HERE, 18))
    assert story.promises[0] == "a home address is one node's"


def test_a_node_with_two_bindings(story: Story) -> None:
    story.register(0, HERE)
    story.restart(row(0, HERE, 18, mag=1), row(0, HERE, 18))
    assert story.promises == ["a node has one binding"]


def test_an_old_request_is_refused(story: Story) -> None:
    first = story.register(0, HERE)
    story.register(0, HERE, lifetime=0)
    assert [asked.sequence for asked in story.ledger.captured(0, story.now)] == [first]
    story.answer(0, first, HERE, code=133)
    assert story.promises == []
    story.answer(0, first, HERE)
    assert story.promises == ["an old request changes nothing"]


def test_the_newest_request_may_be_answered_again(story: Story) -> None:
    newest = story.register(0, HERE)
    assert story.ledger.captured(0, story.now) == []
    story.answer(0, newest, HERE)
    assert story.promises == []


def test_the_request_of_an_expired_binding_is_old(story: Story) -> None:
    newest = story.register(0, HERE, lifetime=5)
    story.now += 7
    assert [asked.sequence for asked in story.ledger.captured(0, story.now)] == [newest]
    story.answer(0, newest, HERE)
    assert story.promises == ["an old request changes nothing"]


def test_a_request_that_was_lost_is_old_once_a_newer_one_is_answered(story: Story) -> None:
    lost = story.ask(0)
    assert story.ledger.captured(0, story.now) == []
    story.register(0, HERE)
    assert [asked.sequence for asked in story.ledger.captured(0, story.now)] == [lost]


def test_a_request_that_nobody_answered_may_be_new(story: Story) -> None:
    first = story.register(0, HERE, lifetime=5)
    maybe = story.ask(0, lifetime=5)
    story.restart(row(0, HERE, 3))
    story.now += 9
    assert [asked.sequence for asked in story.ledger.captured(0, story.now)] == [first]
    story.answer(0, maybe, HERE)
    assert story.promises == []


def test_answers_at_two_mags_may_be_read_in_either_order(story: Story) -> None:
    first, second = story.ask(0), story.ask(0, mag=1)
    story.answer(0, second, HERE)
    story.answer(0, first, HERE)
    assert story.promises == []
    story.answer(0, first, HERE)
    assert story.promises == ["an old request changes nothing"]


def test_answers_at_one_mag_are_read_in_their_order(story: Story) -> None:
    first, second = story.ask(0), story.ask(0)
    story.answer(0, second, HERE)
    story.answer(0, first, HERE)
    assert story.promises == ["an old request changes nothing"]


def test_once_all_is_quiet_an_old_request_has_no_answer_to_come(story: Story) -> None:
    first, second = story.ask(0), story.ask(0, mag=1)
    story.answer(0, second, HERE)
    story.ledger.silence()
    story.answer(0, first, HERE)
    assert story.promises == ["an old request changes nothing"]


def test_refusals_are_no_answer_to_count_on(story: Story) -> None:
    story.answer(0, story.ask(0), HERE, code=130)
    assert story.promises == ["a request that breaks no rule is accepted"]


def test_what_a_newer_request_has_overtaken_may_be_refused(story: Story) -> None:
    first, second = story.ask(0), story.ask(0, mag=1)
    story.answer(0, first, HERE, code=133)
    story.answer(0, second, HERE)
    assert story.promises == []


def test_identifiers_of_revocations_grow(story: Story) -> None:
    """Towards one MAG and for one address; also when the same is said once more."""
    for identifier in (7, 8):
        story.ledger.revoked(HERE, 0, identifier, 0)
    story.ledger.revoked(HERE, 1, 3, 0)
    story.ledger.revoked(THERE, 0, 3, 0)
    assert story.promises == []
    story.ledger.revoked(HERE, 0, 8, 0)
    assert story.promises == ["identifiers of revocations grow (RV14)"]


def test_identifiers_that_a_restart_has_forgotten_are_used_again(story: Story) -> None:
    story.register(0, HERE)
    story.ledger.revoked(HERE, 0, 1009, 0)
    story.restart(row(0, HERE, 18))
    story.ledger.revoked(HERE, 0, 1004, 0)
    assert story.promises == ["identifiers of revocations grow (RV14)"]


@pytest.mark.parametrize(("timestamp", "kept"), [(1009, True), (1008, False)])
def test_a_registration_is_no_earlier_than_revocations_before_it(
    story: Story, timestamp: int, kept: bool
) -> None:
    """Or a revocation of the stay before, which is late, ends the new one."""
    story.register(0, HERE)
    story.ledger.revoked(HERE, 0, 1009, 0)
    story.restart(row(0, HERE, 18))
    story.answer(0, story.ask(0, mag=1), HERE, timestamp=1008)
    assert story.promises == []
    story.answer(0, story.ask(0), HERE, timestamp=timestamp)
    promise = "a registration is no earlier than revocations before it (RV6)"
    assert story.promises == ([] if kept else [promise])
