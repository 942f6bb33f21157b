"""Commits that wait to be durable: the newest of each owner counts (docs/decisions/0011).

The table changes when a request is decided, the packet plane and what MAGs are told when it is durable. In between a
newer request of the same owner, or an end by somebody else, makes it obsolete: nothing of it is carried out or said.
"""

from collections.abc import Callable, Iterator

from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.registration.commitment import Commit
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.mobility.tunnels import AnchorKey, EntryKey


class Underway:
    """The newest commit of each owner that is neither carried out nor undone.

    ``user(key)``: whose a home address is by what is decided.
    """

    def __init__(self, user: Callable[[AnchorKey], bytes | None]) -> None:
        self._user = user
        self._newest: dict[bytes, Commit] = {}

    def __contains__(self, owner: bytes) -> bool:
        return owner in self._newest

    def __len__(self) -> int:
        return len(self._newest)

    def __iter__(self) -> Iterator[Commit]:
        return iter(self._newest.values())

    def keys(self) -> set[AnchorKey]:
        """Home addresses that the packet plane still holds by what is not carried out, or that may be put back."""
        found: set[AnchorKey] = set()
        for newest in self._newest.values():
            commit: Commit | None = newest
            while commit is not None and not commit.over:
                found.update(bound.key for bound in (commit.previous, commit.carried) if bound is not None)
                commit = commit.before
        return found

    def carried(self, owner: bytes, bound: Binding | None) -> Binding | None:
        """What the packet plane holds and MAGs were told of an owner, for whom the table has ``bound``."""
        commit = self._newest.get(owner)
        return bound if commit is None else commit.carried

    def begin(self, commit: Commit) -> Commit:
        """It waits from now on, and whatever waits of the same owner is obsolete."""
        before = self._newest.get(commit.owner)
        if before is None:
            commit.carried = commit.previous
        else:
            commit.carried = before.carried
            commit.arrives = False  # perhaps it is there already
        if commit.alters:
            if not commit.arrives:
                commit.changes = self.changes(commit.owner, commit.carried, commit.binding)
            commit.before = before
            self._newest[commit.owner] = commit
        return commit

    def renew(self, commit: Commit) -> Commit:
        """As ``begin``, of a renewal of what is carried out, which asks nothing of the packet plane."""
        commit.carried = commit.previous
        self._newest[commit.owner] = commit
        return commit

    def changes(
        self, owner: bytes, held: Binding | None, binding: Binding | None
    ) -> tuple[Install | Remove, ...]:
        """What makes a packet plane that has ``held`` for ``owner`` have ``binding``.

        An address that was given back may have been given to another owner before that was carried out: an entry of
        that one stays, or replaces what is there.
        """
        needed = changes(held, binding)
        if len(needed) < 2 and binding is not None:
            return needed
        return tuple(
            change for change in needed if isinstance(change, Install) or self.is_free_for(owner, change.key)
        )

    def is_free_for(self, owner: bytes, key: EntryKey) -> bool:
        """Whether a home address is nobody else's."""
        assert isinstance(key, AnchorKey)
        return self._user(key) in (None, owner)

    def is_carried(self, key: AnchorKey) -> bool:
        """Whether the packet plane has the entry of whose a home address is."""
        owner = self._user(key)
        commit = None if owner is None else self._newest.get(owner)
        return commit is None or (commit.carried is not None and commit.carried.key == key)

    def stands(self, commit: Commit) -> bool:
        """Whether nothing has made it obsolete."""
        return not commit.alters or self._newest.get(commit.owner) is commit

    def settle(self, commit: Commit) -> bool:
        """``end`` one that alters something, if it stands; whether it does."""
        if self._newest.get(commit.owner) is not commit:
            return False
        del self._newest[commit.owner]
        commit.over = True
        return True

    def end(self, commit: Commit) -> None:
        """It is carried out, or obsolete; so is whatever was before it."""
        commit.over = True
        commit.before = None  # else who always has something on its way would keep all that it ever had
        if self._newest.get(commit.owner) is commit:
            del self._newest[commit.owner]

    def undo(self, commit: Commit) -> Commit | None:
        """One that stands will not be: the one before it, if that still waits, stands again."""
        before = commit.before
        commit.over = True
        if before is None or before.over:
            del self._newest[commit.owner]
            return None
        self._newest[commit.owner] = before
        return before

    def forget(self, owner: bytes) -> None:
        """The owner's binding was ended by somebody else: whatever waits is obsolete."""
        self._newest.pop(owner, None)


def changes(carried: Binding | None, binding: Binding | None) -> tuple[Install | Remove, ...]:
    """What makes a packet plane that holds ``carried`` hold ``binding``; usually nothing for a renewal."""
    if binding is None:
        return () if carried is None else (Remove(carried.key),)
    if carried is None:
        return (Install(binding.entry),)
    if carried.home_address != binding.home_address or carried.domain != binding.domain:
        return (Install(binding.entry), Remove(carried.key))  # what is not taken must not cost what there is
    return () if binding.has_entry_of(carried) else (Install(binding.entry),)
