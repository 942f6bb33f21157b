"""The search for keys bites: a careless test fails, whichever way it shows a key."""

import re
import subprocess
import sys
from pathlib import Path
from shutil import rmtree
from textwrap import dedent, indent

from pmip_tw.lab.daemons import SECRET
from tests.leaks import KEYS, PATTERN, spellings

ROOT = Path(__file__).parents[1]

WAYS = {
    "log": "Logger(namespace='pmip').info('the secret is {secret}', secret=SECRET)",
    "failure": """
        try:
            raise ValueError(SECRET)
        except ValueError:
            Logger(namespace='pmip').failure('it broke')
    """,
    "trace": "Trace().observe(Observation(name='x', cause=SECRET.encode().hex()), NOW)",
    "details": "Trace().observe(Observation(name='x', details={'key': SECRET}), NOW)",
    "JSON": "json.dumps({'rows': [{'key': SECRET}]})",
    "JSON of workers": "msgspec.json.encode({'rows': [{'key': SECRET}]})",
    "print": "print(SECRET.upper().lower())",
    "crash": "assert SECRET == 'another'",
    "file": "(tmp_path / 'lma.log').write_text(SECRET)",
}
CLEAN = {
    "nothing": "pass",
    "secret itself": "Logger(namespace='pmip').info('the secret is {secret}', secret=Secret(SECRET.encode()))",
    "configuration": "(tmp_path / 'lma.toml').write_text(SECRET)",
    "log of others": "(tmp_path / 'radiusd.log').write_text(SECRET)",
}
BEGIN = """
import json
import msgspec
import pytest
from twisted.logger import Logger
from pmip_tw.lab.daemons import SECRET
from pmip_tw.manage.trace import Trace
from pmip_tw.mobility.observations import Observation
from pmip_tw.secret import Secret
from pmip_tw.testing.clock import FakeClock

NOW = FakeClock().now()
"""
TEST = """
def test_{name}(tmp_path, tmp_path_factory):
{body}
"""


def outcome(directory: Path, ways: dict[str, str], more: str = "") -> tuple[int, str]:
    """The exit code and the words of a run with a test for each of ``ways``, and ``more``."""
    tests = [
        TEST.format(name=name.replace(" ", "_"), body=indent(dedent(way).strip(), "    "))
        for name, way in ways.items()
    ]
    (directory / "test_of_somebody.py").write_text("".join([BEGIN, *tests, more]))
    command = [sys.executable, "-m", "pytest", "-p", "tests.leaks", "-p", "no:cacheprovider", "-q", "-rfE"]
    temporary = directory / "temporary"
    done = subprocess.run(
        [*command, f"--rootdir={directory}", f"--basetemp={temporary}", str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    rmtree(temporary, ignore_errors=True)
    return done.returncode, done.stdout


def test_careless_tests_fail_and_say_where(tmp_path: Path) -> None:
    code, words = outcome(tmp_path, WAYS)
    assert code == 1, words
    for name in WAYS:
        found = re.search(rf"^(FAILED|ERROR) .*::test_{name.replace(' ', '_')}\b", words, re.MULTILINE)
        assert found, words
    assert words.count("a key is shown in") >= len(WAYS)


def test_a_teardown_that_fails_hides_nothing(tmp_path: Path) -> None:
    torn = """
    @pytest.fixture
    def fragile():
        yield
        raise ValueError('the daemon does not stop')

    def test_torn(fragile):
        Logger(namespace='pmip').info('the secret is {secret}', secret=SECRET)
    """
    code, words = outcome(tmp_path, {"nothing": "pass"}, dedent(torn))
    assert code == 1, words
    assert "a key is shown in the log of pmip" in words


def test_what_several_tests_share_fails_the_run(tmp_path: Path) -> None:
    way = "(tmp_path_factory.mktemp('lab') / 'lma.json').write_text(SECRET)"
    code, words = outcome(tmp_path, {"of all": way})
    assert code == 1, words
    assert "a key is shown in the file lma.json" in words


def test_others_do_not(tmp_path: Path) -> None:
    code, words = outcome(tmp_path, CLEAN)
    assert code == 0, words


def test_every_spelling_is_found_and_no_short_one() -> None:
    for key in KEYS:
        for text in spellings(key):
            assert len(text) >= 12
            assert PATTERN.search(f"... {text} ...")
    assert SECRET.encode() in KEYS
    assert not PATTERN.search("Secret(hidden) 02:00:00:00:00:01 0123456789")
