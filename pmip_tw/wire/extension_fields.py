"""The extensions of a registration message as the fields of one flat value, read in one pass."""

from collections.abc import Callable
from struct import Struct
from typing import ClassVar

import attrs

from pmip_tw.errors import Malformed, UnrecognizedNonSkippable
from pmip_tw.wire import extensions as ext
from pmip_tw.wire.authentication import (
    MN_AAA_SUBTYPE,
    Authenticator,
    Signs,
    append_signature,
    read_authenticator,
    write_authenticator,
)
from pmip_tw.wire.extension_values import (
    DynamicHomeAgent,
    MessageString,
    RevocationSupport,
    UdpTunnelReply,
    UdpTunnelRequest,
)

_KEY = Struct("!I")

ACCESS_TECHNOLOGY = 4
"""Sub-type of 147; 1-3 are identifiers (RFC 5563 5.2-5.5)."""

_SMALLEST_VENDOR = 10
"""Octets of a critical vendor extension without a value (RFC 3115 2.1)."""

PER_NODE_METHOD = 1
"""Sub-type of 47 (RFC 5563 5.1)."""

BY_FA_HA = (PER_NODE_METHOD, b"\1")
BY_IPSEC = (PER_NODE_METHOD, b"\2")
"""What ``per_node`` is for the two methods that there are."""

_DRAFT03_MODE = bytes((ext.PROXY_NON_SKIPPABLE, PER_NODE_METHOD))
"""The Mode extension of draft-leung-mip4-proxy-mode-03 5.1, in every message of its time."""

_EITHER_SIDE = frozenset(
    {
        ext.UDP_TUNNEL_REPLY,
        ext.PROXY_NON_SKIPPABLE,
        ext.GRE_KEY,
        ext.REVOCATION_SUPPORT,
        ext.DYNAMIC_HOME_AGENT,
        ext.UDP_TUNNEL_REQUEST,
        ext.MESSAGE_STRING,
        ext.PROXY_SKIPPABLE,
    }
)
_ONLY_PROTECTED = frozenset({ext.PROXY_NON_SKIPPABLE, ext.DYNAMIC_HOME_AGENT, ext.PROXY_SKIPPABLE})


