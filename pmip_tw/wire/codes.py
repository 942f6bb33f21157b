"""Reply codes of a registration (IANA Mobile IPv4 numbers) and message types of UDP port 434."""

from enum import IntEnum


class MessageType(IntEnum):
    """The first octet of a datagram of port 434 (IANA Mobile IPv4 numbers)."""

    REGISTRATION_REQUEST = 1
    REGISTRATION_REPLY = 3
    TUNNEL_DATA = 4
    REVOCATION = 7
    REVOCATION_ACK = 15


class Code(IntEnum):
    """What a registration reply says. A value on the wire may be outside this list: compare numbers."""

    ACCEPTED = 0
    ACCEPTED_NO_SIMULTANEOUS = 1
    FA_ADMIN_PROHIBITED = 65
    FA_LIFETIME_TOO_LONG = 69
    FA_ENCAP_UNAVAIL = 72
    HA_UNSPECIFIED = 128
    HA_ADMIN_PROHIBITED = 129
    HA_RESOURCES = 130
    HA_MN_AUTH = 131
    HA_FA_AUTH = 132
    HA_ID_MISMATCH = 133
    HA_MALFORMED_REQUEST = 134
    HA_TOO_MANY_BINDINGS = 135
    HA_UNKNOWN_ADDRESS = 136
    HA_REVERSE_UNAVAIL = 137
    HA_REVERSE_MANDATORY = 138
    HA_ENCAP_UNAVAIL = 139
    HA_CVSE_FROM_MN = 140
    HA_CVSE_FROM_FA = 141
    HA_UDP_ENCAP_UNAVAIL = 142
    REDIRECT_HA_REQ = 143
    HA_BAD_AAA_AUTH = 144
    PMIP_UNSUPPORTED = 149
    PMIP_DISALLOWED = 150


MEANINGS = {
    0: "accepted",
    1: "accepted, no simultaneous bindings",
    64: "foreign agent: reason unspecified",
    65: "foreign agent: administratively prohibited",
    66: "foreign agent: insufficient resources",
    67: "foreign agent: mobile node failed authentication",
    68: "foreign agent: home agent failed authentication",
    69: "foreign agent: requested lifetime too long",
    70: "foreign agent: poorly formed request",
    71: "foreign agent: poorly formed reply",
    72: "foreign agent: requested encapsulation unavailable",
    74: "foreign agent: requested reverse tunnel unavailable",
    75: "foreign agent: reverse tunnel mandatory",
    76: "foreign agent: mobile node too distant",
    77: "foreign agent: invalid care-of address",
    78: "foreign agent: registration timeout",
    80: "home network unreachable",
    81: "home agent host unreachable",
    82: "home agent port unreachable",
    88: "home agent unreachable",
    128: "reason unspecified",
    129: "administratively prohibited",
    130: "insufficient resources",
    131: "mobile node failed authentication",
    132: "foreign agent failed authentication",
    133: "registration identification mismatch",
    134: "poorly formed request",
    135: "too many simultaneous bindings",
    136: "unknown home agent address",
    137: "requested reverse tunnel unavailable",
    138: "reverse tunnel is mandatory",
    139: "requested encapsulation unavailable",
    140: "critical vendor extension not understood",
    141: "critical vendor extension from the foreign agent not understood",
    142: "requested UDP tunnel encapsulation unavailable",
    143: "register with the redirected home agent",
    144: "MN-AAA authenticator wrong",
    149: "proxy registration not supported",
    150: "proxy registration not allowed",
}


def meaning(code: int) -> str:
    """A reply code for a person: ``129 administratively prohibited``."""
    return f"{code} {MEANINGS.get(code, 'unassigned code')}"


def is_foreign_agents(code: int) -> bool:
    """Whether a foreign agent refuses with ``code``, which it cannot prove (RFC 5944 3.4)."""
    return 64 <= code < 128


def accepts(code: int) -> bool:
    """Whether a reply with ``code`` accepts; 0 and 1 do (RFC 5944 3.4)."""
    return code <= Code.ACCEPTED_NO_SIMULTANEOUS
