"""One of those who say something of a mobile node: a dialect of AAA, or the MAG's own configuration."""

from typing import ClassVar

from pmip_tw.aaa.profiles.profile import RootKey
from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.secret import Secret

Keyed = tuple[int, Secret] | SecurityAssociation
"""SPI and key; or with an algorithm as well, which no dialect says."""


class Source:
    """What it says, item by item, as ``Profile`` names them; None: nothing, so that the next one is asked (AA1).

    AccessDenied: what it says cannot be. Nobody asks for an item that a source before this one has given.
    """

    items: ClassVar[frozenset[str]] = frozenset()
    """The names of those that it may say something of: its own methods."""

    def __init_subclass__(cls) -> None:
        cls.items = frozenset(vars(cls)) & frozenset(vars(Source)) | cls.items

    def denied(self) -> str:
        """Why the node may not be served after all, "" if it may."""
        return ""

    def nai(self) -> str | None:
        return None

    def lmas(self) -> tuple[Ipv4, ...] | None:
        return None

    def mn_ha(self) -> Keyed | None:
        return None

    def mn_aaa(self) -> AaaAssociation | None:
        return None

    def fa_rk(self) -> RootKey | None:
        return None

    def home_address(self) -> Ipv4 | None:
        return None

    def framed_pool(self) -> bytes | None:
        return None

    def dhcp_server(self) -> Ipv4 | None:
        return None

    def name_servers(self) -> tuple[Ipv4, ...] | None:
        return None

    def lifetime(self) -> int | None:
        return None

    def session_timeout(self) -> int | None:
        return None

    def idle_timeout(self) -> int | None:
        return None

    def interim_interval(self) -> int | None:
        return None

    def reauthenticate(self) -> bool | None:
        return None

    def filter_ids(self) -> tuple[str, ...] | None:
        return None

    def classes(self) -> tuple[bytes, ...] | None:
        return None

    def chargeable_identity(self) -> bytes | None:
        return None

    def aaa_session_id(self) -> bytes | None:
        return None

    def correlation_id(self) -> bytes | None:
        return None