@attrs.define(slots=True, kw_only=True)
class ExtensionFields:
    """The extensions of a registration message. None: not there.

    ``per_node``: (sub-type, data) of 47; ``identifiers``: (sub-type, data) of 147/1-3 in order; ``fa_error``: the
    status in 45 of a foreign agent that has a complaint about an answer (RFC 4636). ``agent_part``: which of 44, 47,
    48, 137, 139, 144, 145 and 147 stand after MN-HA (or MN-AAA), where a foreign agent puts its own and where only
    FA-HA protects them (N2, N3). ``unknown`` and ``trailing``: whole extensions that are not understood, pads included,
    before and after MN-HA (or MN-AAA). ``repeated``: types of which there was one more; the first one counts (E5).
    ``draft03``: 47 has the forms of draft-leung-mip4-proxy-mode-03, Mode included.
    """

    _not_here: ClassVar[frozenset[int]] = frozenset()
    """Known types that this message does not have: not understood, if they come nevertheless."""

    draft03: bool = False
    nai: bytes = b""
    per_node: tuple[int, bytes] | None = None
    identifiers: tuple[tuple[int, bytes], ...] = ()
    access_technology: int | None = None
    dynamic_home_agent: DynamicHomeAgent | None = None
    gre_key: int | None = None
    udp_tunnel: UdpTunnelRequest | UdpTunnelReply | None = None
    revocation: RevocationSupport | None = None
    challenge: bytes | None = None
    message: MessageString | None = None
    fa_error: int | None = None
    agent_part: frozenset[int] = frozenset()
    mn_ha: Authenticator | None = None
    mn_aaa: Authenticator | None = None
    fa_ha: Authenticator | None = None
    unknown: tuple[bytes, ...] = ()
    trailing: tuple[bytes, ...] = ()
    repeated: tuple[int, ...] = ()

    def _read(self, datagram: bytes, start: int) -> None:  # noqa: PLR0912 - one branch per extension, in one pass
        closed = False
        for span in ext.walk(datagram, start, draft03=self.draft03):
            kind, first, body, end = span
            if closed and kind != ext.PAD:
                self._read_behind_the_last(kind, first)
            elif kind == ext.NAI:
                self._read_nai(datagram[body:end], first)
            elif kind == ext.MN_HA:
                if self.mn_ha is None:
                    self.mn_ha = read_authenticator(datagram, span)
                else:
                    self.repeated += (kind,)
            elif kind == ext.PROXY_SKIPPABLE:
                self._read_identifier(datagram[body:end], datagram[first:end])
            elif kind == ext.REVOCATION_SUPPORT:
                if self.revocation is None:
                    self.revocation = RevocationSupport.decode(datagram[body:end])
                    self._place(kind)
                else:
                    self.repeated += (kind,)
            elif kind == ext.UDP_TUNNEL_REQUEST:
                self._read_tunnel_request(datagram[body:end], datagram[first:end])
            elif kind == ext.FA_HA:
                self.fa_ha = read_authenticator(datagram, span)
                closed = True
            else:
                self._read_rare(datagram, span)
        if self.fa_ha is None and not self.agent_part.isdisjoint(_ONLY_PROTECTED):
            kinds = sorted(self.agent_part & _ONLY_PROTECTED)
            raise Malformed(f"extensions {kinds} stand where no authenticator covers them (P10)")

    def _read_nai(self, nai: bytes, first: int) -> None:
        if not nai:
            raise Malformed("the NAI is empty", first)
        if self.nai:
            self.repeated += (ext.NAI,)
        elif self.mn_ha is not None or self.mn_aaa is not None:
            # It says with whose key the authenticator was made, which must cover it (RFC 2794 2).
            raise Malformed("the NAI stands behind an authenticator", first)
        else:
            self.nai = nai

    def _read_rare(self, datagram: bytes, span: ext.Span) -> None:
        """Of each the first counts (E5); what is not understood is kept as it is (E2)."""
        kind, first, body, end = span
        if self.draft03 and kind == ext.PROXY_NON_SKIPPABLE:
            if body != end:
                self.per_node = self.per_node or (datagram[first + 1], datagram[end - 1 : end])
                self._place(kind)
            return
        name, decode = _RARE.get(kind, ("", None))
        if decode is None:
            if kind == ext.CRITICAL_VENDOR and end - first < _SMALLEST_VENDOR:
                raise Malformed(f"critical vendor extension of {end - first} octets names no type", first)
            self._keep(datagram[first:end])
        elif kind in self._not_here:
            raise UnrecognizedNonSkippable(f"extension {kind} belongs into the other message", first)
        else:
            found = decode(datagram, span)
            if found is None:
                self._keep(datagram[first:end])
            elif getattr(self, name) is not None:
                self.repeated += (kind,)
            else:
                setattr(self, name, found)
                self._place(kind)

    def _read_behind_the_last(self, kind: int, first: int) -> None:
        """FA-HA is the last one: nothing covers what follows it, so that nothing there is believed or kept."""
        if kind in (ext.MN_HA, ext.FA_HA):
            self.repeated += (kind,)
        elif kind < ext.FIRST_SKIPPABLE:
            raise Malformed(f"extension {kind} stands behind FA-HA", first)

    def _read_identifier(self, data: bytes, whole: bytes) -> None:
        if len(data) == 2 and data[0] == ACCESS_TECHNOLOGY:
            if self.access_technology is None:
                self.access_technology = data[1]
            else:
                self.repeated += (ext.PROXY_SKIPPABLE,)
        elif len(data) > 1 and 1 <= data[0] < ACCESS_TECHNOLOGY:
            self.identifiers += ((data[0], data[1:]),)
        else:
            self._keep(whole)
            return
        self._place(ext.PROXY_SKIPPABLE)

    def _read_tunnel_request(self, data: bytes, whole: bytes) -> None:
        found = None if ext.UDP_TUNNEL_REQUEST in self._not_here else UdpTunnelRequest.decode(data)
        if found is None:
            self._keep(whole)
        elif self.udp_tunnel is not None:
            self.repeated += (ext.UDP_TUNNEL_REQUEST,)
        else:
            self.udp_tunnel = found
            self._place(ext.UDP_TUNNEL_REQUEST)

    def _place(self, kind: int) -> None:
        if (self.mn_ha is not None or self.mn_aaa is not None) and kind in _EITHER_SIDE:
            self.agent_part |= {kind}

    def _keep(self, whole: bytes) -> None:
        if self.mn_ha is None and self.mn_aaa is None:
            self.unknown += (whole,)
        else:
            self.trailing += (whole,)

    def _write(
        self,
        fixed: bytes,
        mn_ha: Signs | None,
        mn_aaa: Signs | None,
        fa_ha: Signs | None,
    ) -> bytes:
        parts = [fixed]
        if self.nai:
            parts.append(ext.simple(ext.NAI, self.nai))
        if self.draft03:
            parts.append(_DRAFT03_MODE)
        if self.per_node is not None:
            subtype, method = self.per_node
            if self.draft03:
                parts.append(bytes((ext.PROXY_NON_SKIPPABLE, subtype, 0)) + method)
            else:
                parts.append(ext.long(ext.PROXY_NON_SKIPPABLE, subtype, method))
        parts.extend(ext.simple(ext.PROXY_SKIPPABLE, bytes((sub,)) + data) for sub, data in self.identifiers)
        if self.access_technology is not None:
            parts.append(ext.simple(ext.PROXY_SKIPPABLE, bytes((ACCESS_TECHNOLOGY, self.access_technology))))
        if self.dynamic_home_agent is not None:
            parts.append(self.dynamic_home_agent.encode())
        agent_extensions = self._agent_extensions()
        parts += [whole for kind, whole in agent_extensions if kind not in self.agent_part]
        parts += self.unknown
        whole = _sign(b"".join(parts), ext.MN_HA, mn_ha, self.mn_ha)
        if self.challenge is not None:
            whole += ext.simple(ext.CHALLENGE, self.challenge)
        whole = _sign(whole, ext.GENERALIZED_AUTHENTICATION, mn_aaa, self.mn_aaa)
        whole += b"".join(part for kind, part in agent_extensions if kind in self.agent_part)
        if self.fa_error is not None:
            whole += ext.simple(ext.FA_ERROR, bytes((0, self.fa_error)))
        whole += b"".join(self.trailing)
        return _sign(whole, ext.FA_HA, fa_ha, self.fa_ha)

    def _agent_extensions(self) -> list[tuple[int, bytes]]:
        """Those that may stand on either side of MN-HA, each with its type."""
        parts = []
        if self.gre_key is not None:
            parts.append((ext.GRE_KEY, ext.long(ext.GRE_KEY, 0, _KEY.pack(self.gre_key))))
        if self.udp_tunnel is not None:
            encoded = self.udp_tunnel.encode()
            parts.append((encoded[0], encoded))
        if self.revocation is not None:
            parts.append((ext.REVOCATION_SUPPORT, self.revocation.encode()))
        if self.message is not None:
            parts.append((ext.MESSAGE_STRING, self.message.encode()))
        return parts


