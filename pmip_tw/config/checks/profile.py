"""What may be wrong with ``[mag.profile]``."""

from collections.abc import Iterator

from pmip_tw.config.checks.aaa import asks_servers
from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import Path
from pmip_tw.config.structure import Mistake


def profile_mistakes(draft: Draft, profile: Path) -> Iterator[Mistake]:
    """Realms with two sets of defaults, and defaults that nobody looks at."""
    tables = draft.elements((*profile, "realms"))
    first: dict[str, Path] = {}
    for table in tables:
        for at in draft.elements((*table, "realms")):
            realm = draft.value(at, str)
            earlier = at if realm is None else first.setdefault(realm.lower(), at)
            if earlier != at:
                text = f"realms[{at[-1]}]: {realm!r} has its defaults on line {draft.line(earlier)} already"
                yield Mistake(at, text)
    mag = profile[:-1]
    has_users = draft.has((*mag, "local"))
    if draft.has(profile) and has_users and not asks_servers(draft, mag):
        yield Mistake(
            profile, "[mag.profile] is about what AAA servers say: a file of users says everything itself"
        )
    precedence = draft.value((*profile, "precedence"), list)
    if has_users and precedence is not None and "users" not in precedence:
        text = 'precedence: without "users" nothing of the file that [mag.local] names is looked at'
        yield Mistake((*profile, "precedence"), text)
    if tables and precedence is not None and "local" not in precedence:
        text = 'precedence: without "local" nothing of [[mag.profile.realms]] but the algorithm is looked at'
        yield Mistake((*profile, "precedence"), text)
