"""The journals of several workers, and how one set of them follows another.

``lma.journal`` is the journal of one worker; of four workers they are ``lma.journal.0-of-4`` to ``3-of-4``. A new set
is written under other names, which become its own when all is written; then the old set is taken away, and only then
anybody works. Whatever moment a crash comes at, one whole set is there, and if there are two they say the same.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from pmip_tw.errors import StoreError
from pmip_tw.mobility.records import JournalFormat, Record
from pmip_tw.store import damaged, log_of_commits
from pmip_tw.store.clocks import Clocks, system_clocks
from pmip_tw.store.database import Database
from pmip_tw.store.loading import load
from pmip_tw.store.place import BESIDE, Place, sync_directory
from pmip_tw.store.rows import RowCodec

_NEW, _OLD = ".unfinished", ".obsolete"
"""Names that nobody gives a file who makes a copy of it: what is called so is removed."""

_LOGS = (*BESIDE, "-journal")
"""What may be found beside a file after a crash; the last from the moment before it kept a log of commits."""

_LOG = "|".join(_LOGS)

Journals = Sequence[Iterator[tuple[float, Sequence[Record]]]]
Resliced = Callable[[Journals], Sequence[Sequence[Record]]]
"""Of what journals hold, each as ``IBindingStore.load``, the records that each of the new ones begins with."""


def journal_path(path: str, worker: int, workers: int) -> str:
    """The journal of one of several workers; ``path`` is what the configuration names."""
    return path if workers == 1 else f"{path}.{worker}-of-{workers}"


class Slices:
    """The sets of journals of ``path``. ``horizon``: see Database. ``missing``: of a set that is used all the same.
    ``kept``: of a former set, what has rows that could not be read.
    """

    def __init__(
        self, path: str, form: JournalFormat, *, horizon: float, clocks: Clocks | None = None
    ) -> None:
        self._path = path
        self._form = form
        self._horizon = horizon
        self._clocks = clocks or system_clocks()
        self.missing: list[str] = []
        self.kept: list[str] = []

    def become(self, workers: int, resliced: Resliced) -> int | None:
        """See that there is a set for ``workers``, and no other; for how many there was one, None: for as many.

        StoreError: which file cannot be used, and what to do; what journals held is there as before.
        """
        try:
            with self._alone():
                return self._become(workers, resliced)
        except OSError as error:
            raise StoreError(
                self._path, f"its journals cannot be renewed for {workers} workers: {error.strerror}"
            ) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Another start waits: one that has seen the old set would begin it anew when this one has taken it away."""
        try:
            directory = os.open(os.path.dirname(os.path.abspath(self._path)), os.O_RDONLY | os.O_DIRECTORY)
        except (FileNotFoundError, NotADirectoryError):  # so there are no journals; who opens them says more
            yield
            return
        try:
            with suppress(OSError):  # not every file system can
                fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)

    def _become(self, workers: int, resliced: Resliced) -> int | None:
        there = self._sets()
        whole = [count for count in sorted(there) if len(there[count]) == count]
        parts = [count for count in sorted(there) if count not in (*whole, workers)]
        if parts and not whole and workers not in there:
            count = parts[0]
            raise StoreError(
                there[count][0],
                f"the other journals of its set are missing: put them back, or start once with workers = {count},"
                " which begins anew for the nodes of those, or move it away to begin anew for all",
            )
        if workers in there and not whole:
            self.missing = [name for name in self._names(workers) if name not in there[workers]]
        self._remove_rests()
        before = None
        if whole and workers not in whole:
            before = whole[-1]
            self._write(workers, self._read(before, resliced))
        for count in there:
            if count != workers and (whole or workers in there):
                self._retire(count)
        return before

    def _names(self, workers: int) -> list[str]:
        return [journal_path(self._path, worker, workers) for worker in range(workers)]

    def _sets(self) -> dict[int, list[str]]:
        """The journals that are there, by the number of workers."""
        found: dict[int, list[str]] = {}
        for path in self._beside(r"(\.\d+-of-\d+)?"):
            numbers = re.search(r"\.(\d+)-of-(\d+)$", path)
            count = int(numbers[2]) if numbers else 1
            if path in self._names(count):
                found.setdefault(count, []).append(path)
        return found

    def _beside(self, ending: str) -> list[str]:
        directory, name = os.path.split(os.path.abspath(self._path))
        fits = re.compile(re.escape(name) + ending)
        try:
            names = sorted(os.listdir(directory))
        except OSError:
            return []
        return [os.path.join(os.path.dirname(self._path), each) for each in names if fits.fullmatch(each)]

    def _read(self, before: int, resliced: Resliced) -> Sequence[Sequence[Record]]:
        with ExitStack() as opened:
            for path in self._names(before):
                database = self._database(path)
                database.open()
                opened.callback(database.close)
            now, codec = self._clocks(), RowCodec(self._form)
            return resliced([load(path, codec, now) for path in self._names(before)])

    def _write(self, workers: int, slices: Sequence[Sequence[Record]]) -> None:
        for path, records in zip(self._names(workers), slices, strict=True):
            database = self._database(path + _NEW)
            database.open()
            try:
                if records:
                    database.write(records)
            finally:
                database.close()
        for path in self._names(workers):
            os.rename(path + _NEW, path)
        sync_directory(self._path)

    def _retire(self, count: int) -> None:
        for path in self._names(count):
            # A log of commits must never be found beside a journal that it is not of.
            if os.path.exists(path):
                os.rename(path, self._kept(path) if damaged.has_any(path) else path + _OLD)
            for name in (*(path + log for log in _LOGS), path + _OLD):
                _remove(name)
        sync_directory(self._path)

    def _kept(self, path: str) -> str:
        """What a journal is called that is not needed any more, and not to be lost."""
        kept = log_of_commits.free_name(f"{path}.damaged")
        self.kept.append(kept)
        return kept

    def _remove_rests(self) -> None:
        """Of a change that a crash has cut short."""
        for log in self._beside(rf"(\.\d+-of-\d+)?({_LOG})"):
            path = log.rpartition("-")[0]
            if not os.path.exists(path):
                if not os.path.exists(path + _OLD):  # somebody has taken the journal from it
                    log_of_commits.keep_if_alone(path)
                _remove(log)
        for path in self._beside(rf"(\.\d+-of-\d+)?({_NEW}|{_OLD})({_LOG})?"):
            _remove(path)

    def _database(self, path: str) -> Database:
        return Database(Place(path), self._form, horizon=self._horizon, clocks=self._clocks)


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
