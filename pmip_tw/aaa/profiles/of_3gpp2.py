"""What the attributes of 3GPP2 say of a mobile node."""

from pmip_tw.aaa.dictionaries import of_3gpp2 as threegpp2
from pmip_tw.aaa.profiles.said import Said
from pmip_tw.aaa.profiles.source import Source
from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4
from pmip_tw.errors import AccessDenied
from pmip_tw.secret import Secret

_MAG_CHOOSES = frozenset({UNSPECIFIED, ALL_ONES})
_SIZE = 4


class ThreegppTwoSource(Source):
    def __init__(self, said: Said) -> None:
        self._said = said

    def lmas(self) -> tuple[Ipv4, ...] | None:
        """Several values are LMAs in the order of preference (P81); zero or all ones leave the choice to the MAG."""
        return self._said.hosts(threegpp2.HOME_AGENT_IP_ADDRESS, "of an LMA", but=_MAG_CHOOSES) or None

    def mn_ha(self) -> tuple[int, Secret] | None:
        return self._said.key_and_spi(threegpp2.MN_HA_SHARED_KEY, threegpp2.MN_HA_SPI)

    def lifetime(self) -> int | None:
        return mip_lifetime(self._said)

    def name_servers(self) -> tuple[Ipv4, ...] | None:
        found = self._said.sub_attributes(threegpp2.DNS_SERVER_IP_ADDRESS)
        named = [found[kind] for kind in (threegpp2.PRIMARY_DNS, threegpp2.SECONDARY_DNS) if kind in found]
        if any(len(value) != _SIZE for value in named):
            raise AccessDenied(f"a server in {threegpp2.DNS_SERVER_IP_ADDRESS} has not {_SIZE} octets")
        servers = [Ipv4(int.from_bytes(value, "big")) for value in named]
        return tuple(server for server in servers if server) or None

    def correlation_id(self) -> bytes | None:
        return self._said.one(threegpp2.CORRELATION_ID)


def mip_lifetime(said: Said) -> int | None:
    """Seconds to register for; also for an LMA.

    Whether the length octet counts the two octets before the value (6) or not (4) is read both ways: the value
    has 32 bits.
    """
    value = said.one(threegpp2.MIP_LIFETIME)
    if value is None:
        return None
    header = bytes((threegpp2.REGISTRATION_LIFETIME,))
    if len(value) == 2 + _SIZE and value[:1] == header and value[1] in (_SIZE, 2 + _SIZE):
        inner: bytes | None = value[2:]
    else:
        inner = said.sub_attributes(threegpp2.MIP_LIFETIME).get(threegpp2.REGISTRATION_LIFETIME)
    if inner is None:
        return None
    if len(inner) != _SIZE:
        raise AccessDenied(
            f"the lifetime in {threegpp2.MIP_LIFETIME} has {len(inner)} octets instead of {_SIZE}"
        )
    return int.from_bytes(inner, "big")
