"""What machines tell whoever listens: logs, counters, traces all hear the same values."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct, field

from pmip_tw.addresses import Ipv4

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


class Alike(Struct, Generic[Subject], frozen=True, eq=False, gc=False):
    """Many observations of one ``name`` and ``reason``, which are made when somebody looks at them.

    ``subjects``: what each is about; ``tell(subject)`` makes the observation, ``whose(subject)`` its NAI, "" if it has
    none. ``source(subject)``: who has sent what is discarded; None: nothing is.
    """

    name: str
    subjects: Sequence[Subject]
    tell: Callable[[Subject], Observation]
    whose: Callable[[Subject], str]
    reason: str = ""
    source: Callable[[Subject], Ipv4] | None = None

    @classmethod
    def joined(cls, all_alike: Sequence["Alike[Subject]"]) -> "Alike[Subject]":
        """At least one, of the same name and reason, as one."""
        first, *others = all_alike
        if not others:
            return first
        subjects = [subject for one in all_alike for subject in one.subjects]
        return cls(first.name, subjects, first.tell, first.whose, reason=first.reason, source=first.source)

    def __len__(self) -> int:
        return len(self.subjects)

    def __iter__(self) -> Iterator[Observation]:
        return map(self.tell, self.subjects)

    def about(self, nai: str) -> Iterator[Observation]:
        """Those of one mobile node, whatever the case of its NAI."""
        return (self.tell(one) for one in self.subjects if self.whose(one).lower() == nai != "")

    def sources(self) -> Counter[Ipv4]:
        """How many of them each has sent."""
        return Counter() if self.source is None else Counter(map(self.source, self.subjects))
