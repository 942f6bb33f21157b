"""What became of each rule. Only what is not implemented is declared, in statuses.toml; the tests say the rest."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from tests.conformance.families import is_id

TABLE = Path(__file__).with_name("statuses.toml")

VERSIONS: Final = ("NAT", "AAA", "PPP", "FA", "VPN")
"""What a rule may wait for."""
REASONED: Final = ("not applicable", "not implemented")
"""Kinds that say why."""

_RANGE: Final = re.compile(r"([A-Z]{1,2})(\d+)-\1(\d+)")


@attrs.frozen(slots=True)
class Status:
    """``kind`` is "implemented", "later" or one of REASONED; ``why`` the version, the reason, or nothing."""

    kind: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.why}" if self.why else self.kind


IMPLEMENTED: Final = Status("implemented")


class Undeclarable(ValueError):
    """The table says what no status is."""


def declared(text: str) -> dict[str, Status]:
    """Id -> status, from a table as statuses.toml.

    Raises:
        Undeclarable: an unknown kind or version, no reason, no id, or an id twice.
    """
    found: dict[str, Status] = {}
    for kind, entries in tomllib.loads(text).items():
        for names, status in _entries(kind, entries):
            for name in _expanded(names):
                if name in found:
                    raise Undeclarable(f"{name} is declared twice: {found[name]}, {status}")
                found[name] = status
    return found


def _entries(kind: str, entries: Mapping[str, Any]) -> list[tuple[list[str], Status]]:
    if kind == "later":
        unknown = sorted(entries.keys() - set(VERSIONS))
        if unknown:
            raise Undeclarable(f"later: {unknown} is none of {', '.join(VERSIONS)}")
        return [(names, Status(kind, version)) for version, names in entries.items()]
    if kind in REASONED:
        mute = [name for name, why in entries.items() if len(why) < 10]
        if mute:
            raise Undeclarable(f"{kind}: say why for {mute}")
        return [([name], Status(kind, why)) for name, why in entries.items()]
    raise Undeclarable(f"{kind!r} is no kind of status: later, {', '.join(REASONED)}")


def _expanded(names: list[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        match = _RANGE.fullmatch(name)
        found += [f"{match[1]}{n}" for n in range(int(match[2]), int(match[3]) + 1)] if match else [name]
    wrong = [name for name in found if not is_id(name)]
    if wrong:
        raise Undeclarable(f"no requirement ids: {wrong}")
    return found
