"""What may be wrong with ``[[mag.lmas]]``, and with settings of a MAG that do nothing without another one there."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.config.checks.users import key_and_spi
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.value_types import Authentication
from pmip_tw.config.structure import Mistake

_OF_A_KEY = ("spi", "key", "algorithm")


def lma_peer_mistakes(draft: Draft, mag: Path) -> Iterator[Mistake]:
    seen = Once(draft, "the LMA")
    for path in draft.elements((*mag, "lmas")):
        address = draft.value((*path, "address"), Ipv4)
        if address is not None:
            yield from seen.use(address, ipv4_text(address), (*path, "address"))
        yield from _key_and_auth(draft, path)
    yield from _gre_keys(draft, mag)
    yield from _foreign_agent(draft, mag)
    if draft.value((*mag, "dynamic_home_agent"), bool) and not draft.elements((*mag, "default_lmas")):
        text = "dynamic_home_agent: default_lmas must name an LMA to ask first"
        yield Mistake((*mag, "dynamic_home_agent"), text)
    if draft.value((*mag, "behind_nat"), bool) and draft.value((*mag, "nat_traversal"), str) == "off":
        text = 'behind_nat: nothing but UDP tunnels passes a NAT, and nat_traversal = "off" asks for none'
        yield Mistake((*mag, "behind_nat"), text)
    if draft.has((*mag, "liveness_interval")) and not draft.has((*mag, "liveness")):
        yield Mistake((*mag, "liveness_interval"), "liveness_interval: means nothing without liveness = true")


def own_lmas_of(mag: Draft) -> frozenset[Ipv4]:
    """The LMAs to which this MAG's own association is proof enough: nodes need no key there."""
    return frozenset(
        address
        for path in mag.elements(("mag", "lmas"))
        if (address := mag.value((*path, "address"), Ipv4)) is not None
        and mag.value((*path, "auth"), str) != "per-mn"
    )


def default_lmas_of(mag: Draft) -> list[Ipv4] | None:
    """The LMAs of nodes to which AAA gives none; None if they are not all readable."""
    path: Path = ("mag", "default_lmas")
    if mag.has(path) and mag.value(path, list) is None:
        return None
    found = [mag.value(at, Ipv4) for at in mag.elements(path)]
    return None if None in found else found


def _key_and_auth(draft: Draft, path: Path) -> Iterator[Mistake]:
    if _auth(draft, path) == "ipsec":
        for name in _OF_A_KEY:
            if draft.has((*path, name)):
                text = f'{name}: auth = "ipsec" has none, the kernel\'s policies protect UDP 434'
                yield Mistake((*path, name), text)
        return
    yield from key_and_spi(draft, path, "")
    if _auth(draft, path) == "fa-ha" and not draft.has((*path, "key")) and not draft.has((*path, "spi")):
        yield Mistake(path, 'auth = "fa-ha" needs spi and key')


def _auth(draft: Draft, path: Path) -> str | None:
    """None: it is none that there is."""
    return draft.value((*path, "auth"), Authentication) if draft.has((*path, "auth")) else "fa-ha"


def _gre_keys(draft: Draft, mag: Path) -> Iterator[Mistake]:
    if draft.value((*mag, "gre_key"), str) not in ("lma", "own"):
        return
    if draft.value((*mag, "encapsulation"), str) != "gre":
        yield Mistake((*mag, "gre_key"), 'gre_key: only encapsulation = "gre" has keys')
    if not _as_foreign_agent(draft, mag) and draft.value((*mag, "gre_key_with_d"), bool) is not True:
        text = 'gre_key: with coa_mode = "colocated" it needs gre_key_with_d = true, or set coa_mode = "fa"'
        yield Mistake((*mag, "gre_key"), text)


def _foreign_agent(draft: Draft, mag: Path) -> Iterator[Mistake]:
    """What a foreign agent adds to a node's own registration is sent only where something protects it (N3, RV2, T5)."""
    lmas = draft.elements((*mag, "lmas"))
    protected = any(draft.has((*path, "key")) or _auth(draft, path) != "per-mn" for path in lmas)
    if protected or not _as_foreign_agent(draft, mag):
        return
    for name, wish in (
        ("gre_key", draft.value((*mag, "gre_key"), str) in ("lma", "own")),
        ("nat_traversal", draft.value((*mag, "nat_traversal"), str) == "force"),
        ("require_revocation", draft.value((*mag, "require_revocation"), bool)),
    ):
        if wish:
            text = (
                f'{name}: with coa_mode = "fa" it needs a key of this MAG in [[mag.lmas]], which protects it'
            )
            yield Mistake((*mag, name), text)


def _as_foreign_agent(draft: Draft, mag: Path) -> bool:
    mode: str | None = draft.value((*mag, "coa_mode"), str)
    return mode == "fa"
