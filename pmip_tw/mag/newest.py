"""What may be forgotten is remembered within bounds: of the newest only."""

from collections import OrderedDict
from typing import TypeVar

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Newest(OrderedDict[KeyT, ValueT]):
    """At most ``most`` values: the one that was set longest ago makes room for a new one.

    Making room costs the same however many there are, which it does not in a plain dictionary.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: KeyT, value: ValueT) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)
