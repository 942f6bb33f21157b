"""Texts that would keep a TOML parser busy for nothing: no setting is nested that deeply, no number that long.

The text is read as words only, in time that grows with its length, and need not be TOML.
"""

import re

DEEPEST = 16
"""Names in one key, and brackets within brackets; settings need four."""

_WORD = r"""(?:[A-Za-z0-9_+-]++|"(?:\\.|[^"\\\n])*+"?|'[^'\n]*+'?)"""
_WORDS = re.compile(_WORD)
_TOKEN = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?(?:"{3,5}|\Z)'
    r"|'''[\s\S]*?(?:'{3,5}|\Z)"
    r"|#[^\n]*+"
    rf"|(?P<key>{_WORD}(?:[ \t]*+\.[ \t]*+{_WORD})*+)"
    r"|(?P<bracket>[\[\]{}])"
)
_DIGITS = re.compile(r"[+-]?[0-9][0-9_]*")


def too_deep(text: str) -> tuple[int, str] | None:
    """The offset of the first key or bracket that is nested too deeply, and what is wrong with it."""
    open_brackets = 0
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "bracket":
            open_brackets += 1 if token[0] in "[{" else -1
            if open_brackets > DEEPEST:
                return token.start(), "brackets are nested too deeply"
        elif token.lastgroup == "key" and token[0].count(".") >= DEEPEST:
            names = len(_WORDS.findall(token[0]))
            if names > DEEPEST:
                return token.start(), f"a key of {names} names is nested too deeply"
    return None


def longest_number(text: str) -> tuple[int, int]:
    """The offset of the longest decimal number, and how many digits it has."""
    found = (0, 0)
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "key" and len(token[0]) > found[1] and _DIGITS.fullmatch(token[0]):
            digits = sum(map(str.isdigit, token[0]))
            found = max(found, (token.start(), digits), key=lambda each: each[1])
    return found
