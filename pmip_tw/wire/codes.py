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
    2: "concurrent registration accepted beforehand",
    64: "foreign agent: reason unspecified",
    65: "foreign agent: administratively prohibited",
    66: "foreign agent: insufficient resources",
    67: "foreign agent: mobile node failed authentication",
    68: "foreign agent: home agent failed authentication",
    69: "foreign agent: requested lifetime too long",
    70: "foreign agent: poorly formed request",
    71: "foreign agent: poorly formed reply",
    72: "foreign agent: requested encapsulation unavailable",
    73: "foreign agent: reserved (Van Jacobson compression)",
    74: "foreign agent: requested reverse tunnel unavailable",
    75: "foreign agent: reverse tunnel mandatory",
    76: "foreign agent: mobile node too distant",
    77: "foreign agent: invalid care-of address",
    78: "foreign agent: registration timeout",
    79: "foreign agent: delivery style not supported",
    80: "home network unreachable",
    81: "home agent host unreachable",
    82: "home agent port unreachable",
    88: "home agent unreachable",
    89: "foreign agent: vendor-specific reason",
    90: "foreign agent: home agent address must not be zero",
    96: "foreign agent: home address must not be zero",
    97: "foreign agent: the home agent's reply has no NAI",
    98: "foreign agent: the home agent's reply names no home agent",
    99: "foreign agent: the home agent's reply names no home address",
    100: "foreign agent: critical vendor extension of the mobile node not understood",
    101: "foreign agent: critical vendor extension of the home agent not understood",
    104: "foreign agent: unknown challenge",
    105: "foreign agent: missing challenge",
    106: "foreign agent: stale challenge",
    107: "foreign agent: no key shared with the mobile node",
    108: "foreign agent: MN-AAA authenticator wrong",
    109: "foreign agent: the home agent returned a wrong challenge",
    110: "foreign agent: replay protection style unavailable",
    111: "foreign agent: care-of address must not be zero",
    112: "foreign agent: unknown gateway foreign agent",
    113: "gateway foreign agent unreachable",
    114: "gateway foreign agent host unreachable",
    115: "gateway foreign agent port unreachable",
    116: "foreign agent: the home agent address is its own",
    127: "foreign agent: experimental",
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
    145: "care-of address must not be zero",
    146: "dynamic gateway foreign agent not supported",
    147: "mobile network prefix operation failed",
    148: "mobile router operation not permitted",
    149: "proxy registration not supported",
    150: "proxy registration not allowed",
    151: "service not authorized",
    152: "multipath not allowed",
    153: "invalid binding identifier",
    192: "experimental",
    193: "gateway foreign agent: no home registration",
    194: "the home agent address is the foreign agent's own",
    201: "correspondent node: home nonce expired",
    202: "correspondent node: care-of nonce expired",
    203: "correspondent node: nonces expired",
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
