"""The capture's kernel filter (classic BPF): everything, but of bulk TCP only every sixteenth segment's headers.

A transfer through the tunnel would otherwise cost more to watch than to forward. The segments kept are those whose
IPv4 identification is a multiple of 16, so that one segment is kept at all taps or at none. SYN, FIN and RST always
are. Headers are assumed to be without IP options, as those of the laboratory's programs are.
"""

import struct
from typing import Final

SAMPLE: Final = 16
WHOLE: Final = 0xFFFF

_LOAD_HALF, _LOAD_BYTE = 0x28, 0x30
_AND = 0x54
_EQUAL, _MORE_THAN, _ANY_BIT = 0x15, 0x25, 0x45
_RETURN = 0x06

_LONGEST_BARE = 100
"""Octets of an IPv4 packet that is no more than a TCP acknowledgment."""

_ETHERNET, _IPV4, _UDP, _TUNNEL_DATA = 14, 20, 8, 4

Step = tuple[str, int, int, str, str]
"""Label, operation, operand, where to go if true, where to go if false; "" is the next step."""


def _tcp(label: str, at: int, *, every_segment: bool = False) -> list[Step]:
    """Judge the TCP segment whose IPv4 header begins at octet ``at``."""
    long_enough: list[Step] = [
        ("", _LOAD_HALF, at + 2, "", ""),
        ("", _MORE_THAN, _LONGEST_BARE, f"{label}-kept", ""),
    ]
    return [
        (label, _LOAD_BYTE, at + _IPV4 + 13, "", ""),
        ("", _ANY_BIT, 0x07, "whole", ""),
        *(long_enough if every_segment else ()),
        ("", _LOAD_HALF, at + 4, "", ""),
        ("", _AND, SAMPLE - 1, "", ""),
        ("", _EQUAL, 0, f"{label}-kept", "drop"),
        (f"{label}-kept", _RETURN, at + _IPV4 + 60, "", ""),
    ]


def _steps(*, every_segment: bool) -> list[Step]:
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
        *_tcp("plain", ip, every_segment=every_segment),
        *_tcp("in-ip", inner),
        *_tcp("in-udp", payload + _TUNNEL_DATA),
        ("whole", _RETURN, WHOLE, "", ""),
        ("drop", _RETURN, 0, "", ""),
    ]


def program(*, every_segment: bool = False) -> tuple[int, bytes]:
    """The number of instructions, and them as ``struct sock_filter`` has them.

    ``every_segment``: the headers of every TCP segment that carries data outside a tunnel are kept. On a mobile
    node's link that costs little, because its segments are not cut yet.
    """
    steps = _steps(every_segment=every_segment)
    places = {label: place for place, (label, *_) in enumerate(steps) if label}
    octets = b""
    for place, (_, operation, operand, true, false) in enumerate(steps):
        distances = [places[where] - place - 1 if where else 0 for where in (true, false)]
        octets += struct.pack("=HBBI", operation, *distances, operand)
    return len(steps), octets
