"""What every IClock does: the twin, and the clock of a running agent on a reactor."""

import time
from collections.abc import Callable, Iterator

import pytest
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from pmip_tw.interfaces import IClock
from pmip_tw.net.clock import LONGEST_SLEEP, ReactorClock
from pmip_tw.testing.clock import FakeClock, NodeClock
from tests.loops import private_reactor

SHORT, LONG = 0.05, 0.2


class Provider:
    """``clock``, and ``wait`` for seconds of its time."""

    def __init__(self, clock: IClock, wait: Callable[[float], None]) -> None:
        self.clock, self.wait = clock, wait
        self.woken: list[float] = []

    def wake(self) -> None:
        self.woken.append(self.clock.now().monotonic)

    def ask(self, seconds: float) -> float:
        deadline = self.clock.now().monotonic + seconds
        self.clock.wake_at(deadline, self.wake)
        return deadline


@pytest.fixture(params=["fake", "node", "reactor"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    if request.param == "fake":
        fake = FakeClock()
        yield Provider(fake, fake.advance)
        return
    if request.param == "node":
        fake = FakeClock()
        yield Provider(NodeClock(fake, offset=-3600.0, drift=1e-3), fake.advance)
        return
    with private_reactor() as reactor:

        def wait(seconds: float) -> None:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                reactor.iterate(0.005)

        yield Provider(ReactorClock(reactor), wait)


class TestClock:
    def test_it_is_one(self, provider: Provider) -> None:
        assert verifyObject(IClock, provider.clock)

    def test_now(self, provider: Provider) -> None:
        """Both clocks go forward together; entropy has the length asked for and differs."""
        before = provider.clock.now()
        provider.wait(SHORT)
        after = provider.clock.now()
        assert after.monotonic - before.monotonic >= SHORT * 0.99
        assert after.wall - before.wall == pytest.approx(after.monotonic - before.monotonic, abs=0.02)
        assert before.wall > 1.6e9
        assert len(before.entropy(16)) == 16
        assert before.entropy(16) != before.entropy(16)
        assert 0 <= before.random_fraction() < 1

    def test_one_wake_up_not_before_its_time(self, provider: Provider) -> None:
        deadline = provider.ask(SHORT)
        provider.wait(LONG)
        [woken] = provider.woken
        assert woken >= deadline

    def test_a_deadline_that_has_passed(self, provider: Provider) -> None:
        provider.ask(-5)
        assert provider.woken == []  # never from inside the call
        provider.wait(SHORT)
        assert len(provider.woken) == 1

    def test_earlier_replaces(self, provider: Provider) -> None:
        provider.ask(10)
        provider.ask(SHORT)
        provider.wait(LONG)
        assert len(provider.woken) == 1

    def test_later_replaces(self, provider: Provider) -> None:
        provider.ask(SHORT)
        deadline = provider.ask(LONG)
        provider.wait(SHORT * 2)
        assert provider.woken == []
        provider.wait(LONG)
        [woken] = provider.woken
        assert woken >= deadline

    def test_none_cancels(self, provider: Provider) -> None:
        provider.ask(SHORT)
        provider.clock.wake_at(None, provider.wake)
        provider.clock.wake_at(None, provider.wake)
        provider.wait(LONG)
        assert provider.woken == []

    def test_asked_again_after_cancelling(self, provider: Provider) -> None:
        provider.ask(SHORT)
        provider.clock.wake_at(None, provider.wake)
        provider.ask(SHORT)
        provider.wait(LONG)
        assert len(provider.woken) == 1

    def test_asked_again_from_the_wake_up(self, provider: Provider) -> None:
        def wake() -> None:
            provider.wake()
            if len(provider.woken) < 3:
                provider.clock.wake_at(provider.clock.now().monotonic + SHORT / 2, wake)

        provider.clock.wake_at(provider.clock.now().monotonic, wake)
        provider.wait(LONG)
        assert len(provider.woken) == 3
        assert provider.woken == sorted(provider.woken)


class TestReactorClock:
    """The reactor's clock is wall time and may be set."""

    def test_a_jump_of_the_reactors_clock_wakes_nobody_early(self) -> None:
        reactor, woken = Clock(), []
        clock = ReactorClock(reactor)
        clock.wake_at(time.monotonic() + 100, lambda: woken.append(True))
        for _ in range(10):
            reactor.advance(1000)
        assert woken == []
        assert len(reactor.getDelayedCalls()) == 1

    def test_no_sleep_is_so_long_that_a_jump_would_matter(self) -> None:
        reactor = Clock()
        ReactorClock(reactor).wake_at(time.monotonic() + 86_400, lambda: None)
        [call] = reactor.getDelayedCalls()
        assert call.getTime() - reactor.seconds() <= LONGEST_SLEEP

    def test_a_deadline_that_moves_on_costs_no_call(self) -> None:
        """Every message moves it; the reactor's heap is left alone."""
        reactor = Clock()
        clock = ReactorClock(reactor)
        start = time.monotonic()

        def wake() -> None:
            pass

        clock.wake_at(start + 10, wake)
        [call] = reactor.getDelayedCalls()
        for number in range(11, 1000):
            clock.wake_at(start + number, wake)
        assert reactor.getDelayedCalls() == [call]


class TestFakeClock:
    def test_several_agents_share_it_in_order_of_time(self) -> None:
        clock, order = FakeClock(), []
        clock.wake_at(1003, lambda: order.append(3))
        clock.wake_at(1001, lambda: order.append(1))
        clock.wake_at(1002, lambda: order.append(2))
        clock.advance(2.5)
        assert order == [1, 2]
        assert clock.monotonic == 1002.5

    def test_the_wall_clock_may_be_set_apart(self) -> None:
        clock = FakeClock()
        clock.wall -= 3600
        before = clock.now()
        clock.advance(1)
        assert clock.now().wall - before.wall == 1

    def test_the_same_seed_gives_the_same_entropy(self) -> None:
        assert FakeClock(5).now().entropy(8) == FakeClock(5).now().entropy(8) != FakeClock(6).now().entropy(8)

    def test_it_moves_by_single_wake_ups(self) -> None:
        clock, order = FakeClock(), []
        clock.wake_at(1001, lambda: order.append(1))
        clock.wake_at(1003, lambda: order.append(3))
        assert clock.step(1002) and (order, clock.monotonic) == ([1], 1001)
        assert not clock.step(1002) and (order, clock.monotonic) == ([1], 1002)


class TestNodeClock:
    """Machines of one world differ in their wall clocks only."""

    def test_offset_and_drift(self) -> None:
        time = FakeClock()
        clock = NodeClock(time, offset=5.0, drift=0.01)
        assert clock.now().wall == time.wall + 5
        time.advance(100)
        assert clock.now().wall == pytest.approx(time.wall + 6)
        assert clock.now().monotonic == time.now().monotonic

    def test_setting_it_moves_no_deadline(self) -> None:
        time, woken = FakeClock(), []
        clock = NodeClock(time)
        clock.wake_at(1010, lambda: woken.append(time.monotonic))
        clock.set_forward(-3600)
        assert clock.now().wall == time.wall - 3600
        time.advance(20)
        assert woken == [1010]

    def test_who_has_died_is_not_woken(self) -> None:
        time, woken = FakeClock(), []
        dying, living = NodeClock(time), NodeClock(time)
        dying.wake_at(1001, lambda: woken.append("dead"))
        living.wake_at(1001, lambda: woken.append("alive"))
        dying.stop()
        time.advance(5)
        assert woken == ["alive"]
