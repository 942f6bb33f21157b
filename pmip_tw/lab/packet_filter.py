"""The capture's kernel filter (classic BPF): everything, but of TCP the headers, and of bulk TCP a sample of those.

A transfer at full speed would otherwise cost more to watch than to forward. Bulk is what goes to or from
``BULK_PORT``. Of its segments those are kept whose IPv4 identification is a multiple of 16, so that one segment is
kept at all taps or at none; SYN, FIN and RST always are. Headers are assumed to be without IP options, as those of
the laboratory's programs are.
"""

import struct
from typing import Final

BULK_PORT: Final = 5202
SAMPLE: Final = 16
WHOLE: Final = 0xFFFF

_LOAD_HALF, _LOAD_BYTE = 0x28, 0x30
_AND = 0x54
_EQUAL, _ANY_BIT = 0x15, 0x45
_RETURN = 0x06

_ETHERNET, _IPV4, _UDP, _TUNNEL_DATA = 14, 20, 8, 4

Step = tuple[str, int, int, str, str]
"""Label, operation, operand, where to go if true, where to go if false; "" is the next step."""


def _tcp(label: str, at: int) -> list[Step]:
    """Judge the TCP segment whose IPv4 header begins at octet ``at``."""
    tcp = at + _IPV4
    return [
        (label, _LOAD_HALF, tcp, "", ""),
        ("", _EQUAL, BULK_PORT, f"{label}-bulk", ""),
        ("", _LOAD_HALF, tcp + 2, "", ""),
        ("", _EQUAL, BULK_PORT, f"{label}-bulk", f"{label}-kept"),
        (f"{label}-bulk", _LOAD_BYTE, tcp + 13, "", ""),
        ("", _ANY_BIT, 0x07, "whole", ""),
        ("", _LOAD_HALF, at + 4, "", ""),
        ("", _AND, SAMPLE - 1, "", ""),
        ("", _EQUAL, 0, f"{label}-kept", "drop"),
        (f"{label}-kept", _RETURN, tcp + 60, "", ""),
    ]


def _steps() -> list[Step]:
    ip = _ETHERNET
    inner = ip + _IPV4
    payload = ip + _IPV4 + _UDP
    return [
        ("", _LOAD_HALF, 12, "", ""),
        ("", _EQUAL, 0x0800, "", "whole"),
        ("", _LOAD_BYTE, ip + 9, "", ""),
        ("", _EQUAL, 6, "plain", ""),
        ("", _EQUAL, 4, "ip-in-ip", ""),
        ("", _EQUAL, 17, "", "whole"),
        # A later fragment has no ports.
        ("", _LOAD_HALF, ip + 6, "", ""),
        ("", _ANY_BIT, 0x1FFF, "whole", ""),
        ("", _LOAD_HALF, ip + _IPV4, "", ""),
        ("", _EQUAL, 434, "port-434", ""),
        ("", _LOAD_HALF, ip + _IPV4 + 2, "", ""),
        ("", _EQUAL, 434, "port-434", "whole"),
        ("port-434", _LOAD_BYTE, payload, "", ""),
        ("", _EQUAL, 4, "", "whole"),
        ("", _LOAD_BYTE, payload + _TUNNEL_DATA + 9, "", ""),
        ("", _EQUAL, 6, "in-udp", "whole"),
        ("ip-in-ip", _LOAD_BYTE, inner + 9, "", ""),
        ("", _EQUAL, 6, "in-ip", "whole"),
        *_tcp("plain", ip),
        *_tcp("in-ip", inner),
        *_tcp("in-udp", payload + _TUNNEL_DATA),
        ("whole", _RETURN, WHOLE, "", ""),
        ("drop", _RETURN, 0, "", ""),
    ]


def program() -> tuple[int, bytes]:
    """The number of instructions, and them as ``struct sock_filter`` has them."""
    steps = _steps()
    places = {label: place for place, (label, *_) in enumerate(steps) if label}
    octets = b""
    for place, (_, operation, operand, true, false) in enumerate(steps):
        distances = [places[where] - place - 1 if where else 0 for where in (true, false)]
        octets += struct.pack("=HBBI", operation, *distances, operand)
    return len(steps), octets
