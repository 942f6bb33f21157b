"""What each type of extension does to a registration message, but for the usual ones, which the pass itself reads.

A reader of a type gets the message so far, the datagram, and where the extension lies: its first octet, the first one
of its data, and the octet after its last.
"""

from collections.abc import Callable
from struct import Struct

from pmip_tw.errors import Malformed, UnrecognizedNonSkippable
from pmip_tw.wire.authentication import MN_AAA_SUBTYPE, Authenticator, read_authenticator
from pmip_tw.wire.extension_fields import ACCESS_TECHNOLOGY, PER_NODE_METHOD, ExtensionFields
from pmip_tw.wire.extension_values import DynamicHomeAgent, MessageString, UdpTunnelReply, UdpTunnelRequest
from pmip_tw.wire.extensions import (
    CHALLENGE,
    CRITICAL_VENDOR,
    DYNAMIC_HOME_AGENT,
    FA_ERROR,
    GENERALIZED_AUTHENTICATION,
    GRE_KEY,
    MESSAGE_STRING,
    MN_HA,
    NAI,
    PROXY_NON_SKIPPABLE,
    PROXY_SKIPPABLE,
    REVOCATION_SUPPORT,
    UDP_TUNNEL_REPLY,
    UDP_TUNNEL_REQUEST,
)

Reader = Callable[[ExtensionFields, bytes, int, int, int], None]
Readers = tuple[Reader, ...]
"""By type, 0-255."""

_KEY = Struct("!I")

_SMALLEST_VENDOR = 10
"""Octets of a critical vendor extension without a value (RFC 3115 2.1)."""

# What becomes of an extension that is in its place, and of one that is not understood.


def place(message: ExtensionFields, kind: int) -> None:
    if message.mn_ha is not None or message.mn_aaa is not None:
        message.agent_part |= {kind}


def keep(message: ExtensionFields, datagram: bytes, first: int, body: int, after: int) -> None:
    """What is not understood stays as it is (E2)."""
    if message.mn_ha is None and message.mn_aaa is None:
        message.unknown += (datagram[first:after],)
    else:
        message.trailing += (datagram[first:after],)


def _keep_critical(message: ExtensionFields, datagram: bytes, first: int, body: int, after: int) -> None:
    if after - first < _SMALLEST_VENDOR:
        raise Malformed(f"critical vendor extension of {after - first} octets names no type", first)
    keep(message, datagram, first, body, after)


# What some messages have.


def _proxy_skippable(message: ExtensionFields, datagram: bytes, first: int, body: int, after: int) -> None:
    """An identifier, or one more access technology."""
    size = after - body
    subtype = datagram[body] if size > 1 else 0
    if 0 < subtype < ACCESS_TECHNOLOGY:
        message.identifiers += ((subtype, datagram[body + 1 : after]),)
    elif subtype == ACCESS_TECHNOLOGY and size == 2:
        message.repeated += (PROXY_SKIPPABLE,)
    else:
        keep(message, datagram, first, body, after)
        return
    place(message, PROXY_SKIPPABLE)


# What few messages have: a value, of which the first counts (E5); None: it is not understood.

Value = Callable[[bytes, int, int, int], object]
"""(datagram, first octet, first of the data, octet after the last) -> what becomes of the field."""


def _once(field: str, value: Value, *, either_side: bool = False) -> Reader:
    """``either_side``: either agent may add it, before or behind MN-HA."""

    def read(message: ExtensionFields, datagram: bytes, first: int, body: int, after: int) -> None:
        found = value(datagram, first, body, after)
        if found is None:
            keep(message, datagram, first, body, after)
        elif getattr(message, field) is not None:
            message.repeated += (datagram[first],)
        else:
            setattr(message, field, found)
            if either_side:
                place(message, datagram[first])

    return read


def _per_node(datagram: bytes, first: int, body: int, after: int) -> tuple[int, bytes]:
    """Another sub-type than the method comes through: it is refused, not discarded (P26)."""
    subtype = datagram[first + 1]
    if subtype == PER_NODE_METHOD and after - body != 1:
        raise Malformed(f"per-node authentication method of {after - body} octets instead of 1", first)
    return subtype, datagram[body:after]


