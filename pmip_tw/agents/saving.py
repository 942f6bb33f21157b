"""Between an LMA's loop and its store: what a wake-up decides is appended in one call, and comes back when saved.

What nobody can refuse is kept and appended again until it is saved, always before what is newer.
"""

from collections.abc import Callable
from functools import partial

from pmip_tw.errors import StoreError
from pmip_tw.interfaces import IBindingStore
from pmip_tw.lma.registration.commitment import Commit, Save, Waiting
from pmip_tw.mobility.records import Record


class Saving:
    """``saved(commits, waited)`` and ``failed(commits, cause)`` are told of what became of commits, in the order to act
    in: the oldest first, or the newest first; what has ``waited``, revocations and DHCP, is to be sent before.
    """

    def __init__(
        self,
        store: IBindingStore,
        *,
        saved: Callable[[list[Commit], list[Waiting]], None],
        failed: Callable[[list[Commit], str], None],
    ) -> None:
        self._store = store
        self._keeps = store.keeps
        self._saved = saved
        self._failed = failed
        self._records: list[Record] = []
        self._commits: list[Commit] = []
        # Of ``_records``, what nobody can refuse; and what is to be appended once more.
        self._alone: list[Save] = []
        self._again: list[Save] = []
        self._appending = False

    @property
    def failing(self) -> bool:
        """Whether something waits to be appended although a wake-up is over: the store has failed."""
        return bool(self._again or self._records)

    def commit(self, commit: Commit) -> None:
        """To be saved with this wake-up's; then it comes back."""
        self._commits.append(commit)
        if self._keeps:
            self._records += commit.saves()

    def save(self, save: Save) -> None:
        """To be saved with this wake-up's."""
        self._alone.append(save)
        self._records.append(save.record)

    def append(self) -> None:
        """The wake-up is over. A store may answer at once, and what follows from that is appended as well."""
        if self._appending:
            return
        self._appending = True
        try:
            while self._commits or self._records or self._again:
                records, commits, alone = self._records, self._commits, self._alone
                if self._again:
                    records = [save.record for save in self._again] + records
                    alone = self._again + alone
                self._records, self._commits, self._alone, self._again = [], [], [], []
                self._store.append(records, partial(self._done, commits, alone))
                if self._again:
                    return  # it has failed again: not now
        finally:
            self._appending = False

    def when_saved(self, told: Callable[[bool], None]) -> None:
        """Tell whether everything so far is durable, as soon as that is known."""
        self.append()
        if self.failing:
            told(False)
        else:
            self._store.append([], lambda error: told(error is None))

    def _keep(self, saves: list[Save]) -> None:
        """Of each thing the newest record is enough, however long the store fails."""
        newest: dict[tuple[object, ...], Save] = {}
        for save in saves:
            thing = save.record.thing
            newest.pop(thing, None)
            newest[thing] = save
        self._again = [*newest.values()]

    def _done(self, commits: list[Commit], alone: list[Save], error: StoreError | None) -> None:
        if error is None:
            waited = [save.then for save in alone if save.then is not None]
            if commits or waited:
                self._saved(commits, waited)
        else:
            # Of what has failed together the newest is told first.
            self._keep(alone + self._again)
            commits.reverse()
            self._failed(commits, str(error))
