"""What a journal keeps of the core: records, and the format that they make together.

A record is a small value that says all that a restart must know of one thing: a binding, an end, a floor. They are
appended; the newest record about a thing is the truth about it. The core defines its kinds (``lma/journal/records.py``,
``mag/journal/records.py``), the store keeps any.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import attrs
from msgspec import Struct

Fields = list[Any]
"""A record without its type, as old versions are read: its tag, then its fields in order."""


class Record(Struct, array_like=True, gc=False, frozen=True):
    """A kind of record is a subclass with a ``tag`` of its own, a number that never means anything else.

    Fields are numbers, texts, octets, None, tuples of them, and ``Secret`` for whatever must never be shown. New
    fields go to the end and have defaults: then older records still read, and so does this program's by older ones.
    A field ``deadline`` is the monotonic instant from which on the record says nothing any more; the names of others
    that are such instants end in ``_at``.
    """

    about: ClassVar[str]
    """What it is about, as a noun for screens: "binding". Kinds about the same thing have the same noun."""

    identity: ClassVar[tuple[str, ...]]
    """The fields that say which one: the newest record with the same noun and the same values of them counts."""

    ends: ClassVar[bool] = False
    """Whether it says that there is none any more."""

    @property
    def thing(self) -> tuple[object, ...]:
        """What it is about, and which one."""
        return (self.about, *(getattr(self, name) for name in self.identity))


@attrs.frozen(slots=True, kw_only=True)
class JournalFormat:
    """The kinds of records in one role's journal.

    ``role``: "lma" or "mag", so that nobody reads another's. ``version`` counts changes that a default cannot bridge;
    ``migrations[n]`` makes of one record of version n those of version n+1. ``outline``: the kind that most records
    are, with its tag, but cut off behind the fields that say which thing it is about, which are its first: that is
    read in half the time.
    """

    role: str
    version: int
    kinds: tuple[type[Record], ...]
    migrations: Mapping[int, Callable[[Fields], list[Fields]]] = attrs.field(factory=dict)
    outline: type[Record] | None = None


Superseded = Callable[[Sequence[Any]], bool]
"""Of a row as outlines: whether newer records have told all that it could tell."""
