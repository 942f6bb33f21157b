"""Octets to the extensions of a registration message: the one pass over them."""

from struct import Struct

from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.authentication import read_authenticator
from pmip_tw.wire.extension_fields import ACCESS_TECHNOLOGY, ExtensionFields
from pmip_tw.wire.extension_values import INFORM, RevocationSupport
from pmip_tw.wire.extensions import (
    DYNAMIC_HOME_AGENT,
    FA_HA,
    FIRST_SKIPPABLE,
    GENERALIZED_AUTHENTICATION,
    HAS_LENGTH_OCTET,
    MAX_EXTENSIONS,
    MN_HA,
    NAI,
    PAD,
    PROXY_NON_SKIPPABLE,
    PROXY_SKIPPABLE,
    REVOCATION_SUPPORT,
    extent,
    walk,
)
from pmip_tw.wire.rare_extensions import Readers, keep, place

_REVOCATION_SUPPORT = Struct("!HI")

_AT_MOST = range(MAX_EXTENSIONS)

_ONLY_PROTECTED = frozenset({PROXY_NON_SKIPPABLE, DYNAMIC_HOME_AGENT, PROXY_SKIPPABLE})


def read_extensions(  # noqa: PLR0912 - one branch per extension, in one pass
    message: ExtensionFields, datagram: bytes, start: int, readers: Readers
) -> None:
    """Into ``message``, from octet ``start`` to the end; a WireError is about the first fault that there is.

    ``readers``: IN_REQUEST, IN_DRAFT03_REQUEST or IN_REPLY.
    """
    end = len(datagram)
    first = start
    signed = False
    for _ in _AT_MOST:
        if first == end:
            break
        kind = datagram[first]
        body = first + 2
        if HAS_LENGTH_OCTET[kind] and body <= end:
            after = body + datagram[first + 1]
            if after > end:
                raise Truncated(f"extension {kind} is longer than the message", first)
        else:
            body, after = extent(datagram, first, draft03=message.draft03)
        # What nearly every message has is read here, the first of each; all else by the reader of its type.
        if kind == NAI and not message.nai:
            if body == after:
                raise Malformed("the NAI is empty", first)
            if signed:
                # It says with whose key the authenticator was made, which must cover it (RFC 2794 2).
                raise Malformed("the NAI stands behind an authenticator", first)
            message.nai = datagram[body:after]
        elif kind == MN_HA and message.mn_ha is None:
            message.mn_ha = read_authenticator(datagram, first, body, after)
            signed = True
        elif kind == REVOCATION_SUPPORT and message.revocation is None:
            if after - body < _REVOCATION_SUPPORT.size:
                raise Malformed(f"revocation support of {after - body} octets instead of 6", first)
            # A longer one is a later version: its first six octets count (RFC 3543 3.2).
            flags, timestamp = _REVOCATION_SUPPORT.unpack_from(datagram, body)
            message.revocation = RevocationSupport(timestamp, flags & INFORM != 0)
            if signed:
                place(message, kind)
        elif (
            kind == PROXY_SKIPPABLE
            and after - body == 2
            and datagram[body] == ACCESS_TECHNOLOGY
            and message.access_technology is None
        ):
            message.access_technology = datagram[body + 1]
            if signed:
                place(message, kind)
        elif kind == FA_HA:
            message.fa_ha = read_authenticator(datagram, first, body, after)
            first = after
            break
        else:
            readers[kind](message, datagram, first, body, after)
            signed = signed or kind == GENERALIZED_AUTHENTICATION
        first = after
    if message.fa_ha is not None:
        if first != end:
            _read_behind_fa_ha(message, datagram, start, first)
    elif first != end:
        raise Malformed(f"more than {MAX_EXTENSIONS} extensions", first)
    elif message.agent_part and not message.agent_part.isdisjoint(_ONLY_PROTECTED):
        kinds = sorted(message.agent_part & _ONLY_PROTECTED)
        raise Malformed(f"extensions {kinds} stand where no authenticator covers them (P10)")


def _read_behind_fa_ha(message: ExtensionFields, datagram: bytes, start: int, behind: int) -> None:
    """From octet ``behind`` on. FA-HA is the last one: nothing covers what follows, so that none of it is believed."""
    for kind, first, body, after in walk(datagram, start, draft03=message.draft03):
        if first < behind:
            continue
        if kind in (MN_HA, FA_HA):
            message.repeated += (kind,)
        elif kind == PAD:
            keep(message, datagram, first, body, after)
        elif kind < FIRST_SKIPPABLE:
            raise Malformed(f"extension {kind} stands behind FA-HA", first)
