"""What kinds of records a journal has, in the journal itself: who reads it needs no program that fits it."""

import json
import sqlite3
from collections.abc import Mapping
from functools import cached_property
from typing import Any, get_args, get_type_hints

import attrs

from pmip_tw.addresses import Ipv4, Mac
from pmip_tw.mobility.records import Fields, JournalFormat, Record

_FORMS = {Ipv4: "address", Mac: "mac"}
"""How fields are shown whose type says more than the value does."""


@attrs.frozen(slots=True, kw_only=True)
class Kind:
    """A kind of record as its journal describes it. ``forms``: how to show fields, where the value does not say."""

    tag: int
    name: str
    about: str
    identity: tuple[str, ...]
    ends: bool
    fields: tuple[str, ...]
    forms: Mapping[str, str]

    def named(self, record: Fields) -> dict[str, Any]:
        """The fields of ``record`` by name; a record may be older than its kind's last fields."""
        return dict(zip(self.fields, record[1:], strict=False))

    def which(self, record: Fields) -> list[Any]:
        """The fields that say which thing it is about; None for those that an older record does not have."""
        return [record[place] if place < len(record) else None for place in self._places]

    @cached_property
    def _places(self) -> tuple[int, ...]:
        return tuple(1 + self.fields.index(name) for name in self.identity)


def kind_of(record: type[Record]) -> Kind:
    tag = record.__struct_config__.tag
    assert isinstance(tag, int), f"{record.__name__} has no tag"
    hints = get_type_hints(record)
    fields = record.__struct_fields__
    assert set(record.identity) <= set(fields), (
        f"{record.__name__} is identified by fields that it does not have"
    )
    return Kind(
        tag=tag,
        name=record.__name__,
        about=record.about,
        identity=record.identity,
        ends=record.ends,
        fields=fields,
        forms={field: form for field in fields if (form := _form(hints[field]))},
    )


def _form(hint: Any) -> str:
    """Of a type, or of what it is made of: an optional address is an address."""
    return _FORMS.get(hint) or next(filter(None, map(_form, get_args(hint))), "")


def describe(db: sqlite3.Connection, form: JournalFormat) -> None:
    """Write down the kinds of this program. Those that it does not have any more stay: rows may have them."""
    for record in form.kinds:
        kind = kind_of(record)
        text = json.dumps(attrs.asdict(kind))
        db.execute("INSERT OR REPLACE INTO kinds (tag, description) VALUES (?, ?)", (kind.tag, text))


def described(db: sqlite3.Connection) -> dict[int, Kind]:
    """The kinds of a journal, by tag."""
    return {kind.tag: kind for kind in map(_kind, db.execute("SELECT description FROM kinds"))}


def _kind(row: tuple[str]) -> Kind:
    try:
        found = json.loads(row[0])
        return Kind(**found | {name: tuple(found[name]) for name in ("identity", "fields")})
    except (ValueError, TypeError, KeyError):
        raise sqlite3.DatabaseError("the disk has changed what it says of its records") from None
