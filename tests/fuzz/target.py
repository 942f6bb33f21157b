"""What a target is: a law that must hold for any octets, and where the search for octets that break it begins."""

from collections.abc import Callable, Iterable
from pathlib import Path

import attrs

HERE = Path(__file__).parent

Check = Callable[[bytes], None]
Join = Callable[[bytes, bytes], bytes]


@attrs.frozen(slots=True, kw_only=True)
class Target:
    """``check`` raises whatever it likes if the law is broken; an input that it cannot use it ignores.

    ``seeds``: inputs to begin with. ``floors``: packages of pmip_tw whose code guides the search. ``head``: octets in
    front of the Mobile IP datagram in each input, None if an input is something else; the mutator knows the
    extensions of a datagram. ``runs``: inputs tried by the bounded run of the test suite.
    """

    name: str
    about: str
    check: Check
    seeds: Callable[[], Iterable[bytes]]
    floors: tuple[str, ...] = ("wire",)
    head: int | None = None
    runs: int = 2000
    longest: int = 1500

    @property
    def corpus(self) -> Path:
        return HERE / "corpus" / self.name

    @property
    def regressions(self) -> Path:
        return HERE / "regressions" / self.name

    def stored(self) -> list[Path]:
        """The inputs that every test run replays."""
        return [
            path
            for folder in (self.corpus, self.regressions)
            if folder.is_dir()
            for path in sorted(folder.iterdir())
        ]
