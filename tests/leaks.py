"""No key is ever shown: whatever the whole suite logs, traces, answers in JSON or crashes with is searched for keys.

A pytest plugin (tests/conftest.py loads it). The keys are those of the laboratory and of the worlds that tests live in,
in every spelling in which a careless line would show them. A test in which one is found fails, whatever else it says;
what is shown between tests, or left in files of the session, fails the run.
"""

import base64
import functools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from msgspec.structs import replace
from twisted.logger import LogEvent, eventAsText, globalLogPublisher

from pmip_tw.lab import daemons, subscribers
from pmip_tw.manage.control import json as json_of_answers
from pmip_tw.manage.log import LogObserver
from pmip_tw.manage.trace import Trace
from pmip_tw.mobility.observations import Alike, Observation

KEYS = (
    daemons.SECRET.encode(),
    *(one.key_text.encode() for one in vars(subscribers).values() if isinstance(one, subscribers.Subscriber)),
    # Those of the worlds of tests/agents, tests/lma and tests/mag begin so.
    b"key of mobile node",
    b"key of the first MAG",
)

FILES = ("mag*.log", "lma*.log", "*relay*.log", "pmip*.log", "*.json", "*.jsonl", "*.trace")
"""What our daemons and scenarios write. Other programs say in their logs what they like, FreeRADIUS every key; and
configuration and journals have keys, which is what they are for.
"""

LARGEST = 50_000_000

Text = TypeVar("Text", str, bytes)


def spellings(key: bytes) -> Iterator[str]:
    """``key`` as text, as octets in hexadecimal with and without separators, and in base 64 (wherever it begins)."""
    yield key.decode()
    digits = key.hex()
    yield digits
    yield digits.upper()
    for separator in (":", " ", "-"):
        yield key.hex(separator)
    for lead in range(3):
        encoded = base64.b64encode(bytes(lead) + key).decode()
        yield encoded[4 if lead else 0 : -4]


PATTERN = re.compile("|".join(sorted({re.escape(text) for key in KEYS for text in spellings(key)})))


class Leaks:
    """What has been found, and where; never what."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.testing = False

    def look(self, where: str, text: str) -> None:
        if PATTERN.search(text):
            self.found.append(where)

    def take(self) -> list[str]:
        found, self.found = self.found, []
        return found

    def in_log(self, event: LogEvent) -> None:
        self.look(f"the log of {event.get('log_namespace')}", eventAsText(event, includeTimestamp=False))

    def in_observation(self, observation: Observation) -> None:
        told = f"{observation.nai}\n{observation.session}\n{observation.cause}\n{observation.details}"
        self.look(f"the observation {observation.name}", told)

    def in_files(self, directory: Path) -> None:
        for pattern in FILES:
            for path in directory.rglob(pattern):
                if "vectors" in path.parts:
                    continue  # in a copy of this checkout: packets and keys that everybody may read
                if path.is_file() and path.stat().st_size <= LARGEST:
                    self.look(f"the file {path.name}", path.read_text(errors="replace"))


LEAKS = Leaks()


def _listen(kind: type, leaks: Leaks) -> None:
    """To everything that an observer is told, before it."""
    observe, observe_alike = kind.observe, kind.observe_alike

    @functools.wraps(observe)
    def heard(self: Any, observation: Observation, now: Any) -> None:
        leaks.in_observation(observation)
        observe(self, observation, now)

    @functools.wraps(observe_alike)
    def heard_alike(self: Any, observations: Alike[Any], now: Any) -> None:
        tell = observations.tell

        def told(subject: Any) -> Observation:
            observation = tell(subject)
            leaks.in_observation(observation)
            return observation

        # They are made when somebody looks, and only then.
        observe_alike(self, replace(observations, tell=told), now)

    kind.observe, kind.observe_alike = heard, heard_alike


def _overheard(encode: Callable[..., Text]) -> Callable[..., Text]:
    """``encode``, of which LEAKS hears what it makes."""

    @functools.wraps(encode)
    def told(*values: Any, **how: Any) -> Text:
        made = encode(*values, **how)
        if LEAKS.testing:  # pytest has JSON of its own, with the parameters of tests
            LEAKS.look("JSON", made if isinstance(made, str) else made.decode(errors="replace"))
        return made

    return told


def pytest_configure() -> None:
    globalLogPublisher.addObserver(LEAKS.in_log)
    for kind in (Trace, LogObserver):
        _listen(kind, LEAKS)
    assert json_of_answers is json
    json.dumps = _overheard(json.dumps)
    msgspec.json.encode = _overheard(msgspec.json.encode)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    LEAKS.testing = True
    try:
        return (yield)
    finally:
        LEAKS.testing = False


def pytest_unconfigure() -> None:
    globalLogPublisher.removeObserver(LEAKS.in_log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Before temporary directories go."""
    directory = getattr(item, "funcargs", {}).get("tmp_path")
    if directory is not None:
        LEAKS.in_files(directory)
    found = LEAKS.take()
    try:
        result = yield
    except BaseException:
        LEAKS.found += found  # the report of this, and no other one, is still to come
        raise
    if found:
        pytest.fail(f"a key is shown in {', '.join(sorted(set(found)))}", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """What a test prints, and of a crash the values: the lines of a test that are shown beside may well name keys."""
    report = yield
    for name, text in report.sections:
        LEAKS.look(name, text)
    if report.failed:
        values = [line for line in report.longreprtext.splitlines() if line.startswith("E ")]
        LEAKS.look("a crash", "\n".join(values))
    found = LEAKS.take() if report.when == "teardown" else []
    if found:
        report.outcome = "failed"
        report.longrepr = f"a key is shown in {', '.join(sorted(set(found)))}"
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What stands in files that several tests share."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if factory is not None and factory._basetemp is not None:
        LEAKS.in_files(factory.getbasetemp())
    found = LEAKS.take()
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\na key is shown in {', '.join(sorted(set(found)))}")  # noqa: T201
