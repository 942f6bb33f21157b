"""TOML values into settings, and what cattrs finds wrong into sentences, each with the path it belongs to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path as FilePath
from types import GenericAlias
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError
from cattrs.gen import make_dict_structure_fn

from pmip_tw.addresses import Ipv4, Mac, Prefix, ipv4, mac, prefix
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.mag import UserFile
from pmip_tw.config.settings.nodes import NodeFile
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret, parse_key

T = TypeVar("T")

MOST_MISTAKES = 100
"""Told of one file; whoever has more has given the wrong file."""

_LONGEST_WORD = 40
"""What is compared with known words."""

_TYPE_NAMES = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number with a fraction",
    dict: "a table",
    list: "a list",
}


@attrs.frozen(slots=True)
class Mistake:
    """What is wrong with the setting at ``path``, for a person.

    ``known``: what an unknown name at the end of ``path`` could be meant for; compared only when it is printed.
    """

    path: Path
    text: str
    known: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text + (suggestion(str(self.path[-1]), self.known) if self.known else "")


def structure(value: object, kind: type[T], path: Path = ()) -> tuple[T | None, list[Mistake]]:
    """``value``, which stands at ``path``, as a ``kind``; or None and every mistake in it."""
    try:
        return _CONVERTER.structure(value, kind), []
    except Exception as error:
        # cattrs raises whatever a hook raised when the value is not inside a class.
        return None, list(_mistakes(error, path))


def suggestion(word: str, known: Sequence[str]) -> str:
    """`` - did you mean 'lifetime'?`` or nothing."""
    close = get_close_matches(word[:_LONGEST_WORD].lower(), known, 1)
    return f" - did you mean '{close[0]}'?" if close else ""


def unknown(path: Path, known: tuple[str, ...]) -> Mistake:
    """The name at the end of ``path`` is none of ``known``."""
    return Mistake(path, f"unknown setting {path[-1]!r}", known)


def expected(what: str, value: object) -> ValueError:
    """Names the type that was found, never the value: it might be a key."""
    return ValueError(f"must be {what}, not {_TYPE_NAMES.get(type(value), 'a date or time')}")


def _mistakes(error: BaseException, path: Path) -> Iterator[Mistake]:
    if isinstance(error, ForbiddenExtraKeysError):
        known = tuple(attribute.name for attribute in attrs.fields(error.cl))
        yield from (unknown((*path, name), known) for name in error.extra_fields)
    elif isinstance(error, ClassValidationError | IterableValidationError):
        noted, plain = error.group_exceptions()
        for inner, note in noted:
            step = cast("str | int", getattr(note, "name", getattr(note, "index", "")))
            if isinstance(inner, KeyError):
                yield Mistake(path, f"missing setting {step!r}")
            else:
                yield from _mistakes(inner, (*path, step))
        for inner in plain:
            yield from _mistakes(inner, path)
    else:
        yield Mistake(path, f"{_name(path)}{error}")


def _name(path: Path) -> str:
    """``lifetime: `` or ``dns[1]: ``, what the reader looks for at that line."""
    names = [step for step in path if isinstance(step, str)]
    if not names:
        return ""
    index = f"[{path[-1]}]" if isinstance(path[-1], int) else ""
    return f"{names[-1]}{index}: "


def _text(value: object, _: object = None) -> str:
    if not isinstance(value, str):
        raise expected("a text in quotes", value)
    return value


def _whole_number(value: object, _: object = None) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise expected("a whole number", value)
    return value


def _number(value: object, _: object = None) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise expected("a number", value)
    return value


def _truth(value: object, _: object = None) -> bool:
    if not isinstance(value, bool):
        raise expected("true or false", value)
    return value


def _choice(value: object, words: list[str]) -> str:
    word = _text(value)
    if word not in words:
        raise ValueError(f"{word!r} is none of {', '.join(words)}{suggestion(word, words)}")
    return word


def _parsed_by(parse: Callable[[str], T]) -> Callable[[object, object], T]:
    return lambda value, _: parse(_text(value))


def _file_name(value: object, such_as: str) -> FilePath:
    name = _text(value)
    if not name or "\0" in name:
        raise ValueError(f"must be the name of a file, such as {such_as}")
    return FilePath(name)


def _user_file(value: object, _: object) -> UserFile:
    return UserFile(path=_file_name(value, "users.toml"))


def _node_file(value: object, _: object) -> NodeFile | None:
    """None for "", which is the default."""
    return NodeFile(path=_file_name(value, "nodes.csv")) if value != "" else None


def _literal_hook(kind: Any) -> Callable[[object, object], str]:
    words = list(get_args(kind))
    return lambda value, _: _choice(value, words)


def _annotated_hook(kind: Any, converter: Converter) -> Callable[[object, object], object]:
    """The value by its plain type, then each rule of ``Annotated[type, rule ...]``."""
    plain, *rules = get_args(kind)

    def hook(value: object, _: object) -> object:
        found = converter.structure(value, plain)
        for rule in rules:
            rule.check(found)
        return found

    return hook


def _tuple_hook(kind: Any, converter: Converter) -> Callable[[object, object], tuple[object, ...]]:
    items: Any = GenericAlias(list, get_args(kind)[:1])

    def hook(value: object, _: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise expected("a list", value)
        return tuple(converter.structure(value, items))

    return hook


def _table_hook(kind: Any, converter: Converter) -> Callable[[object, object], object]:
    of_table = make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True
    )

    def hook(value: object, _: object) -> object:
        if not isinstance(value, Mapping):
            raise expected("a table", value)
        return of_table(value, kind)

    return hook


def _has_origin(origin: object) -> Callable[[Any], bool]:
    return lambda kind: cast(object, get_origin(kind)) is origin


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    plain: list[tuple[Any, Callable[[object, object], object]]] = [
        (str, _text),
        (int, _whole_number),
        (float, _number),
        (bool, _truth),
        (Ipv4, _parsed_by(ipv4)),
        (Mac, _parsed_by(mac)),
        (Prefix, _parsed_by(prefix)),
        (Secret, _parsed_by(parse_key)),
        (Algorithm, lambda value, _: Algorithm(_choice(value, [known.value for known in Algorithm]))),
    ]
    converter.register_structure_hook_factory(attrs.has, lambda kind: _table_hook(kind, converter))
    converter.register_structure_hook_factory(_has_origin(tuple), lambda kind: _tuple_hook(kind, converter))
    converter.register_structure_hook_factory(_has_origin(Literal), _literal_hook)
    converter.register_structure_hook_factory(
        _has_origin(Annotated), lambda kind: _annotated_hook(kind, converter)
    )
    for kind, hook in [*plain, (UserFile, _user_file), (NodeFile, _node_file)]:
        converter.register_structure_hook(kind, hook)
    return converter


_CONVERTER = _converter()
