"""Reads a role's TOML file: all its settings, or all its mistakes. Nothing but files is touched."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path as FilePath
from typing import Any, NoReturn

import attrs

from pmip_tw.config.checks.aaa import asks_servers
from pmip_tw.config.checks.breakout import listed_networks_of
from pmip_tw.config.checks.lma import lma_mistakes
from pmip_tw.config.checks.lma_peers import default_lmas_of, own_lmas_of
from pmip_tw.config.checks.mag import home_prefixes_of, mag_mistakes
from pmip_tw.config.checks.relay import relay_mistakes
from pmip_tw.config.checks.users import user_mistakes
from pmip_tw.config.depth import longest_number, too_deep
from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import START, Position, Positions, locate
from pmip_tw.config.node_file import read_nodes
from pmip_tw.config.regular_file import open_regular
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.config.settings.mag import LocalSettings, MagSettings, User, UserFile
from pmip_tw.config.settings.nodes import NodeFile
from pmip_tw.config.settings.relay import RelaySettings
from pmip_tw.config.structure import MOST_MISTAKES, Mistake, structure, unknown
from pmip_tw.errors import ConfigurationError

LARGEST_FILE = 64 << 20

Settings = MagSettings | LmaSettings | RelaySettings

_ROLES = ("mag", "lma", "dhcp_relay")

_Checks = Callable[[Draft], Iterator[Mistake]]
_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def load(path: str | FilePath) -> Settings:
    """The settings in the file at ``path``; its one top-level table tells the role.

    ConfigurationError carries every mistake of the file, and of the file of users that it names, as
    "file:line:column: text", in the order of the lines.
    """
    file = _SettingsFile(path)
    document = file.read()
    if document is None:
        file.give_up()
    role = _role(file, document)
    settings: Settings | None = None
    if role == "lma":
        settings = lma = file.table("lma", LmaSettings, lma_mistakes)
        nodes = _nodes(file)
        if lma is not None and nodes is not None:
            settings = attrs.evolve(lma, mobile_nodes_file=nodes)
    elif role == "mag":
        settings = mag = file.table("mag", MagSettings, mag_mistakes)
        users = _users(file)
        if mag is not None and mag.local is not None and users is not None:
            settings = attrs.evolve(mag, local=LocalSettings(users=users))
    elif role == "dhcp_relay":
        settings = file.table("dhcp_relay", RelaySettings, relay_mistakes)
    if settings is None or file.lines():
        file.give_up()
    return settings


class _SettingsFile:
    """One TOML file, and every mistake found in it so far; ``others`` are lines about a file that it names."""

    def __init__(self, path: str | FilePath) -> None:
        self.name = str(path)
        self.draft = Draft({}, Positions({}))
        self.mistakes: list[tuple[Position | None, Mistake]] = []
        self.others: list[str] = []

    def read(self) -> Mapping[str, Any] | None:
        """The document; None if there is none to speak of, which is then a mistake."""
        text = self._text()
        if text is None:
            return None
        text = text.replace("\r\n", "\n")  # as tomllib counts
        deep = too_deep(text)
        if deep is not None:
            self.add(_end_of(text[: deep[0]]), deep[1])
            return None
        try:
            document = tomllib.loads(text)
            positions = Positions(locate(text))
        except tomllib.TOMLDecodeError as error:
            self.add(*_syntax_mistake(text, str(error)))
            return None
        except ValueError:  # Python converts no longer ones
            offset, digits = longest_number(text)
            self.add(_end_of(text[:offset]), f"a number of {digits} digits is too large for any setting")
            return None
        self.draft = Draft(document, positions)
        return document

    def table(self, name: str, kind: Any, checks: _Checks) -> Any:
        """The top-level table (or list of tables) ``name`` as a ``kind``; None after mistakes, which are added."""
        raw = self.draft.document.get(name, [])
        value, mistakes = structure(raw, kind, (name,))
        if isinstance(raw, list if name == "users" else dict):
            mistakes.extend(checks(self.draft))
        for mistake in mistakes:
            self.add_at(mistake)
        return None if self.mistakes else value

    def add_at(self, mistake: Mistake) -> None:
        self.mistakes.append((self.draft.positions.of(mistake.path), mistake))

    def add(self, position: Position | None, text: str) -> None:
        self.mistakes.append((position, Mistake((), text)))

    def lines(self) -> tuple[str, ...]:
        different = {
            (position or START, mistake.text): (position, mistake) for position, mistake in self.mistakes
        }
        ordered = [different[key] for key in sorted(different)]
        own = [
            f"{self.name}:{position.line}:{position.column}: {mistake}"
            if position
            else f"{self.name}: {mistake}"
            for position, mistake in ordered[:MOST_MISTAKES]
        ]
        more = len(ordered) - len(own)
        if more:
            own.append(f"{self.name}: ... and {more} more mistake{'s' if more > 1 else ''}")
        return (*own, *self.others)

    def give_up(self) -> NoReturn:
        raise ConfigurationError(self.lines())

    def _text(self) -> str | None:
        try:
            octets = _octets(self.name)
        except (OSError, ValueError) as error:  # ValueError: a zero octet in the name
            self.add(None, f"cannot be read: {getattr(error, 'strerror', None) or error}")
            return None
        if len(octets) > LARGEST_FILE:
            self.add(None, f"cannot be read: it is larger than {LARGEST_FILE >> 20} MiB")
            return None
        try:
            return octets.decode("utf-8-sig")  # some editors begin with a byte order mark
        except UnicodeDecodeError as error:
            before = octets[: error.start].decode()
            self.add(_end_of(before), "not UTF-8 text, which TOML must be")
            return None


def _octets(name: str) -> bytes:
    """The beginning of the file ``name``. OSError: it cannot be read, or is no file."""
    with open_regular(name) as file:
        return file.read(LARGEST_FILE + 1)


def _end_of(text: str) -> Position:
    return Position(text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1)


def _syntax_mistake(text: str, complaint: str) -> tuple[Position, str]:
    """Where tomllib stopped, and its words without the place."""
    place = _TOML_PLACE.search(complaint)
    words = complaint[: place.start()] if place else complaint
    if place is None:
        return START, f"not TOML: {words}"
    if place[1] is None:
        return _end_of(text.rstrip("\n")), f"not TOML: {words} at the end of the file"
    line, column = int(place[1]), int(place[2])
    bare = text.splitlines()[line - 1][column - 1 : column].isalpha()
    hint = ": a text stands in quotes" if words == "Invalid value" and bare else ""
    return Position(line, column), f"not TOML: {words}{hint}"


def _role(file: _SettingsFile, document: Mapping[str, Any]) -> str | None:
    """The role whose table the file has; every other table is a mistake."""
    roles = [name for name in document if name in _ROLES]
    others = [name for name in document if name not in _ROLES]
    if not roles and others == ["users"]:
        file.add_at(Mistake(("users",), "a file of users: check the MAG's file whose [mag.local] names it"))
        return None
    for name in others:
        file.add_at(unknown((name,), _ROLES))
    if not roles:
        file.add(START, "no top-level table [mag], [lma] or [dhcp_relay], which tells the role")
        return None
    for extra in roles[1:]:
        text = f"[{extra}] beside [{roles[0]}]: a file is for one role, put it in a file of its own"
        file.add_at(Mistake((extra,), text))
    return roles[0]


def _nodes(file: _SettingsFile) -> NodeFile | None:
    """The file that mobile_nodes_file names; its mistakes are told after those of ``file``, under its own name."""
    named: NodeFile | None = file.draft.value(("lma", "mobile_nodes_file"), NodeFile)
    if named is None:
        return None
    nodes, mistakes = read_nodes(FilePath(file.name).parent / named.path, file.draft)
    file.others.extend(mistakes)
    return nodes


def _users(file: _SettingsFile) -> UserFile | None:
    """The file that [mag.local] names; its mistakes are told after those of ``file``, under its own name."""
    named: UserFile | None = file.draft.value(("mag", "local", "users"), UserFile)
    if named is None:
        return None
    users_file = _SettingsFile(FilePath(file.name).parent / named.path)
    document = users_file.read()
    entries: tuple[User, ...] | None = None
    if document is not None:
        for name in document:
            if name != "users":
                users_file.add_at(unknown((name,), ("users",)))
        checks = partial(
            user_mistakes,
            home_prefixes=home_prefixes_of(file.draft),
            own_lmas=own_lmas_of(file.draft),
            default_lmas=default_lmas_of(file.draft),
            local_breakout=listed_networks_of(file.draft),
            beside_servers=asks_servers(file.draft, ("mag",)),
        )
        entries = users_file.table("users", tuple[User, ...], checks)
    file.others.extend(users_file.lines())
    return None if entries is None else UserFile(path=FilePath(users_file.name), entries=entries)
