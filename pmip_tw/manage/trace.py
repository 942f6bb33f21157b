"""What happened to a mobile node: a bounded history for each, found by NAI, MAC or home address."""

from collections import OrderedDict, deque
from typing import Any

import attrs
from zope.interface import implementer

from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IObserver
from pmip_tw.manage.unsorted import Unsorted
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.observations import Alike, Observation

PER_NODE = 200
NODES = 10_000
STRANGERS = 1_000
ALIASES_PER_NODE = 8
NODES_PER_ALIAS = 8

ALIAS_DETAILS = ("home_address", "mac")
"""Details that name the mobile node besides its NAI and session."""


@attrs.define(slots=True)
class _Record:
    observation: Observation
    wall: float
    repeated: int = 1
    last_wall: float = 0.0


@attrs.define(slots=True)
class _History:
    """The newest records of one mobile node, and the names under which it was seen."""

    records: deque[_Record]
    aliases: OrderedDict[str, None] = attrs.field(factory=OrderedDict)


@implementer(IObserver)
class Trace:
    """The last ``per_node`` observations of each of ``nodes`` mobile nodes.

    What is known by session only (a MAC before AAA named it) joins the history of its NAI as soon as one
    observation has both. A mobile node is a stranger until something went well under its NAI; strangers have room
    of their own, so that a flood of invented MACs or NAIs pushes out nobody's history.
    """

    def __init__(self, per_node: int = PER_NODE, nodes: int = NODES, strangers: int = STRANGERS) -> None:
        self._per_node = per_node
        self._nodes = nodes
        self._strangers = strangers
        self._known: OrderedDict[str, _History] = OrderedDict()
        self._unproven: OrderedDict[str, _History] = OrderedDict()
        # Several mobile nodes may have a name in common: two LMAs give the same home address.
        self._by_alias: dict[str, dict[str, None]] = {}
        # A flood of failures pushes out nothing that went well.
        self._routine, self._trouble = Unsorted(), Unsorted()

    def observe_alike(self, observations: Alike[Any], now: Now) -> None:
        unsorted = self._trouble if observations.reason else self._routine
        if not unsorted.keep(observations, now):
            for observation in observations:
                self.observe(observation, now)

    def observe(self, observation: Observation, now: Now) -> None:
        if observation.reason and self._repeats(observation, now.wall):
            return
        aliases = _aliases(observation)
        identity = _plain(observation.nai) or self._identity_of(aliases)
        if not identity:
            return
        if observation.nai:
            self._join(aliases, identity)
        history = self._history(identity, proven=bool(observation.nai) and not observation.reason)
        _append(history.records, observation, now.wall)
        for alias in aliases:
            self._name(history, alias, identity)
        self._forget_oldest()

    def _repeats(self, observation: Observation, wall: float) -> bool:
        """Whether all that is new is that it came again. A flood in the name of mobile nodes comes through here."""
        history = self._known.get(observation.nai)
        return history is not None and _is_repeated(history.records, observation, wall)

    def find(self, key: str) -> list[dict[str, object]]:
        """The history of the mobile node with this NAI, oldest first; or of every one seen with this MAC or address.

        Each row has ``time`` (Unix seconds), ``name``, ``nai``, ``session``, ``reason``, ``cause``, ``details``,
        and ``repeated`` and ``last_time`` where the same failure came several times in a row.
        PmipError: nothing is known of it.
        """
        plain = _plain(key)
        mac = plain.replace("-", ":")
        for candidates in ([plain], self._by_alias.get(plain, ()), [mac], self._by_alias.get(mac, ())):
            histories = [self._known.get(each) or self._unproven.get(each) for each in candidates]
            records = [record for history in histories if history for record in history.records]
            for each in candidates:
                records += [_Record(observation, wall) for observation, wall in self._routine.about(each)]
                failures: deque[_Record] = deque(maxlen=self._per_node)
                for observation, wall in self._trouble.about(each):
                    _append(failures, observation, wall)
                records += failures
            if records:
                return [_row(record) for record in sorted(records, key=lambda record: record.wall)]
        found = [
            _row(_Record(observation, wall))
            for observation, wall in self._routine
            if plain in _aliases(observation)
        ]
        if found:
            return found
        raise PmipError(
            f"nothing is known of {key!r}: name a NAI, a MAC or a home address that was seen here"
        )

    def _identity_of(self, aliases: list[str]) -> str:
        """Whose history an observation without a NAI belongs to: the NAI of its session, or the session itself."""
        for alias in aliases:
            if alias in self._by_alias:
                return next(reversed(self._by_alias[alias]))
        return aliases[0] if aliases else ""

    def _join(self, aliases: list[str], identity: str) -> None:
        """What was known by session only is this NAI's from now on."""
        for alias in aliases:
            earlier = self._unproven.pop(alias, None)
            if earlier is None:
                continue
            history = self._history(identity, proven=False)
            joined = sorted([*history.records, *earlier.records], key=lambda record: record.wall)
            history.records = deque(joined, self._per_node)
            for name in earlier.aliases:
                self._drop_alias(name, alias)
                self._name(history, name, identity)

    def _history(self, identity: str, *, proven: bool) -> _History:
        history = self._known.get(identity)
        if history is not None:
            self._known.move_to_end(identity)
            return history
        history = self._unproven.pop(identity, None) or _History(deque(maxlen=self._per_node))
        (self._known if proven else self._unproven)[identity] = history
        return history

    def _name(self, history: _History, alias: str, identity: str) -> None:
        if alias == identity:
            return
        identities = self._by_alias.setdefault(alias, {})
        identities.pop(identity, None)
        identities[identity] = None  # the last one is who had it last
        if len(identities) > NODES_PER_ALIAS:
            del identities[next(iter(identities))]
        history.aliases[alias] = None
        history.aliases.move_to_end(alias)
        if len(history.aliases) > ALIASES_PER_NODE:
            oldest, _ = history.aliases.popitem(last=False)
            self._drop_alias(oldest, identity)

    def _forget_oldest(self) -> None:
        for histories, most in ((self._known, self._nodes), (self._unproven, self._strangers)):
            while len(histories) > most:
                identity, history = histories.popitem(last=False)
                for alias in history.aliases:
                    self._drop_alias(alias, identity)

    def _drop_alias(self, alias: str, identity: str) -> None:
        identities = self._by_alias.get(alias, {})
        identities.pop(identity, None)
        if not identities:
            self._by_alias.pop(alias, None)


