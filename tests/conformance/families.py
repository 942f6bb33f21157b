"""The families of requirement ids: which ids there are, in the order of the pages."""

import re
from typing import Final

FAMILIES: Final = {
    "P": ("Proxy Mobile IPv4", 86),
    "E": ("Extensions", 6),
    "A": ("Authenticators", 4),
    "H": ("Checks of the home agent", 15),
    "I": ("Identification", 18),
    "L": ("Lifetimes and bindings", 8),
    "M": ("Replies at the requester", 8),
    "T": ("Tunnels", 10),
    "DY": ("Dynamic addresses and agents", 10),
    "HL": ("Home link", 4),
    "F": ("Foreign agent", 9),
    "N": ("NAT traversal", 59),
    "RV": ("Revocation", 42),
    "D": ("DHCP", 38),
    "AA": ("AAA", 27),
    "X": ("802.1X", 10),
    "V": ("VPN", 66),
}
"""Letters -> (what the family is about, its highest number); every number from 1 is an id."""

_ID: Final = re.compile(r"([A-Z]{1,2})([1-9]\d?)")


def is_id(text: str) -> bool:
    """True if ``text`` is an id of a family, in its range: "P34", never "P87" or "P34a"."""
    match = _ID.fullmatch(text)
    return match is not None and match[1] in FAMILIES and int(match[2]) <= FAMILIES[match[1]][1]


def all_ids() -> tuple[str, ...]:
    """Every id, by family and number."""
    return tuple(f"{family}{n}" for family, (_, last) in FAMILIES.items() for n in range(1, last + 1))
