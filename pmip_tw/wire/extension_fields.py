"""The extensions of a registration message as the fields of one flat value, read in one pass."""

from struct import Struct

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
    RevocationSupport,
    UdpTunnelReply,
    UdpTunnelRequest,
)

_KEY = Struct("!I")

ACCESS_TECHNOLOGY = 4
"""Sub-type of 147; 1-3 are identifiers (RFC 5563 5.2-5.5)."""


@attrs.define(slots=True, kw_only=True)
class ExtensionFields:
    """The extensions of a registration message. None: not there.

    ``per_node``: (sub-type, data) of 47; ``identifiers``: (sub-type, data) of 147/1-3 in order;
    ``agent_part``: which of 44, 48, 137 and 144 stand after MN-HA, where a foreign agent puts its own
    (N2, N3). ``unknown`` and ``trailing``: whole extensions that are not understood,
    pads included, before and after the first authenticator. ``repeated``: types that occurred twice (E5).
    """

    nai: bytes = b""
    per_node: tuple[int, bytes] | None = None
    identifiers: tuple[tuple[int, bytes], ...] = ()
    access_technology: int | None = None
    dynamic_home_agent: DynamicHomeAgent | None = None
    gre_key: int | None = None
    udp_tunnel: UdpTunnelRequest | UdpTunnelReply | None = None
    revocation: RevocationSupport | None = None
    challenge: bytes | None = None
    agent_part: frozenset[int] = frozenset()
    mn_ha: Authenticator | None = None
    mn_aaa: Authenticator | None = None
    fa_ha: Authenticator | None = None
    unknown: tuple[bytes, ...] = ()
    trailing: tuple[bytes, ...] = ()
    repeated: tuple[int, ...] = ()

    def _read(self, datagram: bytes, start: int) -> None:  # noqa: PLR0912 - one branch per extension, in one pass
        for span in ext.walk(datagram, start):
            kind, first, body, end = span
            if kind == ext.NAI:
                if not self.nai:
                    self.nai = datagram[body:end]
                    if not self.nai:
                        raise Malformed("the NAI is empty", first)
                else:
                    self.repeated += (kind,)
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
            elif kind == ext.UDP_TUNNEL_REQUEST:
                self._read_tunnel_request(datagram[body:end], datagram[first:end])
            elif kind == ext.UDP_TUNNEL_REPLY:
                self.udp_tunnel = UdpTunnelReply.decode(datagram[body:end])
                self._place(kind)
            elif kind == ext.FA_HA:
                if self.fa_ha is None:
                    self.fa_ha = read_authenticator(datagram, span)
                else:
                    self.repeated += (kind,)
            elif kind == ext.PROXY_NON_SKIPPABLE:
                self.per_node = self.per_node or (datagram[first + 1], datagram[body:end])
            elif kind == ext.GRE_KEY:
                if end - body != 4 or datagram[first + 1]:
                    raise Malformed("GRE key of an unknown form", first)
                self.gre_key = _KEY.unpack_from(datagram, body)[0]
                self._place(kind)
            elif kind == ext.GENERALIZED_AUTHENTICATION:
                if datagram[first + 1] != MN_AAA_SUBTYPE:
                    raise UnrecognizedNonSkippable(f"extension 36 of sub-type {datagram[first + 1]}", first)
                self.mn_aaa = self.mn_aaa or read_authenticator(datagram, span)
            elif kind == ext.CHALLENGE:
                self.challenge = datagram[body:end]
            elif kind == ext.DYNAMIC_HOME_AGENT:
                self.dynamic_home_agent = DynamicHomeAgent.decode(datagram[first:end])
            else:
                self._keep(datagram[first:end])

    def _read_identifier(self, data: bytes, whole: bytes) -> None:
        if len(data) == 2 and data[0] == ACCESS_TECHNOLOGY:
            self.access_technology = data[1]
        elif len(data) > 1 and 1 <= data[0] < ACCESS_TECHNOLOGY:
            self.identifiers += ((data[0], data[1:]),)
        else:
            self._keep(whole)

    def _read_tunnel_request(self, data: bytes, whole: bytes) -> None:
        found = UdpTunnelRequest.decode(data)
        if found is None:
            self._keep(whole)
        else:
            self.udp_tunnel = found
            self._place(ext.UDP_TUNNEL_REQUEST)

    def _place(self, kind: int) -> None:
        if self.mn_ha is not None:
            self.agent_part |= {kind}

    def _keep(self, whole: bytes) -> None:
        if self.mn_ha is None and self.fa_ha is None:
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
        if self.per_node is not None:
            parts.append(ext.long(ext.PROXY_NON_SKIPPABLE, *self.per_node))
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
        return parts


def _sign(unsigned: bytes, kind: int, association: Signs | None, received: Authenticator | None) -> bytes:
    if association is not None:
        return append_signature(unsigned, kind, association)
    return unsigned if received is None else write_authenticator(unsigned, kind, received)
