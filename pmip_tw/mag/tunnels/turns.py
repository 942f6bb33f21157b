"""Whose turn it is: the nodes of a tunnel, so that each is asked for in its time (N43)."""

from collections.abc import Callable, Iterator

from pmip_tw.mobility.tunnels import AccessKey

Uses = Callable[[AccessKey], bool]
"""Whether a node still goes through the tunnel."""

_FEW = 16


class Turns:
    """Nodes, each with the monotonic instant at which it was registered last; who left is noticed in its turn.

    First comes of whom nothing was seen for longest: neither was it registered, nor has it had its turn.
    """

    def __init__(self, uses: Uses) -> None:
        self._uses = uses
        self._nodes: dict[AccessKey, float] = {}
        self._crowded = _FEW

    def add(self, key: AccessKey, monotonic: float) -> None:
        """``key`` was registered now.

        Those who left are forgotten when they may be as many as those who are here: each look at all is paid for by
        as many who came.
        """
        self._nodes.pop(key, None)
        self._nodes[key] = monotonic
        if len(self._nodes) > self._crowded:
            self._nodes = {node: registered for node, registered in self._nodes.items() if self._uses(node)}
            self._crowded = max(_FEW, 2 * len(self._nodes))

    def next(self, before: float = float("inf")) -> AccessKey | None:
        """The next time it is another one's. None: nobody is left who was registered ``before`` that instant."""
        for key in list(self._nodes):
            registered = self._nodes[key]
            if registered >= before:
                continue
            del self._nodes[key]
            if self._uses(key):
                self._nodes[key] = registered
                return key
        return None

    def has(self, key: AccessKey) -> bool:
        return key in self._nodes and self._uses(key)

    def had_before(self, key: AccessKey, monotonic: float) -> bool:
        """Whether ``key`` is here by a registration that is not younger than that."""
        return self.has(key) and self._nodes[key] <= monotonic

    def registered_before(self, monotonic: float) -> list[AccessKey]:
        """Those whose last registration is older than that."""
        return [key for key in self if self._nodes[key] < monotonic]

    def __iter__(self) -> Iterator[AccessKey]:
        return (key for key in list(self._nodes) if self._uses(key))

    def __len__(self) -> int:
        """With those who left and were not noticed yet."""
        return len(self._nodes)
