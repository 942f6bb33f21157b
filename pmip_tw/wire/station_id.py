"""Calling-Station-Id as access points write it: a MAC in one of many spellings (RFC 3580 3.21)."""

import re

from pmip_tw.addresses import Mac, mac_text

_SPELLINGS = re.compile(
    rb"[0-9a-f]{12}"
    rb"|[0-9a-f]{2}(?P<pair>[-:. ])[0-9a-f]{2}(?:(?P=pair)[0-9a-f]{2}){4}"
    rb"|[0-9a-f]{4}(?P<four>[-:.])[0-9a-f]{4}(?P=four)[0-9a-f]{4}"
    rb"|[0-9a-f]{6}[-:][0-9a-f]{6}",
    re.IGNORECASE,
)
"""02-00-00-00-00-01 (RFC 3580), 02:00:00:00:00:01, 0200.0000.0001, 0200-0000-0001, 020000-000001, 020000000001."""


def station_of(text: bytes) -> Mac | None:
    """Whose MAC ``text`` is; None: nobody's, or a group's."""
    if not _SPELLINGS.fullmatch(text):
        return None
    mac = Mac(bytes.fromhex(re.sub(rb"[-:. ]", b"", text).decode()))
    return None if mac[0] & 1 or not any(mac) else mac


def station_id(mac: Mac) -> bytes:
    """As RFC 3580 3.21 has it."""
    return mac_text(mac, "-").upper().encode()
