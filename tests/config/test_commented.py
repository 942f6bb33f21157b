"""Tables that ``conf/*.toml`` has commented out: whoever takes off the first # of each line has a table."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.test_load import CONF

FILES = sorted(CONF.glob("*.toml"))
HEADER = re.compile(r"( *)\[\[?[a-z0-9_.]+\]\]?( *#.*)?$")
KEY = re.compile(r"( *)[a-z0-9_]+ = ")


def tables(text: str) -> Iterator[list[str]]:
    """From each commented header to the end of its paragraph; an indented one alone is as long as it is indented."""
    for paragraph in re.split(r"^(?!#).*\n?", text, flags=re.MULTILINE):
        lines = [line[1:] for line in paragraph.splitlines()]
        at = 0
        while at < len(lines):
            header = HEADER.match(lines[at])
            if header is None:
                at += 1
                continue
            indent = len(header[1])
            end = at + 1
            while end < len(lines) and (indent <= 1 or _indent(lines[end]) >= indent):
                end += 1
            yield lines[at:end]
            at = end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_commented_table_is_one_when_its_first_marks_are_off(path: Path) -> None:
    """What explains its settings, and examples that take their place, have another mark before them."""
    for table in tables(path.read_text()):
        text = "\n".join(table)
        try:
            assert tomllib.loads(text), text
        except tomllib.TOMLDecodeError as error:
            pytest.fail(f"{path.name}: {error}:\n{text}", pytrace=False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_setting_of_a_table_stands_behind_a_table_within_it(path: Path) -> None:
    """It would be that one's."""
    for table in tables(path.read_text()):
        inner = 0
        for line in table:
            header, key = HEADER.match(line), KEY.match(line)
            if header is not None:
                inner = len(header[1])
            elif key is not None:
                assert len(key[1]) >= inner, f"{path.name}: {line!r} in\n" + "\n".join(table)


def test_there_are_such_tables() -> None:
    assert sum(len(list(tables(path.read_text()))) for path in FILES) > 20
