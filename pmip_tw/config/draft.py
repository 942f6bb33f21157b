"""A settings file with what may be wrong in it, looked at value by value, so that no mistake hides another."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from pmip_tw.config.locate import Path, Positions
from pmip_tw.config.structure import Mistake, structure


@attrs.frozen(slots=True)
class Draft:
    """A document as ``tomllib`` gave it, with what is wrong in it, and where each value stands."""

    document: Mapping[str, Any]
    positions: Positions

    def value(self, path: Path, kind: Any) -> Any:
        """The setting at ``path`` as a ``kind``; None if it is absent or wrong (which is reported elsewhere)."""
        raw = self._raw(path)
        return None if raw is None else structure(raw, kind)[0]

    def has(self, path: Path) -> bool:
        return self._raw(path) is not None

    def elements(self, path: Path) -> list[Path]:
        """The paths of the elements of the list at ``path``."""
        raw = self._raw(path)
        return [(*path, index) for index in range(len(raw))] if isinstance(raw, list) else []

    def line(self, path: Path) -> int:
        return self.positions.of(path).line

    def _raw(self, path: Path) -> Any:
        found: Any = self.document
        for step in path:
            if not isinstance(found, Mapping | list):
                return None
            try:
                found = found[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                return None
        return found


class Once:
    """Notices the second use of what may be used once, and says where the first was."""

    def __init__(self, draft: Draft, what: str) -> None:
        self._draft = draft
        self._what = what
        self._first: dict[object, Path] = {}

    def use(self, key: object, text: str, path: Path) -> Iterator[Mistake]:
        first = self._first.setdefault(key, path)
        if first != path:
            line = self._draft.line(first)
            yield Mistake(path, f"{path[-1]}: {self._what} {text} is already used on line {line}")
