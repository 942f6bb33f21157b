"""What only some bindings have, for operators: address space, access technology, identifiers (P12)."""

from pmip_tw.agents.rows.tables import Row
from pmip_tw.lma.bindings import Binding

INTERFACE, DEVICE, SUBSCRIBER = 1, 2, 3
"""Sub-types of 147 (RFC 5563 5.2-5.4)."""

_DEVICES = {1: "mac", 2: "meid", 3: "imei", 4: "esn"}
_SUBSCRIBERS = {1: "imsi"}

_TECHNOLOGIES = {
    1: "802.3",
    2: "802.11",
    3: "802.16e",
    4: "802.16m",
    5: "e-utran",
    6: "utran",
    7: "hrpd",
    8: "umb",
}
"""RFC 5563 5.5."""


def particulars(binding: Binding) -> Row:
    """Nothing for most bindings. Octets of identifiers are opaque: hexadecimal, and as text if they look like one."""
    row: Row = {}
    if binding.domain:
        row["domain"] = binding.domain
    if binding.tunnel.key_in is not None:
        row["key_up"], row["key_down"] = binding.tunnel.key_in, binding.tunnel.key_out
    if binding.terms.access_technology is not None:
        number = binding.terms.access_technology
        row["technology"] = _TECHNOLOGIES.get(number, str(number))
    for subtype, data in binding.terms.identifiers:
        if subtype == INTERFACE:
            row["interface_id"] = _opaque(data)
        elif subtype == DEVICE:
            row["device_id"] = _kind(_DEVICES, data) + _opaque(data[1:])
        elif subtype == SUBSCRIBER:
            row["subscriber_id"] = _kind(_SUBSCRIBERS, data) + _opaque(data[1:])
    return row


def _kind(kinds: dict[int, str], data: bytes) -> str:
    number = data[0] if data else 0
    return kinds.get(number, f"type {number}") + " "


def _opaque(data: bytes) -> str:
    text = data.decode("ascii", errors="replace")
    looks_like_text = len(data) > 1 and text.isascii() and text.isprintable()
    return f"{data.hex()} ({text})" if looks_like_text else data.hex()
