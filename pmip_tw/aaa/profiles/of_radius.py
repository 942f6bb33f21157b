"""What the attributes of RADIUS itself say of a mobile node (RFC 2865 5, RFC 2869 5, RFC 4372)."""

from pmip_tw.aaa.dictionaries import standard
from pmip_tw.aaa.dictionaries.dictionary import Attribute
from pmip_tw.aaa.profiles.said import Said
from pmip_tw.aaa.profiles.source import Source
from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4, ipv4_text
from pmip_tw.errors import AccessDenied
from pmip_tw.wire.ipv4 import is_host_address

NAS_SELECTS = Ipv4(0xFFFFFFFE)
USER_SELECTS = ALL_ONES
"""Framed-IP-Address values that name no address (RFC 2865 5.8)."""

RADIUS_REQUEST = 1
"""Termination-Action: ask again when the session is over (RFC 2865 5.29)."""


class RadiusSource(Source):
    def __init__(self, said: Said) -> None:
        self._said = said

    def nai(self) -> str | None:
        """AA24: User-Name may be another one than was asked about."""
        return self._said.text(standard.USER_NAME)

    def home_address(self) -> Ipv4 | None:
        return home_address_in(self._said, standard.FRAMED_IP_ADDRESS)

    def framed_pool(self) -> bytes | None:
        return self._said.one(standard.FRAMED_POOL)

    def session_timeout(self) -> int | None:
        return self._said.number(standard.SESSION_TIMEOUT)

    def idle_timeout(self) -> int | None:
        return self._said.number(standard.IDLE_TIMEOUT)

    def interim_interval(self) -> int | None:
        return self._said.number(standard.ACCT_INTERIM_INTERVAL)

    def reauthenticate(self) -> bool | None:
        action = self._said.number(standard.TERMINATION_ACTION)
        return None if action is None else action == RADIUS_REQUEST

    def filter_ids(self) -> tuple[str, ...] | None:
        values = self._said.values(standard.FILTER_ID)
        try:
            return tuple(value.decode() for value in values) or None
        except UnicodeDecodeError:
            raise AccessDenied("Filter-Id of the Access-Accept is no UTF-8 text") from None

    def classes(self) -> tuple[bytes, ...] | None:
        return self._said.values(standard.CLASS) or None

    def chargeable_identity(self) -> bytes | None:
        return self._said.one(standard.CHARGEABLE_USER_IDENTITY)


def home_address_in(said: Said, attribute: Attribute) -> Ipv4 | None:
    """None also where the value leaves the choice to others: the LMA chooses."""
    found = said.addresses(attribute)
    if len(found) > 1:
        raise AccessDenied(
            f"the Access-Accept has {len(found)} values of {attribute}; which one is meant is unknown"
        )
    address = found[0] if found else UNSPECIFIED
    if address in (UNSPECIFIED, NAS_SELECTS, USER_SELECTS):
        return None
    if not is_host_address(address):
        raise AccessDenied(f"{attribute} {ipv4_text(address)} is no address for a mobile node")
    return address