def _sign(unsigned: bytes, kind: int, association: Signs | None, received: Authenticator | None) -> bytes:
    if association is not None:
        return append_signature(unsigned, kind, association)
    return unsigned if received is None else write_authenticator(unsigned, kind, received)


def _per_node(datagram: bytes, span: ext.Span) -> tuple[int, bytes]:
    """Another sub-type than the method comes through: it is refused, not discarded (P26)."""
    _, first, body, end = span
    subtype = datagram[first + 1]
    if subtype == PER_NODE_METHOD and end - body != 1:
        raise Malformed(f"per-node authentication method of {end - body} octets instead of 1", first)
    return subtype, datagram[body:end]


def _gre_key(datagram: bytes, span: ext.Span) -> int:
    _, first, body, end = span
    if datagram[first + 1]:
        raise UnrecognizedNonSkippable(f"GRE key of sub-type {datagram[first + 1]}", first)
    if end - body != 4:
        raise Malformed(f"GRE key of {end - body} octets instead of 4", first)
    key: int = _KEY.unpack_from(datagram, body)[0]
    return key


def _mn_aaa(datagram: bytes, span: ext.Span) -> Authenticator:
    subtype = datagram[span[1] + 1]
    if subtype != MN_AAA_SUBTYPE:
        raise UnrecognizedNonSkippable(f"generalized authentication of sub-type {subtype}", span[1])
    return read_authenticator(datagram, span)


def _fa_error(datagram: bytes, span: ext.Span) -> int:
    _, first, body, end = span
    if end - body != 2:
        raise Malformed(f"FA error of {end - body} octets instead of 2", first)
    if datagram[body]:
        raise UnrecognizedNonSkippable(f"FA error of sub-type {datagram[body]}", first)
    return datagram[body + 1]


_RARE: dict[int, tuple[str, Callable[[bytes, ext.Span], object]]] = {
    ext.UDP_TUNNEL_REPLY: (
        "udp_tunnel",
        lambda octets, span: UdpTunnelReply.decode(octets[span[2] : span[3]]),
    ),
    ext.PROXY_NON_SKIPPABLE: ("per_node", _per_node),
    ext.GRE_KEY: ("gre_key", _gre_key),
    ext.GENERALIZED_AUTHENTICATION: ("mn_aaa", _mn_aaa),
    ext.CHALLENGE: ("challenge", lambda octets, span: octets[span[2] : span[3]]),
    ext.FA_ERROR: ("fa_error", _fa_error),
    ext.MESSAGE_STRING: ("message", lambda octets, span: MessageString.decode(octets[span[2] : span[3]])),
    ext.DYNAMIC_HOME_AGENT: (
        "dynamic_home_agent",
        lambda octets, span: DynamicHomeAgent.decode(octets[span[1] : span[3]]),
    ),
}
"""Type -> (field, decoder; None from it: not understood)."""
