"""What a terminal can show, and text laid out for its width."""

import re
import shutil
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import attrs

WIDEST: Final = 118
"""Columns. Nothing is drawn wider, and a file or pipe gets this."""

_ESCAPE = re.compile("\x1b\\[[0-9;]*m")
_PLAIN = str.maketrans("│─═►◄✓✗→≤", "|-=><+x><")


@attrs.frozen(slots=True, kw_only=True)
class Style:
    """How a terminal gets it: colors or none, box drawing characters or plain ASCII, at most ``width`` columns."""

    colour: bool = False
    ascii: bool = False
    width: int = WIDEST

    def paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def plain(self, text: str) -> str:
        return text.translate(_PLAIN) if self.ascii else text

    def wrapped(self, text: str, *, code: str = "", indent: str = "  ") -> list[str]:
        """As many lines as the text needs, all but the first indented, painted with ``code``. A word longer than
        a line, such as a path, stays whole."""
        lines = textwrap.wrap(
            self.plain(text),
            self.width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return [self.paint(code, line) if code else line for line in lines]

    def filled(self, items: Iterable[str], *, gap: str = "   ", indent: str = "", end: str = "") -> list[str]:
        """As many items on a line as fit, each whole; ``end`` closes every line but the last. Items may be painted."""
        lines: list[str] = []
        for item in items:
            if lines and len(_ESCAPE.sub("", lines[-1] + gap + item)) + len(end) <= self.width:
                lines[-1] += gap + item
            else:
                lines.append(indent + item if lines else item)
        return [line + end for line in lines[:-1]] + lines[-1:]


def shown(path: Path) -> str:
    """A path as short as it can be typed here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def style_for(stream_is_terminal: bool, encoding: str | None, environment_term: str) -> Style:
    """Colors on a terminal that has them, and its width; line drawing where the encoding knows it."""
    return Style(
        colour=stream_is_terminal and environment_term not in ("", "dumb"),
        ascii=(encoding or "ascii").lower().replace("-", "") != "utf8",
        width=min(WIDEST, shutil.get_terminal_size().columns) if stream_is_terminal else WIDEST,
    )
