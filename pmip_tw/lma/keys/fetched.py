"""The keys that AAA has given an LMA: how long each is valid, and what becomes of it when another takes its place.

They stand in the same table as those of the configuration, so that who is proven by one takes the same ways. A key
whose time is over is taken out and retired: bindings that still hold it are not renewed past the questions that are due
then. None is written down: after a restart bindings come back without, and their nodes' keys are fetched again.
"""

import math
from collections import OrderedDict
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from pmip_tw.aaa.accounting.records import Echo
from pmip_tw.aaa.node_keys import NOTHING_SAID, Allowed, KeyGiven
from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.mobility.associations import AssociationTable, SecurityAssociation
from pmip_tw.mobility.timers import Wheel

Name = tuple[bytes, int]
"""NAI, as it stands in a message, and SPI."""

MOST_SPIS = 16
"""Keys of one node: a server that does not look at the SPI gives one for each that somebody invents."""

MOST_MAGS = 8
"""MAGs of one node of which is known that they may register it; the others are asked about again."""

AFTERWARDS = 60
"""Seconds for which the key is good when a session was ended: its MAG is told so, repeatedly, and answers (RV23)."""

RETRY = 60.0
"""Seconds for which a key that is kept beyond its time does, until AAA is asked once more."""


class KeyState(StrEnum):
    """``READY``: it proves; ``REPLACED``: so does the one before it, for a while; ``RETIRED``: its time is over, and it
    does once more only if AAA cannot be asked; ``MISSING``: since a restart, of a binding that goes on.
    """

    READY = "ready"
    REPLACED = "replaced"
    RETIRED = "retired"
    MISSING = "missing"


class KnownKey(Struct, frozen=True, gc=False):
    """That there is a key, never which. ``given_at``, ``until``: monotonic; when AAA gave it, and when it is over."""

    nai: bytes
    spi: int
    state: KeyState
    given_at: float
    until: float
    mags: tuple[Ipv4, ...]


class Leave(Struct, frozen=True, gc=False):
    """AAA has said at ``said_at`` what a node may have. ``again``: because we had forgotten, after a restart."""

    allowed: Allowed
    said_at: float
    again: bool


class _Fetched(Struct, gc=False):
    """``asked_at``: when AAA gave it, or gave it again. It is valid ``until`` then, and is ``over`` from then on, but
    may be kept until ``grace_ends``, which is the same if AAA itself has limited it. ``mags``: which may register the
    node with it (P29). ``previous_until``: when the key that it has replaced under the same SPI is over, 0 if there is
    none.
    """

    association: SecurityAssociation
    asked_at: float
    until: float
    grace_ends: float
    mags: tuple[Ipv4, ...] = ()
    over: bool = False
    previous_until: float = 0.0
    home_address: Ipv4 = UNSPECIFIED
    leave: "Leave | None" = None
    echo: Echo | None = None

    @property
    def next_change(self) -> float:
        ends = self.grace_ends if self.over else self.until
        return min(ends, self.previous_until) if self.previous_until else ends


