"""Whom the server knows: mobile nodes, how they prove who they are, and what a MAG is told about them."""

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final

import attrs

from pmip_tw.addresses import Ipv4, Mac, ipv4_text, mac_text

_QUOTABLE: Final = re.compile(r"[A-Za-z0-9@._:/+=-]+")
"""What is written between double quotes without escapes: FreeRADIUS expands % and \\ there."""


class Keys(Enum):
    """Where a node's MN-HA key comes from, and in which attributes a MAG gets it."""

    THREEGPP2 = "3GPP2"
    """``key_text``, in 3GPP2's attributes."""
    WIMAX = "WiMAX"
    """``key_text``, in those of the WiMAX Forum."""
    DERIVED = "WiMAX, from the EMSK"
    """Another one for every authentication by TLS, in the WiMAX Forum's attributes."""


@attrs.frozen(slots=True, kw_only=True)
class RadiusUser:
    """A mobile node as FreeRADIUS knows it. ``key_text``: the MN-HA key, printable characters.

    ``password``: of its 802.1X, "" for none (EAP-TLS needs none); ``by_mac``: its MAC address alone is enough.
    ``attributes``: what else an Access-Accept has, as FreeRADIUS writes it (``'Filter-Id = "gold"'``).
    """

    mac: Mac
    nai: str
    lma: Ipv4
    spi: int
    key_text: str = attrs.field(repr=False)
    keys: Keys = Keys.THREEGPP2
    by_mac: bool = True
    password: str = attrs.field(default="", repr=False)
    attributes: Sequence[str] = ()

    @property
    def user_name(self) -> str:
        """What the NAS sends as User-Name and password when it asks about the MAC address."""
        return mac_text(self.mac, "-")

    def check(self) -> None:
        """ValueError for what cannot be written between quotes."""
        quotable("a NAI", self.nai)
        quotable("an MN-HA key", self.key_text)
        if self.password:
            quotable("a password", self.password)


def quotable(what: str, text: str) -> None:
    """ValueError, without the text, if it would need escapes."""
    if not _QUOTABLE.fullmatch(text):
        raise ValueError(f"{what} of the laboratory may hold only letters, digits and @._:/+=-")


def credentials(users: Sequence[RadiusUser]) -> str:
    """The file of names and passwords."""
    lines = ["# What proves who somebody is; the MAC address's entry tells whose it is.\n"]
    for user in users:
        if user.by_mac:
            # By EAP its name and password, which everybody can read, are worth nothing.
            entry = f'{user.user_name} Service-Type == Call-Check, Cleartext-Password := "{user.user_name}"'
            lines.append(f'{entry}\n    User-Name = "{user.nai}"\n\n')
        if user.password:
            lines.append(f'{user.nai} Cleartext-Password := "{user.password}"\n\n')
    return "".join(lines)


def mobility(users: Sequence[RadiusUser]) -> str:
    """The file of what a MAG is told, by the identity that authentication has found."""
    return "".join(_entry(user.nai, [*_mobility(user), *user.attributes]) for user in users)


def keys(users: Sequence[RadiusUser]) -> str:
    """The file of keys that an LMA may ask for, by NAI and SPI. Derived ones are remembered elsewhere."""
    return "".join(_entry(f"{user.nai}/{user.spi}", _key(user)) for user in users)


def _entry(name: str, attributes: Sequence[str]) -> str:
    return f"{name}\n" + ",\n".join(f"    {attribute}" for attribute in attributes) + "\n\n"


def _mobility(user: RadiusUser) -> Iterator[str]:
    if user.keys is Keys.THREEGPP2:
        yield f"3GPP2-Home-Agent-IP-Address = {ipv4_text(user.lma)}"
        yield f"3GPP2-MN-HA-SPI = {user.spi}"
        yield f'3GPP2-MN-HA-Shared-Key = "{user.key_text}"'
        return
    yield "WiMAX-IP-Technology = PMIP4"
    yield f"WiMAX-hHA-IP-MIP4 = {ipv4_text(user.lma)}"
    if user.keys is Keys.WIMAX:
        yield f"WiMAX-MN-hHA-MIP4-SPI = {user.spi}"
        yield f"WiMAX-MN-hHA-MIP4-Key = 0x{user.key_text.encode().hex()}"


def _key(user: RadiusUser) -> list[str]:
    if user.keys is Keys.THREEGPP2:
        return [f"3GPP2-MN-HA-SPI = {user.spi}", f'3GPP2-MN-HA-Shared-Key = "{user.key_text}"']
    return [
        f"WiMAX-RRQ-MN-HA-SPI = {user.spi}",
        f"WiMAX-RRQ-MN-HA-Key = 0x{user.key_text.encode().hex()}",
        f"WiMAX-hHA-IP-MIP4 = {ipv4_text(user.lma)}",
    ]