def _draft03_per_node(message: ExtensionFields, datagram: bytes, first: int, body: int, after: int) -> None:
    """Mode, which says nothing more, or Authentication Method with 0, 1 or 0, 2 as its data."""
    if body != after:
        message.per_node = message.per_node or (datagram[first + 1], datagram[after - 1 : after])
        place(message, PROXY_NON_SKIPPABLE)


def _gre_key(datagram: bytes, first: int, body: int, after: int) -> int:
    if datagram[first + 1]:
        raise UnrecognizedNonSkippable(f"GRE key of sub-type {datagram[first + 1]}", first)
    if after - body != 4:
        raise Malformed(f"GRE key of {after - body} octets instead of 4", first)
    key: int = _KEY.unpack_from(datagram, body)[0]
    return key


def _mn_aaa(datagram: bytes, first: int, body: int, after: int) -> Authenticator:
    subtype = datagram[first + 1]
    if subtype != MN_AAA_SUBTYPE:
        raise UnrecognizedNonSkippable(f"generalized authentication of sub-type {subtype}", first)
    return read_authenticator(datagram, first, body, after)


def _fa_error(datagram: bytes, first: int, body: int, after: int) -> int:
    if after - body != 2:
        raise Malformed(f"FA error of {after - body} octets instead of 2", first)
    if datagram[body]:
        raise UnrecognizedNonSkippable(f"FA error of sub-type {datagram[body]}", first)
    return datagram[body + 1]


# What does not belong where it is.


def _of_the_other_message(
    message: ExtensionFields, datagram: bytes, first: int, body: int, after: int
) -> None:
    raise UnrecognizedNonSkippable(f"extension {datagram[first]} belongs into the other message", first)


def _again(message: ExtensionFields, datagram: bytes, first: int, body: int, after: int) -> None:
    """The first was read, and counts (E5)."""
    message.repeated += (datagram[first],)


def _nai_again(message: ExtensionFields, datagram: bytes, first: int, body: int, after: int) -> None:
    if body == after:
        raise Malformed("the NAI is empty", first)
    message.repeated += (NAI,)


def _by_type(readers: dict[int, Reader]) -> Readers:
    return tuple(readers.get(kind, keep) for kind in range(256))


_IN_BOTH: dict[int, Reader] = {
    NAI: _nai_again,
    MN_HA: _again,
    REVOCATION_SUPPORT: _again,
    PROXY_SKIPPABLE: _proxy_skippable,
    CRITICAL_VENDOR: _keep_critical,
    PROXY_NON_SKIPPABLE: _once("per_node", _per_node, either_side=True),
    GRE_KEY: _once("gre_key", _gre_key, either_side=True),
    GENERALIZED_AUTHENTICATION: _once("mn_aaa", _mn_aaa),
    CHALLENGE: _once("challenge", lambda octets, first, body, after: octets[body:after]),
    MESSAGE_STRING: _once(
        "message",
        lambda octets, first, body, after: MessageString.decode(octets[body:after]),
        either_side=True,
    ),
    DYNAMIC_HOME_AGENT: _once(
        "dynamic_home_agent",
        lambda octets, first, body, after: DynamicHomeAgent.decode(octets[first:after]),
        either_side=True,
    ),
}
_ONLY_IN_REQUEST: dict[int, Reader] = {
    UDP_TUNNEL_REQUEST: _once(
        "udp_tunnel",
        lambda octets, first, body, after: UdpTunnelRequest.decode(octets[body:after]),
        either_side=True,
    ),
    UDP_TUNNEL_REPLY: _of_the_other_message,
    FA_ERROR: _of_the_other_message,
}
_ONLY_IN_REPLY: dict[int, Reader] = {
    UDP_TUNNEL_REPLY: _once(
        "udp_tunnel",
        lambda octets, first, body, after: UdpTunnelReply.decode(octets[body:after]),
        either_side=True,
    ),
    FA_ERROR: _once("fa_error", _fa_error),
}

IN_REQUEST = _by_type(_IN_BOTH | _ONLY_IN_REQUEST)
IN_DRAFT03_REQUEST = _by_type(_IN_BOTH | _ONLY_IN_REQUEST | {PROXY_NON_SKIPPABLE: _draft03_per_node})
IN_REPLY = _by_type(_IN_BOTH | _ONLY_IN_REPLY)
