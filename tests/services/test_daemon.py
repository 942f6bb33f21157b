"""A role as a service: whole or not at all, and undone whatever fails."""

from collections.abc import Callable

import pytest
from twisted.internet.defer import Deferred

from pmip_tw.errors import PmipError
from pmip_tw.services.daemon import Daemon


class Part:
    """Notes what happens to it in ``order``; ``start_with`` and ``stop_with`` happen instead when given."""

    def __init__(
        self,
        name: str,
        order: list[str],
        start_with: Callable[[], None] = lambda: None,
        stop_with: Callable[[], object] = lambda: None,
    ) -> None:
        self.name, self.order, self.start_with, self.stop_with = name, order, start_with, stop_with

    def start(self) -> None:
        self.start_with()
        self.order.append(f"+{self.name}")

    def stop(self) -> object:
        self.order.append(f"-{self.name}")
        return self.stop_with()


def failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def daemon(parts: tuple[Part, ...], at_stop: Callable[[], None] = lambda: None) -> Daemon:
    """On a reactor that runs already."""
    return Daemon("LMA x", parts, when_running=lambda call: call(), at_stop=at_stop)


def run(service: Daemon) -> "Deferred[None]":
    service.privilegedStartService()
    service.startService()
    return service.stopService()


def test_in_order_and_back() -> None:
    order: list[str] = []
    waits = daemon((Part("a", order), Part("b", order)), at_stop=lambda: order.append("end"))
    assert run(waits).called
    assert order == ["+a", "+b", "-b", "-a", "end"]


def test_what_was_built_and_what_was_brought_back_will_live_long() -> None:
    order: list[str] = []
    settled = Daemon(
        "LMA x",
        (Part("a", order), Part("b", order)),
        when_running=lambda call: call(),
        settle=lambda: order.append("settled"),
    )
    settled.privilegedStartService()
    settled.startService()
    assert order == ["settled", "+a", "+b", "settled"]


def test_what_cannot_start_ends_the_process_with_its_reason() -> None:
    """Only what had started is stopped."""
    order: list[str] = []
    parts = (Part("a", order), Part("b", order, failing(PmipError("no such device"))), Part("c", order))
    with pytest.raises(SystemExit, match="LMA x: no such device"):
        daemon(parts).privilegedStartService()
    assert order == ["+a", "-a"]


def test_what_cannot_stop_keeps_nobody_from_stopping() -> None:
    order: list[str] = []
    parts = (Part("a", order), Part("b", order, stop_with=failing(RuntimeError("a defect"))))
    assert run(daemon(parts)).called
    assert order == ["+a", "+b", "-b", "-a"]


def test_stopping_waits_for_what_takes_time() -> None:
    order: list[str] = []
    waiting: Deferred[None] = Deferred()
    parts = (Part("a", order), Part("b", order, stop_with=lambda: waiting))
    stopped = run(daemon(parts, at_stop=lambda: order.append("end")))
    assert not stopped.called
    assert order == ["+a", "+b", "-b"], "what is before it may be needed"
    waiting.callback(None)
    assert stopped.called
    assert order == ["+a", "+b", "-b", "-a", "end"]


def test_what_fails_to_stop_at_last_keeps_nobody_either() -> None:
    order: list[str] = []
    waiting: Deferred[None] = Deferred()
    parts = (Part("a", order), Part("b", order, stop_with=lambda: waiting))
    stopped = run(daemon(parts, at_stop=lambda: order.append("end")))
    waiting.errback(RuntimeError("a defect"))
    assert stopped.called
    assert order == ["+a", "+b", "-b", "-a", "end"]