def _plain(text: str) -> str:
    return text.strip().lower()


def _aliases(observation: Observation) -> list[str]:
    """Names for the mobile node: its session, the MAC or address that the session begins with, some details."""
    details = observation.details
    if not observation.session and details.keys().isdisjoint(ALIAS_DETAILS):
        return []  # a flood of strangers comes through here
    session = _plain(observation.session)
    found = [session.partition(" on ")[0], session.partition(" in ")[0], session]
    found += [_plain(str(details.get(name, ""))) for name in ALIAS_DETAILS]
    return list(dict.fromkeys(alias for alias in found if alias))


def _append(records: deque[_Record], observation: Observation, wall: float) -> None:
    if not (observation.reason and _is_repeated(records, observation, wall)):
        records.append(_Record(observation, wall))


def _is_repeated(records: deque[_Record], observation: Observation, wall: float) -> bool:
    """A failure that repeats is counted instead: whoever repeats it must not push out what came before."""
    newest = records[-1] if records else None
    if newest is None or newest.observation.reason != observation.reason:
        return False
    known = newest.observation
    if known.name != observation.name or known.session != observation.session:
        return False
    newest.observation = observation
    newest.repeated += 1
    newest.last_wall = wall
    return True


def _row(record: _Record) -> dict[str, object]:
    observation = record.observation
    row: dict[str, object] = {
        "time": record.wall,
        "name": observation.name,
        "nai": observation.nai,
        "session": observation.session,
        "reason": observation.reason,
        "cause": observation.cause,
        "details": dict(observation.details),
    }
    if record.repeated > 1:
        row |= {"repeated": record.repeated, "last_time": record.last_wall}
    return row
