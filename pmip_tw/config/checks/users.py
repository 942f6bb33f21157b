"""What single settings of a MAG's user file cannot show."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, Mac, Prefix, ipv4_text, mac_text
from pmip_tw.config.checks.breakout import nearby_lma_mistakes
from pmip_tw.config.checks.emsk import emsk_mistakes
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.value_types import MobileNodeNai
from pmip_tw.config.structure import Mistake


def user_mistakes(
    draft: Draft,
    home_prefixes: list[Prefix] | None,
    own_lmas: frozenset[Ipv4],
    default_lmas: list[Ipv4] | None,
    local_breakout: list[Prefix],
    *,
    beside_servers: bool,
) -> Iterator[Mistake]:
    """A file of users beside what its MAG has: ``own_lmas`` are those with which it has a key of its own.

    ``beside_servers``: it says more of nodes that AAA servers let in, and need not say everything.
    ``home_prefixes``, ``default_lmas``: None if they are not all readable, so that nothing follows from them.
    """
    if not draft.elements(("users",)) and draft.value(("users",), list) in (None, []):
        yield Mistake((), "no users: add [[users]] with mac, nai, lma, spi and key")
    stations = Once(draft, "the MAC")
    owners: dict[tuple[Ipv4, Ipv4, str], tuple[str, Path]] = {}
    for user in draft.elements(("users",)):
        mac = draft.value((*user, "mac"), Mac)
        if mac is not None:
            yield from stations.use(mac, mac_text(mac), (*user, "mac"))
        if draft.has((*user, "lma")) and draft.has((*user, "lmas")):
            yield Mistake((*user, "lmas"), "lmas: stands in place of lma: keep one of them")
        elif not beside_servers and default_lmas == [] and not _names_lmas(draft, user):
            yield Mistake(user, "no lma, and [mag] default_lmas names none for users without")
        yield from _proofs(draft, user, beside_servers)
        if not beside_servers:
            yield from _keys(draft, user, own_lmas, default_lmas or [])
        yield from nearby_lma_mistakes(user, _lmas(draft, user), local_breakout)
        path = (*user, "home_address")
        address = draft.value(path, Ipv4)
        if address is None:
            continue
        if home_prefixes is not None and not any(address in prefix for prefix in home_prefixes):
            yield Mistake(path, f"home_address: {ipv4_text(address)} is in none of the MAG's home prefixes")
        nai = draft.value((*user, "nai"), MobileNodeNai)
        if nai is None:
            continue
        realm = nai.rpartition("@")[2].lower()  # realms may have address spaces of their own (P85)
        for lma in _lmas(draft, user):
            owner, where = owners.setdefault((lma, address, realm), (nai, path))
            if owner != nai:
                text = (
                    f"{ipv4_text(address)} is already the home address of {owner} on line {draft.line(where)}"
                )
                yield Mistake(path, f"home_address: {text}")
                break


def _proofs(draft: Draft, user: Path, beside_servers: bool) -> Iterator[Mistake]:
    if draft.has((*user, "emsk")):
        yield from emsk_mistakes(draft, user)
        if not draft.has((*user, "lma")):
            text = "emsk: the key that follows is for one LMA: name it by lma"
            yield Mistake((*user, "emsk"), text)
        if beside_servers:
            text = "emsk: the key that follows is for one LMA, and servers may name another: give spi and key"
            yield Mistake((*user, "emsk"), text)
    else:
        yield from key_and_spi(draft, user, "")
    yield from key_and_spi(draft, user, "aaa_")


def key_and_spi(draft: Draft, path: Path, kind: str) -> Iterator[Mistake]:
    """``kind`` "" or "aaa_": one is useless without the other."""
    for one, other in ((f"{kind}spi", f"{kind}key"), (f"{kind}key", f"{kind}spi")):
        if draft.has((*path, one)) and not draft.has((*path, other)):
            yield Mistake((*path, one), f"{one}: needs {other} beside it")


def _keys(draft: Draft, user: Path, own_lmas: frozenset[Ipv4], default_lmas: list[Ipv4]) -> Iterator[Mistake]:
    if any(draft.has((*user, name)) for name in ("key", "spi", "emsk")):
        return
    for lma in _lmas(draft, user) if _names_lmas(draft, user) else default_lmas:
        if lma not in own_lmas:
            text = f"no spi and key, and no association of the MAG's own ([[mag.lmas]]) with {ipv4_text(lma)}"
            yield Mistake(user, text)


def _names_lmas(draft: Draft, user: Path) -> bool:
    return draft.has((*user, "lma")) or draft.has((*user, "lmas"))


def _lmas(draft: Draft, user: Path) -> list[Ipv4]:
    paths = [(*user, "lma"), *draft.elements((*user, "lmas"))]
    return [lma for path in paths if (lma := draft.value(path, Ipv4)) is not None]
