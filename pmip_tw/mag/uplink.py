"""Frames of a mobile node that is being authenticated or registered, kept so that a handover loses none (P78)."""

from collections import deque

MAX_FRAMES = 64
MAX_OCTETS = 65536
MAX_AGE = 1.0
"""Seconds."""

MAX_TOTAL = 1 << 25
"""Octets of all nodes together: thousands may have to be registered at once, and one LMA be silent for all."""


class Store:
    """What all nodes of a MAG have in it: ``octets``."""

    __slots__ = ("octets",)

    def __init__(self) -> None:
        self.octets = 0


class HeldFrames:
    """A queue with the limits of P78: what does not fit, or waited too long, is lost and counted by the caller."""

    __slots__ = ("_frames", "_octets", "_store")

    def __init__(self, store: Store | None = None) -> None:
        self._frames: deque[tuple[float, bytes]] = deque()
        self._octets = 0
        self._store = store or Store()

    def hold(self, frame: bytes, monotonic: float) -> bool:
        """Keep ``frame``; False if there are too many. See ``forget_old`` first."""
        if len(self._frames) >= MAX_FRAMES or self._octets + len(frame) > MAX_OCTETS:
            return False
        if self._store.octets + len(frame) > MAX_TOTAL:
            return False
        self._frames.append((monotonic, frame))
        self._count(len(frame))
        return True

    def take(self, monotonic: float) -> tuple[list[bytes], int]:
        """All frames in order, and how many were too old; none is left."""
        lost = self.forget_old(monotonic)
        frames = [frame for _, frame in self._frames]
        self._frames.clear()
        self._count(-self._octets)
        return frames, lost

    def __len__(self) -> int:
        return len(self._frames)

    def forget_old(self, monotonic: float) -> int:
        """Let go of frames that have waited too long; how many they were."""
        lost = 0
        while self._frames and self._frames[0][0] + MAX_AGE < monotonic:
            self._count(-len(self._frames.popleft()[1]))
            lost += 1
        return lost

    def _count(self, octets: int) -> None:
        self._octets += octets
        self._store.octets += octets
