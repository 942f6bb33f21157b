"""Where each setting stands in a TOML text: ``tomllib`` gives values, this gives their lines and columns."""

import re
import tomllib
from bisect import bisect_right
from typing import NamedTuple

Path = tuple[str | int, ...]
"""Keys and array indexes from the top of the document: ``("lma", "pools", 0, "prefix")``."""


class Position(NamedTuple):
    """Both count from 1; columns are characters."""

    line: int
    column: int


START = Position(1, 1)

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?"{3,5}'
    r"|'''[\s\S]*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
)
_OTHER_VALUE = re.compile(r"[^,\]}\n#]+")
_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\n]|#[^\n]*)*")


def locate(text: str) -> dict[Path, Position]:
    """The place of every table, key and array element of ``text``, which ``tomllib`` has accepted.

    A table stands at the bracket of its header, or where it is first spoken of; a key where its name begins;
    an array element where its value begins.
    """
    return _Scanner(text.replace("\r\n", "\n")).scan()


class Positions:
    """Looks places up; what has none of its own is where its enclosing table or key is."""

    def __init__(self, found: dict[Path, Position]) -> None:
        self._found = found

    def of(self, path: Path) -> Position:
        while path and path not in self._found:
            path = path[:-1]
        return self._found.get(path, START)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._found: dict[Path, Position] = {}
        self._last_index: dict[Path, int] = {}

    def scan(self) -> dict[Path, Position]:
        table: Path = ()
        while self._skip(_BLANK_LINES) < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._key_and_value(table)
        return self._found

    def _header(self) -> Path:
        """``[a.b]`` or ``[[a.b]]``; the path of the table that it opens."""
        start = self._at
        brackets = 2 if self._text.startswith("[[", start) else 1
        self._at += brackets
        path: Path = ()
        for name, _ in self._key():
            path = self._newest_element(path)
            path += (name,)
            self._note(path, start)
        if brackets == 2:
            self._last_index[path] = self._last_index.get(path, -1) + 1
            path = self._newest_element(path)
        self._found[path] = self._position(start)
        self._at += brackets
        return path

    def _newest_element(self, path: Path) -> Path:
        index = self._last_index.get(path)
        return path if index is None else (*path, index)

    def _key_and_value(self, table: Path) -> None:
        path = table
        for name, start in self._key():
            path += (name,)
            self._note(path, start)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _key(self) -> list[tuple[str, int]]:
        """The parts of a possibly dotted key, each with its offset; stops at what follows the key."""
        parts = []
        while True:
            start = self._skip(_BLANK)
            if self._text[start] in "\"'":
                quoted = self._take(_STRING)
                name = tomllib.loads(f"name = {quoted}")["name"]
            else:
                name = self._take(_BARE_KEY)
            parts.append((name, start))
            if self._text[self._skip(_BLANK)] != ".":
                return parts
            self._at += 1

    def _value(self, path: Path) -> None:
        opening = self._text[self._at]
        if opening in "\"'":
            self._take(_STRING)
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._take(_OTHER_VALUE)

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._text[self._skip(_BLANK_LINES)] != "]":
            self._note((*path, index), self._at)
            self._value((*path, index))
            index += 1
            if self._text[self._skip(_BLANK_LINES)] == ",":
                self._at += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._text[self._skip(_BLANK_LINES)] != "}":
            self._key_and_value(path)
            if self._text[self._skip(_BLANK_LINES)] == ",":
                self._at += 1
        self._at += 1

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"no TOML at offset {self._at}: locate() is for text that tomllib accepts")
        self._at = match.end()
        return match[0]

    def _skip(self, pattern: re.Pattern[str]) -> int:
        self._take(pattern)
        return self._at

    def _note(self, path: Path, offset: int) -> None:
        self._found.setdefault(path, self._position(offset))

    def _position(self, offset: int) -> Position:
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)
