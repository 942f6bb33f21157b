"""The registration replies of an LMA (RFC 5944 3.8.3)."""

from pmip_tw.addresses import Ipv4
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.commitment import Asked
from pmip_tw.mobility.effects import Send
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelReply
from pmip_tw.wire.extensions import UDP_TUNNEL_REPLY, UDP_TUNNEL_REQUEST
from pmip_tw.wire.registration import RegistrationReply


def reply(
    asked: Asked,
    code: int,
    *,
    lifetime: int = 0,
    home_address: Ipv4 | None = None,
    identification: int | None = None,
    udp_tunnel: UdpTunnelReply | None = None,
    revocation: RevocationSupport | None = None,
) -> Send:
    """The reply, to where the request came from (RFC 5944 3.8.3.1), signed with MN-HA, FA-HA or both (A1, A2).

    The full Identification is kept unless another is given (I7, I8). The NAI goes back as it came (RFC 2794 3),
    47/1 if the request had it (P11, P25), and the challenge
    of a request with MN-AAA (RFC 4721 3.2). 44 and 137 stand on the side of MN-HA where the request had them (N22).
    """
    request = asked.request
    message = RegistrationReply(
        code=code,
        lifetime=lifetime,
        home_address=request.home_address if home_address is None else home_address,
        home_agent=asked.local,
        identification=request.identification if identification is None else identification,
        nai=request.nai,
        per_node=request.per_node,
        challenge=request.challenge,
        udp_tunnel=udp_tunnel,
        revocation=revocation,
        agent_part=_agent_part(request.agent_part),
    )
    return Send(message.encode(mn_ha=asked.association, fa_ha=asked.fa_ha), asked.source, asked.local)


def acceptance(asked: Asked, binding: Binding, *, lifetime: int, udp_tunnel: UdpTunnelReply | None) -> Send:
    """The reply that says ``binding`` is held for ``lifetime`` seconds more.

    Code 1 whatever the S bit says: simultaneous bindings are not supported (L3, L4). 137 if the request had it (RV3).
    """
    revocation = binding.revocation
    return reply(
        asked,
        Code.ACCEPTED_NO_SIMULTANEOUS,
        lifetime=lifetime,
        home_address=binding.home_address,
        udp_tunnel=udp_tunnel,
        revocation=None
        if revocation is None
        else RevocationSupport(revocation.own_timestamp, revocation.inform),
    )


def _agent_part(asked: frozenset[int]) -> frozenset[int]:
    """What the reply has after MN-HA: the same, with 44 for 144."""
    return asked if UDP_TUNNEL_REQUEST not in asked else asked - {UDP_TUNNEL_REQUEST} | {UDP_TUNNEL_REPLY}
