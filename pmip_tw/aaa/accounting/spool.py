"""What of accounting is on the disk, and what is to change there: values, which many changes become one of."""

from collections.abc import Mapping

import attrs


@attrs.frozen(slots=True, kw_only=True)
class SpoolContents:
    """``records``: by number, oldest first; ``sessions``: by id."""

    records: Mapping[int, bytes]
    sessions: Mapping[str, bytes]


@attrs.define(slots=True, kw_only=True)
class SpoolChange:
    """None: it is to be dropped; nothing happens if it is not there."""

    records: dict[int, bytes | None] = attrs.field(factory=dict)
    sessions: dict[str, bytes | None] = attrs.field(factory=dict)

    def __bool__(self) -> bool:
        return bool(self.records or self.sessions)

    def before(self, newer: "SpoolChange") -> "SpoolChange":
        """This one, and ``newer`` after it, as one."""
        return SpoolChange(records=self.records | newer.records, sessions=self.sessions | newer.sessions)
