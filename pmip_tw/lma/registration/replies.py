"""The registration replies of an LMA (RFC 5944 3.8.3)."""

from pmip_tw.addresses import Ipv4
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration.commitment import Asked
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.effects import Send
from pmip_tw.mobility.tunnels import Tunnel
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extension_values import (
    REDIRECTED_HOME_AGENT,
    DynamicHomeAgent,
    MessageString,
    RevocationSupport,
    UdpTunnelReply,
)
from pmip_tw.wire.extensions import UDP_TUNNEL_REPLY, UDP_TUNNEL_REQUEST
from pmip_tw.wire.pretunnel import PreTunnelReply
from pmip_tw.wire.registration import RegistrationReply
from pmip_tw.wire.renewal import said_of

_LONGEST_TEXT = 254
"""Octets of a message string: what one extension has room for."""


def reply(
    asked: Asked,
    code: int,
    *,
    lifetime: int = 0,
    home_address: Ipv4 | None = None,
    identification: int | None = None,
    udp_tunnel: UdpTunnelReply | None = None,
    revocation: RevocationSupport | None = None,
    gre_key: int | None = None,
    dynamic_home_agent: DynamicHomeAgent | None = None,
    message: MessageString | None = None,
    further: tuple[bytes, ...] = (),
) -> Send:
    """The reply, to where the request came from (RFC 5944 3.8.3.1), signed with MN-HA, FA-HA or both (A1, A2).

    The full Identification is kept unless another is given (I7, I8). The NAI goes back as it came (RFC 2794 3),
    47/1 if the request had it (P11, P25), the challenge of a request with MN-AAA (RFC 4721 3.2), and 48 unless
    ``gre_key`` is another one (T5). 44, 48 and 137 stand on the side of MN-HA where the request had them (N22).
    ``further``: whole extensions, before MN-HA.
    """
    request = asked.request
    if asked.reply_type:
        return _pre_tunnel_reply(asked, code, identification, udp_tunnel, dynamic_home_agent, message)
    answer = RegistrationReply(
        code=code,
        lifetime=lifetime,
        home_address=request.home_address if home_address is None else home_address,
        home_agent=asked.local,
        identification=request.identification if identification is None else identification,
        draft03=request.draft03,
        nai=request.nai,
        per_node=request.per_node,
        challenge=request.challenge,
        dynamic_home_agent=dynamic_home_agent,
        gre_key=request.gre_key if gre_key is None else gre_key,
        udp_tunnel=udp_tunnel,
        revocation=revocation,
        message=message,
        agent_part=_agent_part(request.agent_part),
        unknown=further,
    )
    return Send(answer.encode(mn_ha=asked.association, fa_ha=asked.fa_ha), asked.source, asked.local)


def _pre_tunnel_reply(
    asked: Asked,
    code: int,
    identification: int | None,
    udp_tunnel: UdpTunnelReply | None,
    dynamic_home_agent: DynamicHomeAgent | None,
    message: MessageString | None,
) -> Send:
    """The same to a request for a pre-tunnel; it tells where that came from (N57)."""
    request = asked.request
    answer = PreTunnelReply(
        status=code,
        home_agent=asked.local,
        care_of_address=asked.source.address,
        identification=request.identification if identification is None else identification,
        draft03=request.draft03,
        nai=request.nai,
        per_node=request.per_node,
        challenge=request.challenge,
        dynamic_home_agent=dynamic_home_agent,
        udp_tunnel=udp_tunnel,
        message=message,
        agent_part=_agent_part(request.agent_part),
    )
    octets = answer.encode(asked.reply_type, mn_ha=asked.association, fa_ha=asked.fa_ha)
    return Send(octets, asked.source, asked.local)


def plain_acceptance(binding: Binding, code: int, local: Ipv4) -> bytes | None:
    """What ``acceptance`` says to the request that made ``binding``, at less cost; None: it has no ``form``."""
    terms, association = binding.terms, binding.association
    form = terms.form
    if form is None or association is None:
        return None
    unsigned = form.acceptance(
        binding.request,
        code,
        terms.lifetime,
        binding.home_address,
        local,
        said_of(terms.udp_reply, binding.own_timestamp, terms.inform),
    )
    return unsigned + association.sign(unsigned)


def acceptance(asked: Asked, binding: Binding, code: Code, *, lifetime: int) -> Send:
    """The reply that says ``binding`` is held for ``lifetime`` seconds more.

    137 if the request had it (RV3); 48 has the key for what comes up (T5).
    """
    return reply(
        asked,
        code,
        lifetime=lifetime,
        home_address=binding.home_address,
        udp_tunnel=binding.terms.udp_reply,
        revocation=None
        if binding.own_timestamp is None
        else RevocationSupport(binding.own_timestamp, binding.terms.inform),
        gre_key=binding.tunnel.key_in,
        further=binding.terms.host_configuration,
    )


def deregistration(asked: Asked, code: Code, home_address: Ipv4, ended: Tunnel | None) -> Send:
    """The reply that says there is no binding any more; it had the tunnel ``ended``."""
    gre_key = None if ended is None or asked.request.gre_key is None else ended.key_in
    return reply(asked, code, home_address=home_address, gre_key=gre_key)


def refusing(asked: Asked, refusal: Refusal, policy: LmaPolicy) -> Send:
    """The reply with a ``refusal``: with the home agent to ask instead (DY7), and the cause if it may be told."""
    redirect, message = None, None
    if refusal.redirect is not None:
        redirect = DynamicHomeAgent(REDIRECTED_HOME_AGENT, refusal.redirect, policy.drawn_redirects)
    if policy.explain_refusals:
        message = MessageString(refusal.cause.encode()[:_LONGEST_TEXT])
    return reply(asked, refusal.code, dynamic_home_agent=redirect, message=message)


def _agent_part(asked: frozenset[int]) -> frozenset[int]:
    """What the reply has after MN-HA: the same, with 44 for 144."""
    return asked if UDP_TUNNEL_REQUEST not in asked else asked - {UDP_TUNNEL_REQUEST} | {UDP_TUNNEL_REPLY}
