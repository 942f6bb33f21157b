"""A request for a pre-tunnel as the registration that it precedes: what judges those judges it, too (N48, N50)."""

from pmip_tw.wire.extension_fields import ExtensionFields
from pmip_tw.wire.extension_values import UdpTunnelRequest
from pmip_tw.wire.extensions import UDP_TUNNEL_REQUEST
from pmip_tw.wire.pretunnel import PreTunnelRequest
from pmip_tw.wire.registration import COLOCATED, GRE, MINIMAL, REVERSE_TUNNEL, RegistrationRequest

_BITS = {47: GRE, 55: MINIMAL}
"""It has no M and G bits: what 144 names counts for a tunnel without UDP as well."""


def as_registration(request: PreTunnelRequest, lifetime: int) -> RegistrationRequest:
    """``lifetime``: of the pre-tunnel, in seconds. D is set where 144 would stand before MN-HA only with it (N20)."""
    asked = request.udp_tunnel
    flags = REVERSE_TUNNEL
    if isinstance(asked, UdpTunnelRequest):
        flags |= _BITS.get(asked.encapsulation, 0)
    if UDP_TUNNEL_REQUEST not in request.agent_part:
        flags |= COLOCATED
    extensions = {name: getattr(request, name) for name in ExtensionFields.__struct_fields__}
    return RegistrationRequest(
        lifetime=lifetime,
        flags=flags,
        home_agent=request.home_agent,
        care_of_address=request.care_of_address,
        identification=request.identification,
        **extensions,
    )
