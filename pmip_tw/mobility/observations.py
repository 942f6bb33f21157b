"""What machines tell whoever listens: logs, counters, traces all hear the same values."""

from collections.abc import Mapping

import attrs

Detail = str | int | float | bool


@attrs.frozen(slots=True, kw_only=True)
class Observation:
    """Something that happened.

    ``name``: stable, hyphenated ("registration-accepted"); ``nai``: whose, "" if not known yet;
    ``session``: the access session or binding ("02:00:00:00:00:01 on acc0", "10.1.0.5"), "" if none;
    ``cause``: for what went wrong, the true cause in words for a person, and what to do;
    ``reason``: the same as a stable word for counters; ``details``: small plain values, never a key.
    """

    name: str
    nai: str = ""
    session: str = ""
    cause: str = ""
    reason: str = ""
    details: Mapping[str, Detail] = attrs.field(factory=dict)
