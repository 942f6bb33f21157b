"""Whom access points have let in: on their interfaces nobody else is served, and AAA is not asked again (AA27)."""

from collections import OrderedDict
from collections.abc import Collection, Iterator
from itertools import islice, takewhile

import attrs

from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import Mac
from pmip_tw.mag.newest import Newest
from pmip_tw.mobility.tunnels import AccessKey

MOST_ADMITTED = 65536

BELIEVED_FOR = 3600.0
"""Seconds for which the journal believes a record of one, whatever the horizon of everything else in it is."""

MOST_AT_ONCE = 256
"""Records in one wake-up."""


@attrs.frozen(slots=True, kw_only=True)
class Admission:
    """``until``: monotonic, None while its access point says nothing else."""

    profile: Profile
    examined: Examined
    until: float | None


@attrs.frozen(slots=True)
class Word:
    """For the journal: ``key`` is let in by ``admission``, None: is not any more; ``deadline``: see the records."""

    key: AccessKey
    admission: Admission | None
    deadline: float


class Admissions:
    """They outlive visits: a node that was silent for long has not left its access point, and nothing there makes it
    authenticate again before its next frame. So they are for the journal as well, in the wake-up that follows.
    """

    def __init__(self, ports: Collection[str]) -> None:
        self._ports = frozenset(ports)
        self._admitted: Newest[AccessKey, Admission] = Newest(MOST_ADMITTED)
        # Of which the journal does not know yet, and until when it believes what it knows.
        self._changed: dict[AccessKey, None] = {}
        self._written: Newest[AccessKey, float] = Newest(MOST_ADMITTED)
        # When to write anew what goes on for longer than that; the soonest is first.
        self._again_at: OrderedDict[AccessKey, float] = OrderedDict()

    def counts_at(self, port: str) -> bool:
        """Whether access points let nodes in there."""
        return port in self._ports

    def admit(self, key: AccessKey, profile: Profile, examined: Examined, until: float | None) -> Admission:
        found = self._admitted[key] = Admission(profile=profile, examined=examined, until=until)
        self._changed[key] = None
        return found

    def get(self, key: AccessKey, monotonic: float) -> Admission | None:
        """That of ``key``, as long as it counts."""
        found = self._admitted.get(key)
        if found is not None and found.until is not None and found.until <= monotonic:
            del self._admitted[key]
            return None
        return found

    def of(self, mac: Mac, monotonic: float) -> Iterator[tuple[AccessKey, Admission]]:
        """Those of ``mac``, at whichever interface."""
        for port in self._ports:
            found = self.get(AccessKey(port, mac), monotonic)
            if found is not None:
                yield AccessKey(port, mac), found

    def has(self, key: AccessKey) -> bool:
        return key in self._admitted

    def all(self, monotonic: float) -> Iterator[tuple[AccessKey, Admission]]:
        """Those that count."""
        for key, found in self._admitted.items():
            if found.until is None or found.until > monotonic:
                yield key, found

    def withdraw(self, key: AccessKey) -> bool:
        """Whether it had one."""
        if self._admitted.pop(key, None) is None:
            return False
        self._changed[key] = None
        return True

    def withdraw_elsewhere(self, key: AccessKey) -> None:
        """Its station is at this interface now, and at no other."""
        for port in self._ports:
            if port != key.port:
                self.withdraw(AccessKey(port, key.mac))

    # The journal

    def recall(self, key: AccessKey, admission: Admission, deadline: float) -> None:
        """A former process has written that down; to be called with the record first that ends first."""
        self._admitted[key] = admission
        self._written[key] = deadline
        if admission.until is None or admission.until > deadline:
            self._again_at[key] = deadline - BELIEVED_FOR / 2

    def words(self, monotonic: float) -> list[Word]:
        """What is to be written down now."""
        due = [*islice(self._changed, MOST_AT_ONCE)]
        due += islice(self._due_again(monotonic), MOST_AT_ONCE)
        return [word for key in due for word in self._word(key, monotonic)]

    def words_of(self, key: AccessKey, monotonic: float) -> list[Word]:
        """What is to be written down of ``key``, for whoever cannot wait for the next wake-up."""
        return [*self._word(key, monotonic)] if key in self._changed else []

    def next_deadline(self) -> float | None:
        """When ``words`` has something, monotonic."""
        return 0.0 if self._changed else next(iter(self._again_at.values()), None)

    def _due_again(self, monotonic: float) -> Iterator[AccessKey]:
        is_due = takewhile(lambda item: item[1] <= monotonic, self._again_at.items())
        return (key for key, _ in is_due if key not in self._changed)

    def _word(self, key: AccessKey, monotonic: float) -> Iterator[Word]:
        self._changed.pop(key, None)
        self._again_at.pop(key, None)
        written = self._written.pop(key, None)
        admission = self.get(key, monotonic)
        if admission is None:
            if written is not None and written > monotonic:
                yield Word(key, None, written)
            return
        deadline = monotonic + BELIEVED_FOR
        if admission.until is None or admission.until > deadline:
            self._again_at[key] = monotonic + BELIEVED_FOR / 2
        else:
            deadline = admission.until
        self._written[key] = deadline
        yield Word(key, admission, deadline)
