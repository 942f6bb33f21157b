"""Log lines: whose, where, the true cause; floods are counted; nobody forges a line."""

from twisted.logger import ILogObserver, Logger, LogLevel, formatEvent
from zope.interface import implementer

from pmip_tw.interfaces import IObserver
from pmip_tw.manage.log import MOST_KINDS, LogObserver
from pmip_tw.mobility.observations import Observation
from tests.manage.observations import NAI, SESSION, accepted, at, refused


@implementer(ILogObserver)
class Collected:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.events: list[dict[str, object]] = []

    def __call__(self, event: dict[str, object]) -> None:
        self.events.append(event)

    @property
    def lines(self) -> list[str]:
        return [formatEvent(event) for event in self.events]


def collected(lines_per_second: int = 20) -> tuple[LogObserver, Collected]:
    log = Collected()
    return LogObserver(Logger(namespace="test", observer=log), lines_per_second), log


def test_a_line_names_node_session_and_cause() -> None:
    observer, log = collected()
    assert IObserver.providedBy(observer)
    observer.observe(accepted(), at(0))
    observer.observe(refused(session=SESSION, cause="clocks differ"), at(0))
    observer.observe(Observation(name="started", details={"address": "192.0.2.1", "mtu": 1468}), at(0))
    assert log.lines == [
        f"access-accepted nai={NAI} session={SESSION}",
        f"registration-refused nai={NAI} session={SESSION}: clocks differ [133]",
        "started (address=192.0.2.1, mtu=1468)",
    ]
    assert [event["log_level"] for event in log.events] == [LogLevel.info, LogLevel.warn, LogLevel.info]
    assert (log.events[1]["nai"], log.events[1]["reason"]) == (NAI, "133")


def test_braces_from_a_peer_are_just_text() -> None:
    observer, log = collected()
    observer.observe(refused(nai="{log_level}", cause="{nai!r}"), at(0))
    assert log.lines == ["registration-refused nai={log_level}: {nai!r} [133]"]


def test_no_control_character_reaches_the_log() -> None:
    observer, log = collected()
    observer.observe(refused(nai="x\nfake line\x1b[2J", cause="a\rb"), at(0))
    assert log.lines == [r"registration-refused nai=x\nfake line\x1b[2J: a\rb [133]"]


def test_a_flood_is_counted_not_written() -> None:
    observer, log = collected(lines_per_second=2)
    for _ in range(10):
        observer.observe(refused(), at(5.0))
    observer.observe(accepted(), at(5.5))
    assert [line.split(" ")[0] for line in log.lines] == ["registration-refused"] * 2 + ["access-accepted"]
    observer.observe(accepted(), at(6.1))
    assert log.lines[3] == "registration-refused [133]: 8 more within a second, suppressed"
    observer.observe(refused(), at(6.2))
    assert log.lines[5].startswith("registration-refused nai=")


def test_a_flood_of_one_reason_hides_no_other() -> None:
    """Somebody without a key fills the log; a MAG whose clock is wrong is told all the same."""
    observer, log = collected(lines_per_second=1)
    for _ in range(1000):
        observer.observe(Observation(name="message-discarded", reason="no-association"), at(0))
    observer.observe(Observation(name="message-discarded", reason="malformed"), at(0.5))
    observer.observe(accepted(), at(2))
    assert [line.split(" nai=")[0] for line in log.lines] == [
        "message-discarded [no-association]",
        "message-discarded [malformed]",
        "message-discarded [no-association]: 999 more within a second, suppressed",
        "access-accepted",
    ]


def test_each_second_has_its_own_count() -> None:
    observer, log = collected(lines_per_second=1)
    for tenth in range(25):
        observer.observe(refused(), at(tenth / 10))
    observer.flush()
    told = [line for line in log.lines if "suppressed" in line]
    assert told == [
        f"registration-refused [133]: {more} more within a second, suppressed" for more in (9, 9, 4)
    ]
    assert len(log.lines) == 6


def test_words_of_strangers_would_fill_no_memory() -> None:
    observer, _ = collected()
    for number in range(3 * MOST_KINDS):
        observer.observe(Observation(name="said", reason=f"word {number}"), at(0))
        assert len(observer._windows) <= MOST_KINDS


def test_flush_tells_what_is_still_suppressed() -> None:
    observer, log = collected(lines_per_second=1)
    for _ in range(3):
        observer.observe(refused(), at(0))
    observer.flush()
    observer.flush()
    assert log.lines[1:] == ["registration-refused [133]: 2 more within a second, suppressed"]
