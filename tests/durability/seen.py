"""What is seen of an LMA from outside: requests, what they were granted, what is shown, and what should not be."""

from collections.abc import Sequence

import attrs


@attrs.frozen(slots=True)
class Asked:
    """A request that was sent. ``sequence`` is its own; ``mag``: number of the MAG; ``lifetime`` 0: de-registers."""

    node: int
    sequence: int
    mag: int
    lifetime: int
    at: float
    message: bytes = attrs.field(repr=False)


@attrs.frozen(slots=True)
class Grant:
    """A binding as far as it is known from outside: it ends between two instants. ``home_address`` 0: not known."""

    home_address: int
    mag: int
    earliest_end: float
    latest_end: float


@attrs.frozen(slots=True)
class Row:
    """A binding as the LMA shows it; ``remaining``: whole seconds."""

    node: int
    home_address: int
    mag: int
    remaining: int


@attrs.frozen(slots=True)
class Broken:
    """A promise that does not hold, of which node, what was seen instead, and how that came about."""

    promise: str
    node: int | None
    seen: str
    story: Sequence[str]

    def __str__(self) -> str:
        whose = "" if self.node is None else f"node {self.node}: "
        return "\n".join([f"{self.promise}: {whose}{self.seen}", *self.story])
