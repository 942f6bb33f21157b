"""What the attributes of the WiMAX Forum say of a mobile node (AA9)."""

from functools import partial

from pmip_tw.aaa.dictionaries import wimax
from pmip_tw.aaa.dictionaries.dictionary import Attribute
from pmip_tw.aaa.profiles.of_radius import home_address_in
from pmip_tw.aaa.profiles.profile import RootKey
from pmip_tw.aaa.profiles.said import Said
from pmip_tw.aaa.profiles.source import Source
from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4
from pmip_tw.secret import Secret

NOT_AUTHORIZED = 0
"""MIP-Authorization-Status: no Mobile IP for this node."""

_NONE = frozenset({UNSPECIFIED, ALL_ONES})


class WimaxSource(Source):
    """``visited``: where AAA names an LMA of the home network and one of the visited network, the latter is meant.

    An LMA and the key for it belong together, so that both are read on the same side.
    """

    def __init__(self, said: Said, *, visited: bool = False) -> None:
        self._said = said
        has_visited = said.has(wimax.VHA_IP_MIP4, wimax.VHA_MIP4_KEY, wimax.VHA_MIP4_SPI)
        has_home = said.has(wimax.HHA_IP_MIP4, wimax.MN_HHA_MIP4_KEY, wimax.MN_HHA_MIP4_SPI)
        self._visited = has_visited and (visited or not has_home)

    def denied(self) -> str:
        if self._said.number(wimax.MIP_AUTHORIZATION_STATUS) == NOT_AUTHORIZED:
            return f"{wimax.MIP_AUTHORIZATION_STATUS} {NOT_AUTHORIZED}: AAA lets this node have no Mobile IP"
        return ""

    def nai(self) -> str | None:
        return self._said.text(wimax.PMIP_IDENTITY)

    def lmas(self) -> tuple[Ipv4, ...] | None:
        attribute = wimax.VHA_IP_MIP4 if self._visited else wimax.HHA_IP_MIP4
        return self._said.hosts(attribute, "of an LMA", but=_NONE) or None

    def mn_ha(self) -> tuple[int, Secret] | None:
        if self._visited:
            return self._said.key_and_spi(wimax.VHA_MIP4_KEY, wimax.VHA_MIP4_SPI)
        return self._said.key_and_spi(wimax.MN_HHA_MIP4_KEY, wimax.MN_HHA_MIP4_SPI)

    def fa_rk(self) -> RootKey | None:
        """No service rests on it: servers name its SPI without giving the key."""
        found = self._said.if_usable(partial(self._said.key_and_spi, wimax.FA_RK_KEY, wimax.FA_RK_SPI))
        return None if found is None else RootKey(*found)

    def home_address(self) -> Ipv4 | None:
        """Of the visited network's LMA; that of the home network's is in Framed-IP-Address."""
        return home_address_in(self._said, wimax.VISITED_FRAMED_IP_ADDRESS) if self._visited else None

    def dhcp_server(self) -> Ipv4 | None:
        return self._first(wimax.DHCPV4_SERVER) or self._first(wimax.DHCP_MSG_SERVER_IP)

    def name_servers(self) -> tuple[Ipv4, ...] | None:
        return self._said.hosts(wimax.DNS_SERVER, "of a name server", but=_NONE) or None

    def aaa_session_id(self) -> bytes | None:
        return self._said.one(wimax.AAA_SESSION_ID)

    def _first(self, attribute: Attribute) -> Ipv4 | None:
        found = self._said.hosts(attribute, "of a DHCP server", but=_NONE)
        return found[0] if found else None
