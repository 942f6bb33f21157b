"""What AAA lets a session have (AA18, AA25), and who is to be looked at because of that."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from pmip_tw.mobility.silence import Silence
from pmip_tw.mobility.timers import Wheel


class Limits(Struct, frozen=True, kw_only=True, gc=False):
    """Of a session of which AAA has said something, besides its filters.

    ``session_ends``: monotonic, None: never. Seconds: ``idle_timeout``, 0: none; ``interim_interval`` of accounting, 0:
    as configured. ``said_at``: when AAA has said so, monotonic: what it says later counts instead.
    """

    said_at: float
    session_ends: float | None = None
    idle_timeout: int = 0
    interim_interval: int = 0

    def changed(
        self,
        said_at: float,
        session_timeout: int | None,
        idle_timeout: int | None,
        interim_interval: int | None,
    ) -> "Limits":
        """AAA says so at ``said_at``, in seconds from then; None: nothing about that, which stays."""
        new = replace(self, said_at=said_at)
        if session_timeout is not None:
            new = replace(new, session_ends=said_at + session_timeout if session_timeout else None)
        if idle_timeout is not None:
            new = replace(new, idle_timeout=idle_timeout)
        if interim_interval is not None:
            new = replace(new, interim_interval=interim_interval)
        return new


UNLIMITED = Limits(said_at=float("-inf"))


class Limited:
    """Owners whose sessions end at some time, or when they are silent. ``limits_of``: those of an owner, now."""

    def __init__(self, limits_of: Callable[[bytes], Limits | None]) -> None:
        self._limits_of = limits_of
        self._silences: dict[bytes, Silence] = {}
        self._due: Wheel[bytes] = Wheel(1.0, self._deadline)

    def put(self, owner: bytes, limits: Limits) -> None:
        """From now on these are its ``limits``."""
        silence = self._silences.get(owner)
        if not limits.idle_timeout:
            self._silences.pop(owner, None)
        elif silence is None or silence.timeout != limits.idle_timeout:
            begun = Silence.begins(limits.idle_timeout, limits.said_at)
            assert begun is not None
            self._silences[owner] = begun
        deadline = self._deadline(owner)
        if deadline is not None:
            self._due.file(owner, deadline)

    def forget(self, owner: bytes) -> None:
        self._silences.pop(owner, None)

    def due(self, monotonic: float) -> list[bytes]:
        """Who is to be looked at, some at a time."""
        return self._due.due(monotonic)

    def is_silent(self, owner: bytes, moved: int, monotonic: float) -> float | None:
        """``moved``: packets in both directions. Since when it has moved none; None: not for too long."""
        silence = self._silences.get(owner)
        if silence is None or silence.is_over(moved, True, monotonic):
            return None if silence is None else silence.since
        deadline = self._deadline(owner)
        assert deadline is not None
        self._due.file(owner, deadline)
        return None

    def look_again(self, owner: bytes, monotonic: float) -> None:
        self._due.file(owner, monotonic)

    def next_deadline(self) -> float | None:
        return self._due.next_deadline()

    def _deadline(self, owner: bytes) -> float | None:
        limits, silence = self._limits_of(owner), self._silences.get(owner)
        if limits is None:
            return None
        found = [] if limits.session_ends is None else [limits.session_ends]
        if silence is not None:
            found.append(silence.check_at)
        return min(found, default=None)
