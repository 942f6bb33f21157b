"""``[[lma.redirects]]``: realms that another home agent serves, and what may be wrong there."""

from collections.abc import Iterator
from typing import Annotated

import attrs

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.config.draft import Draft
from pmip_tw.config.limits import Realm
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.value_types import HostAddress
from pmip_tw.config.structure import Mistake


@attrs.frozen(slots=True, kw_only=True)
class Redirect:
    """``[[lma.redirects]]``: nodes of ``realms`` that ask for any home agent are sent to ``home_agent``."""

    realms: tuple[Annotated[str, Realm()], ...]
    home_agent: HostAddress


def redirect_mistakes(draft: Draft, redirects: Path) -> Iterator[Mistake]:
    """A realm with two home agents, or with us; and redirects that nobody is told."""
    own = draft.value(("lma", "address"), Ipv4)
    first: dict[str, Path] = {}
    for redirect in draft.elements(redirects):
        home_agent = draft.value((*redirect, "home_agent"), Ipv4)
        if home_agent is not None and home_agent == own:
            text = f"home_agent: {ipv4_text(own)} is this LMA, to which nobody needs to be redirected"
            yield Mistake((*redirect, "home_agent"), text)
        for at in draft.elements((*redirect, "realms")):
            realm = draft.value(at, str)
            earlier = at if realm is None else first.setdefault(realm.lower(), at)
            if earlier != at:
                text = f"realms[{at[-1]}]: {realm!r} is already redirected on line {draft.line(earlier)}"
                yield Mistake(at, text)
    if draft.elements(redirects) and not draft.value(("lma", "dynamic_home_agent"), bool):
        yield Mistake(
            redirects, "redirects are for nodes that ask for any home agent: set dynamic_home_agent = true"
        )


def redirected_realms(draft: Draft, redirects: Path) -> frozenset[str]:
    """In lower case. Their nodes have keys here, to be believed, but need no address."""
    return frozenset(
        realm.lower()
        for redirect in draft.elements(redirects)
        for at in draft.elements((*redirect, "realms"))
        if (realm := draft.value(at, str)) is not None
    )
