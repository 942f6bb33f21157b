"""Before an LMA starts: its journals are those of as many workers as its settings say."""

from functools import partial

from twisted.logger import Logger

from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.lma.journal.records import LMA_JOURNAL
from pmip_tw.lma.workers.reslicing import resliced
from pmip_tw.services.lma_parts import horizon_of
from pmip_tw.store.slices import Slices


class Journals:
    """Started before whoever uses them. StoreError: they cannot be read, and are as they were."""

    _log = Logger(namespace="pmip.store")

    def __init__(self, settings: LmaSettings) -> None:
        # Not the settings: the keys of a million nodes would stay with them.
        self._path = settings.store
        self._workers = settings.workers
        self._slices = Slices(settings.store, LMA_JOURNAL, horizon=horizon_of(settings))
        self._resliced = partial(
            resliced, workers=settings.workers, by_technology=settings.binding_key == "nai+tech"
        )

    def start(self) -> None:
        if not self._path:
            return
        before = self._slices.become(self._workers, self._resliced)
        for path in self._slices.missing:
            self._log.warn("{path} is missing: the bindings that were in it are lost", path=path)
        for path in self._slices.kept:
            self._log.error(
                "{path} is a journal of before that has what could not be read: pmipctl store check {path} lists it;"
                " look at the disk, and remove it then",
                path=path,
            )
        if before is not None:
            self._log.info(
                "the journals of {before} workers are those of {workers} now: {path}",
                before=before,
                workers=self._workers,
                path=self._path,
            )

    def stop(self) -> None:
        """Whoever uses them closes them."""
