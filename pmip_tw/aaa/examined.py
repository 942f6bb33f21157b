"""What an access point says of a station when AAA accepts it there (AA27)."""

from msgspec import Struct

from pmip_tw.addresses import UNSPECIFIED, Ipv4


class Examined(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """``by_eap``: the station has proven who it is; if not, AAA knows its MAC, which anybody can use (AA24).

    ``called_station``: the access point's Called-Station-Id, mostly its MAC and its network, as it has written that
    (RFC 3580 3.20); empty if it did not. ``access_point``: from where it asks us, 0 if a former version wrote it down.
    """

    by_eap: bool = True
    called_station: bytes = b""
    access_point: Ipv4 = UNSPECIFIED
