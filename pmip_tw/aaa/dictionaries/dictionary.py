"""What an attribute is called, what its number is, and how its value is written.

Each dialect has a table of its own (``dictionary_...``), which is all that we know of it: code reads by it, causes name
attributes by it, and docs/radius.md shows it. Names are those of FreeRADIUS's dictionaries, as operators write them.
"""

from collections.abc import Iterator
from enum import Enum

import attrs


class Kind(Enum):
    """How a value is written; values are the documentation's words."""

    TEXT = "text"
    OCTETS = "octets"
    NUMBER = "32 bits"
    ADDRESS = "IPv4 address"
    EITHER_ADDRESS = "IPv4 or IPv6 address"
    SUB_ATTRIBUTES = "sub-attributes"


@attrs.frozen(slots=True)
class Attribute:
    """``vendor`` 0: a standard attribute. ``hidden``: its value is salt-encrypted (RFC 2868 3.5)."""

    name: str
    vendor: int
    number: int
    kind: Kind
    hidden: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> tuple[int, int]:
        """(vendor, type), as ``wire.radius.Attributes`` has it."""
        return self.vendor, self.number

    @property
    def place(self) -> str:
        """Where an operator finds it in a packet."""
        return f"vendor {self.vendor}, type {self.number}" if self.vendor else f"type {self.number}"


class Dictionary:
    """The attributes of one ``vendor``, in the order of their definition; names begin with ``prefix``."""

    def __init__(self, vendor: int = 0, prefix: str = "") -> None:
        self.vendor = vendor
        self._prefix = prefix
        self._attributes: dict[int, Attribute] = {}

    def define(self, number: int, name: str, kind: Kind, *, hidden: bool = False) -> Attribute:
        """ValueError: the number is taken."""
        if number in self._attributes:
            raise ValueError(f"{self._attributes[number]} has number {number} already")
        attribute = Attribute(self._prefix + name, self.vendor, number, kind, hidden)
        self._attributes[number] = attribute
        return attribute

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self._attributes.values())
