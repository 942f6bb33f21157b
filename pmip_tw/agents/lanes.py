"""Who waits for whom at a packet plane that takes its time: what is about one owner, or about one home address."""

from collections.abc import Sequence

import attrs

from pmip_tw.lma.registration.commitment import Commit
from pmip_tw.mobility.effects import Install
from pmip_tw.mobility.tunnels import EntryKey


@attrs.define(slots=True, eq=False)
class _Lane:
    """What has to happen one after the other. ``busy``: how much the plane has been asked and has not answered."""

    owners: set[bytes] = attrs.field(factory=set)
    keys: set[EntryKey] = attrs.field(factory=set)
    busy: int = 0
    waiting: list[Commit] = attrs.field(factory=list)


class Lanes:
    """An address may be given back by one owner and taken by another before the plane has heard of either. So a commit
    waits for all that is about its owner, and for all that is about the addresses whose entries it changes.
    """

    def __init__(self) -> None:
        self._by_owner: dict[bytes, _Lane] = {}
        self._by_key: dict[EntryKey, _Lane] = {}

    def __bool__(self) -> bool:
        """Whether the plane is busy."""
        return bool(self._by_owner)

    def __contains__(self, owner: object) -> bool:
        """Whether something about ``owner`` is on its way, or waits."""
        return owner in self._by_owner

    def is_about(self, key: EntryKey) -> bool:
        """Whether something about the entry of ``key`` is on its way, or waits."""
        return key in self._by_key

    def wait(self, commit: Commit) -> bool:
        """Behind whatever is before ``commit``; whether there is anything."""
        if not self._by_owner:
            return False
        keys = _keys(commit)
        found = [self._by_owner.get(commit.owner), *(self._by_key.get(key) for key in keys)]
        lanes = list(dict.fromkeys(lane for lane in found if lane is not None))
        if not lanes:
            return False
        lane, *others = lanes
        for other in others:
            lane.busy += other.busy
            lane.waiting += other.waiting
            self._belong(lane, other.owners, other.keys)
        lane.waiting.append(commit)
        self._belong(lane, {commit.owner}, keys)
        return True

    def begin(self, commit: Commit) -> None:
        """The plane has been asked for what ``commit``, which need not ``wait``, changes."""
        self._belong(_Lane(busy=1), {commit.owner}, _keys(commit))

    def end(self, owner: bytes) -> Sequence[Commit]:
        """The plane has done what it was asked for ``owner``: what has waited for that, and may wait anew."""
        lane = self._by_owner[owner]
        lane.busy -= 1
        if lane.busy:
            return ()
        for one in lane.owners:
            del self._by_owner[one]
        for key in lane.keys:
            del self._by_key[key]
        return lane.waiting

    def _belong(self, lane: _Lane, owners: set[bytes], keys: set[EntryKey]) -> None:
        lane.owners |= owners
        lane.keys |= keys
        self._by_owner.update(dict.fromkeys(owners, lane))
        self._by_key.update(dict.fromkeys(keys, lane))


def _keys(commit: Commit) -> set[EntryKey]:
    return {change.entry.key if isinstance(change, Install) else change.key for change in commit.to_carry}
