"""``[[lma.mags]]``: the MAGs that an LMA knows, with what is special about each, and what may be wrong there."""

from collections.abc import Iterator
from typing import Annotated, Literal

import attrs

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.limits import Realm
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.value_types import Authentication, HostAddress, MobileNodeKey, Spi
from pmip_tw.config.structure import Mistake
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm

ExtensionStyle = Literal["rfc5563", "draft03"]

_OF_A_KEY = ("spi", "key", "algorithm", "previous_spi", "previous_key", "previous_algorithm")


@attrs.frozen(slots=True, kw_only=True)
class KnownMag:
    """``[[lma.mags]]``. ``spi``, ``key`` and what is previous belong to ``auth = "fa-ha"``.

    ``previous_spi`` and ``previous_algorithm`` are ``spi`` and ``algorithm`` if they are not given.
    """

    address: HostAddress
    auth: Authentication = "per-mn"
    spi: Spi | None = None
    key: MobileNodeKey | None = None
    algorithm: Algorithm = Algorithm.HMAC_MD5
    previous_spi: Spi | None = None
    previous_key: MobileNodeKey | None = None
    previous_algorithm: Algorithm | None = None
    behind_nat: bool = False
    realms: tuple[Annotated[str, Realm()], ...] = ()
    proxy: bool = True
    extension_style: ExtensionStyle = "rfc5563"

    @property
    def associations(self) -> tuple[SecurityAssociation, ...]:
        """The present one first; a previous key under the same SPI is inside it."""
        if self.spi is None or self.key is None:
            return ()
        if self.previous_key is None:
            return (SecurityAssociation(self.spi, self.key, self.algorithm),)
        algorithm = self.previous_algorithm or self.algorithm
        previous = SecurityAssociation(self.previous_spi or self.spi, self.previous_key, algorithm)
        if previous.spi == self.spi:
            return (SecurityAssociation(self.spi, self.key, self.algorithm, previous),)
        return (SecurityAssociation(self.spi, self.key, self.algorithm), previous)


def known_mag_mistakes(draft: Draft, mags: Path) -> Iterator[Mistake]:
    addresses = Once(draft, "the MAG")
    spis = Once(draft, "the SPI")
    for mag in draft.elements(mags):
        address = draft.value((*mag, "address"), Ipv4)
        if address is not None:
            yield from addresses.use(address, ipv4_text(address), (*mag, "address"))
        yield from _key_and_auth(draft, mag)
        if draft.value((*mag, "behind_nat"), bool):
            for name in ("spi", "previous_spi"):
                spi = draft.value((*mag, name), Spi)
                if spi is not None:
                    yield from spis.use(spi, f"{spi} of a MAG behind a NAT", (*mag, name))


def _key_and_auth(draft: Draft, mag: Path) -> Iterator[Mistake]:
    auth = draft.value((*mag, "auth"), Authentication) if draft.has((*mag, "auth")) else "per-mn"
    if auth == "fa-ha":
        for name in ("spi", "key"):
            if not draft.has((*mag, name)):
                yield Mistake((*mag, "auth"), f'auth: "fa-ha" needs {name!r}, the same as at the MAG')
        for name in ("previous_spi", "previous_algorithm"):
            if draft.has((*mag, name)) and not draft.has((*mag, "previous_key")):
                yield Mistake((*mag, name), f"{name}: means nothing without 'previous_key'")
    elif auth is not None:
        for name in _OF_A_KEY:
            if draft.has((*mag, name)):
                yield Mistake((*mag, name), f'{name}: belongs to auth = "fa-ha", not to "{auth}"')
    if auth == "ipsec" and draft.value((*mag, "behind_nat"), bool):
        text = 'behind_nat: auth = "ipsec" is bound to the address of the MAG, which a NAT hides'
        yield Mistake((*mag, "behind_nat"), text)
