"""What machines tell whoever listens: logs, counters, traces all hear the same values."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct, field

Detail = str | int | float | bool


class Observation(Struct, frozen=True, kw_only=True, gc=False):
    """Something that happened.

    ``name``: stable, hyphenated ("registration-accepted"); ``nai``: whose, "" if not known yet;
    ``session``: the access session or binding ("02:00:00:00:00:01 on acc0", "10.1.0.5"), "" if none;
    ``cause``: for what went wrong, the true cause in words for a person, and what to do;
    ``reason``: the same as a stable word for counters; ``details``: small plain values, never a key.
    """

    name: str
    nai: str = ""
    session: str = ""
    cause: str = ""
    reason: str = ""
    details: Mapping[str, Detail] = field(default_factory=dict)


Subject = TypeVar("Subject")


class Alike(Generic[Subject]):
    """Many observations of one ``name``, none of which is trouble: made when somebody looks at them.

    ``subjects``: what each is about; ``tell(subject)`` makes the observation, ``whose(subject)`` its NAI.
    """

    __slots__ = ("_subjects", "_tell", "_whose", "name")

    def __init__(
        self,
        name: str,
        subjects: Sequence[Subject],
        tell: Callable[[Subject], Observation],
        whose: Callable[[Subject], str],
    ) -> None:
        self.name = name
        self._subjects = subjects
        self._tell = tell
        self._whose = whose

    @classmethod
    def joined(cls, all_alike: Sequence["Alike[Subject]"]) -> "Alike[Subject]":
        """At least one, of the same name, as one."""
        first, *others = all_alike
        if not others:
            return first
        subjects = [subject for one in all_alike for subject in one._subjects]
        return cls(first.name, subjects, first._tell, first._whose)

    def __len__(self) -> int:
        return len(self._subjects)

    def __iter__(self) -> Iterator[Observation]:
        return map(self._tell, self._subjects)

    def about(self, nai: str) -> Iterator[Observation]:
        """Those of one mobile node, whatever the case of its NAI."""
        return (self._tell(one) for one in self._subjects if self._whose(one).lower() == nai)