class FetchedKeys:
    """By NAI and SPI, the oldest forgotten first when there are too many."""

    def __init__(self, policy: KeyPolicy, associations: AssociationTable) -> None:
        self._policy = policy
        self._associations = associations
        self._keys: OrderedDict[Name, _Fetched] = OrderedDict()
        self._spis: dict[bytes, tuple[int, ...]] = {}
        self._changes: Wheel[Name] = Wheel(1.0, self._next_change)
        self._woken_at = 0.0

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, name: object) -> bool:
        return name in self._keys

    def __iter__(self) -> Iterator[KnownKey]:
        for (nai, spi), found in list(self._keys.items()):
            state, until = KeyState.READY, found.until
            if found.association.is_missing:
                state = KeyState.MISSING
            elif found.over:
                state, until = KeyState.RETIRED, found.grace_ends
            yield KnownKey(nai, spi, state, found.asked_at, until, found.mags)
            if found.previous_until:
                yield KnownKey(nai, spi, KeyState.REPLACED, -math.inf, found.previous_until, ())

    def is_valid(self, name: Name) -> bool:
        """Whether it proves something: AAA has given it, and its time is not over."""
        found = self._keys.get(name)
        return found is not None and not found.over and not found.association.is_missing

    def may_be_another(self, name: Name, monotonic: float) -> bool:
        """Whether it is so long since AAA gave it that by now it may give another one."""
        found = self._keys.get(name)
        return found is not None and found.asked_at + self._policy.again <= monotonic

    def home_address(self, nai: bytes) -> Ipv4:
        """The one that AAA has assigned with the newest key; 0: none."""
        spis = self._spis.get(nai)
        return self._keys[nai, spis[-1]].home_address if spis else UNSPECIFIED

    def may_register(self, name: Name, mag: Ipv4) -> bool:
        """Whether AAA has let ``mag`` have it (P29), or was never asked about it: it is one of the configuration."""
        found = self._keys.get(name)
        return found is None or mag in found.mags

    def leave(self, name: Name) -> Leave | None:
        """What AAA has said with the key; None: nothing."""
        found = self._keys.get(name)
        return None if found is None else found.leave

    def echo(self, name: Name) -> Echo | None:
        """What of AAA's Accept goes back in accounting; None: it has not been asked since the start."""
        found = self._keys.get(name)
        return None if found is None else found.echo

    def tolerate(self, name: Name, mag: Ipv4, monotonic: float) -> bool:
        """AAA cannot be asked about ``mag``: whether it may for a while all the same, as nothing was limited."""
        found = self._keys.get(name)
        if found is None or not found.mags or not self._policy.grace:
            return False
        found.mags = _one_more(found.mags, mag)
        end = monotonic + RETRY
        if found.until > end:
            found.until = end
            self._changes.file(name, end)
        return True

    def doubt(self, nai: bytes, monotonic: float) -> bool:
        """Somebody has ended what ``nai`` had: nobody registers it again before AAA has been asked again, and has
        answered. Its keys are good for the end of what there was, and are forgotten then. False: it has none.
        """
        end = monotonic + AFTERWARDS
        spis = self._spis.get(nai, ())
        for spi in spis:
            found = self._keys[nai, spi]
            found.mags = ()
            if not found.over:
                found.until = min(found.until, end)
            found.grace_ends = min(found.grace_ends, end)
            self._changes.file((nai, spi), found.next_change)
        return bool(spis)

    def put(self, name: Name, given: KeyGiven, mag: Ipv4, monotonic: float) -> SecurityAssociation:
        """AAA says so now, of ``mag``; what proves and signs from now on.

        Another key under the same SPI is valid beside it for a while. A key of the configuration stays
        what it is: AAA was asked for something else, such as an HA-RK.
        """
        nai, spi = name
        new = given.association
        found = self._keys.pop(name, None)
        configured = None if found is not None else self._associations.find(nai, spi)
        if configured is not None:
            return configured
        previous_until, was_missing = 0.0, False
        mags: tuple[Ipv4, ...] = ()
        if found is not None:
            old = found.association
            was_missing = old.is_missing
            if old == new and not found.over:
                mags = found.mags
            if old == new or old.is_missing:
                if old.is_missing:
                    old.learn(new)
                new, previous_until = old, found.previous_until
            elif not old.is_retired:
                self._retire_previous(old)
                new.previous = old
                previous_until = monotonic + self._policy.overlap
        self._associations.add(nai, new)
        lifetime = given.lifetime or self._policy.lifetime
        if given.allowed.session_timeout:
            lifetime += AFTERWARDS
        leave = None
        if given.allowed != NOTHING_SAID:
            leave = Leave(_one_object(given.allowed), monotonic, was_missing)
        self._keys[name] = _Fetched(
            new,
            monotonic,
            monotonic + lifetime,
            monotonic + lifetime + (0 if given.lifetime else self._policy.grace),
            mags=_one_more(mags, mag),
            previous_until=previous_until,
            home_address=given.home_address,
            leave=leave,
            echo=_same_echo(given.echo),
        )
        self._note(name)
        self._make_room()
        return new

    def authorized(self, name: Name, seconds: int, monotonic: float) -> None:
        """AAA has brought a registration that this key proves: it lets the node go on for so long, 0: without end."""
        found = self._keys.get(name)
        if found is not None:
            found.leave = Leave(_one_object(Allowed(session_timeout=seconds)), monotonic, False)

    def recall(self, name: Name) -> SecurityAssociation:
        """The association of a binding that is older than this process, of which the key may be missing."""
        nai, spi = name
        found = self._keys.get(name)
        if found is None:
            end = self._woken_at + self._policy.lifetime
            found = _Fetched(SecurityAssociation.missing(spi), -math.inf, end, end)
            self._keys[name] = found
            self._associations.add(nai, found.association)
            self._note(name)
            self._make_room()
        return found.association

    def used(self, name: Name, monotonic: float) -> None:
        """A message was proven by it: other SPIs of the node are over soon, if it is its newest."""
        nai, spi = name
        spis = self._spis.get(nai, ())
        if len(spis) < 2 or spis[-1] != spi:
            return
        end = monotonic + self._policy.overlap
        for other in spis[:-1]:
            found = self._keys[nai, other]
            if found.until > end:
                found.until = found.grace_ends = end
                self._changes.file((nai, other), end)

    def keep(self, name: Name, monotonic: float) -> bool:
        """AAA cannot be asked: whether the key does for a while all the same. Not if AAA has limited it."""
        found = self._keys.get(name)
        if found is None or not found.over or found.grace_ends <= monotonic:
            return False
        found.until, found.over = min(monotonic + RETRY, found.grace_ends), False
        self._associations.add(name[0], found.association)
        self._changes.file(name, found.until)
        return True

    def forget(self, name: Name) -> None:
        """It proves nothing any more."""
        found = self._keys.pop(name, None)
        if found is None:
            return
        nai, spi = name
        self._end(name, found)
        left = tuple(other for other in self._spis[nai] if other != spi)
        if left:
            self._spis[nai] = left
        else:
            del self._spis[nai]

    def wake(self, monotonic: float) -> None:
        """What is over is retired."""
        self._woken_at = monotonic
        for name in self._changes.due(monotonic):
            found = self._keys[name]
            if found.previous_until and found.previous_until <= monotonic:
                self._retire_previous(found.association)
                found.previous_until = 0.0
            if not found.over and found.until <= monotonic:
                self._end(name, found)
                found.over = True
            if found.over and found.grace_ends <= monotonic:
                self.forget(name)
                continue
            self._changes.file(name, found.next_change)

    def next_deadline(self) -> float | None:
        return self._changes.next_deadline()

    def _make_room(self) -> None:
        while len(self._keys) > self._policy.most:
            self.forget(next(iter(self._keys)))

    def _note(self, name: Name) -> None:
        nai, spi = name
        self._spis[nai] = (*(other for other in self._spis.get(nai, ()) if other != spi), spi)
        self._changes.file(name, self._keys[name].next_change)
        if len(self._spis[nai]) > MOST_SPIS:
            self.forget((nai, self._spis[nai][0]))

    def _end(self, name: Name, found: _Fetched) -> None:
        self._associations.remove(*name)
        self._retire_previous(found.association)
        found.previous_until = 0.0
        found.association.retire()

    def _retire_previous(self, association: SecurityAssociation) -> None:
        if association.previous is not None:
            association.previous.retire()
            association.previous = None

    def _next_change(self, name: Name) -> float | None:
        found = self._keys.get(name)
        return None if found is None else found.next_change


@lru_cache(maxsize=4096)
def _one_object(allowed: Allowed) -> Allowed:
    """For all nodes of which AAA says the same."""
    return allowed


@lru_cache(maxsize=4096)
def _same_echo(echo: Echo) -> Echo:
    """For all nodes that AAA counts alike."""
    return echo


@lru_cache(maxsize=4096)
def _one_more(mags: tuple[Ipv4, ...], mag: Ipv4) -> tuple[Ipv4, ...]:
    """One object for all nodes that have been at the same MAGs."""
    return (*(one for one in mags if one != mag), mag)[-MOST_MAGS:]
