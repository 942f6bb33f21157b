"""Which tunnel a request gets: what it asks for, what is offered, and what a NAT makes necessary."""

from functools import lru_cache

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.tunnels import Encapsulation, Tunnel
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extension_values import UdpTunnelReply, UdpTunnelRequest
from pmip_tw.wire.registration import COLOCATED, GRE, MINIMAL, RegistrationRequest

TUNNEL_DECLINED = 64

_PLAIN = Encapsulation.IP_IN_IP

_KEY_WITH_D = "a GRE key comes with the D bit, which gre_key_with_d does not allow (RFC 6245 4, T5)"


def tunnel_to(request: RegistrationRequest, source: Endpoint, policy: LmaPolicy) -> Tunnel | Refusal:
    """The tunnel to the MAG by the decision table N19, still without keys; ``source``: where the request came from."""
    asked = request.udp_tunnel if isinstance(request.udp_tunnel, UdpTunnelRequest) else None
    behind_nat = source.address != request.care_of_address
    if behind_nat and asked is None and policy.allow_relayed_colocated and request.flags & COLOCATED:
        return _direct(request, policy)  # as RFC 5944 has it, through a foreign agent (N18)
    if behind_nat and (asked is None or not policy.nat_traversal):
        return Refusal(
            Code.HA_ADMIN_PROHIBITED,
            f"the request for care-of address {ipv4_text(request.care_of_address)} came from "
            f"{ipv4_text(source.address)}: a NAT is in between and "
            + (
                "the MAG did not ask for UDP tunnelling (N18)"
                if asked is None
                else "nat_traversal is off (N19)"
            ),
        )
    if asked is None:
        return _direct(request, policy)
    if not behind_nat and not asked.forced:
        return _direct(request, policy)
    if not behind_nat and not (policy.nat_traversal and policy.forced_udp):
        return Refusal(
            Code.HA_ADMIN_PROHIBITED, "the MAG insists on UDP tunnelling, which forced_udp forbids (N19)"
        )
    return _in_udp(request, asked, source, policy)


def udp_reply(request: RegistrationRequest, tunnel: Tunnel, policy: LmaPolicy) -> UdpTunnelReply | None:
    """What the reply says of UDP to a request that got ``tunnel``; None: nothing, it was not asked for."""
    asked = request.udp_tunnel
    if not isinstance(asked, UdpTunnelRequest):
        return None
    if not tunnel.over_udp:
        return UdpTunnelReply(code=TUNNEL_DECLINED)
    return UdpTunnelReply(code=0, forced=asked.forced, keepalive_interval=policy.keepalive_interval)


def is_half_bound(request: RegistrationRequest) -> bool:
    """R: it came through a foreign agent that demanded that, so that its source is not the tunnel's other end (N24)."""
    asked = request.udp_tunnel
    return isinstance(asked, UdpTunnelRequest) and asked.via_foreign_agent


@lru_cache(maxsize=65536)
def direct_tunnel(local: Ipv4, remote: Ipv4, encapsulation: Encapsulation) -> Tunnel:
    """One object for all mobile nodes of a MAG."""
    return Tunnel(local=local, remote=remote, encapsulation=encapsulation)


def _direct(request: RegistrationRequest, policy: LmaPolicy) -> Tunnel | Refusal:
    encapsulation = _by_flags(request, policy)
    if encapsulation not in policy.encapsulations:
        return _not_offered(Code.HA_ENCAP_UNAVAIL, encapsulation.label, policy, "H11")
    if _key_is_forbidden(request, policy):
        return Refusal(Code.HA_ENCAP_UNAVAIL, _KEY_WITH_D)
    return direct_tunnel(policy.address, request.care_of_address, encapsulation)


def _in_udp(
    request: RegistrationRequest, asked: UdpTunnelRequest, source: Endpoint, policy: LmaPolicy
) -> Tunnel | Refusal:
    """144's encapsulation counts; if that is 0, the M and G bits (RFC 3519 3.1.4)."""
    if not source.port:
        return Refusal(Code.HA_ADMIN_PROHIBITED, "it came from port 0, to which no tunnel leads (N19)")
    inside = asked.encapsulation or _by_flags(request, policy)
    if inside not in policy.encapsulations:
        return _not_offered(Code.HA_UDP_ENCAP_UNAVAIL, f"encapsulation {inside} inside UDP", policy, "N19")
    if request.gre_key is not None and inside != Encapsulation.GRE:
        return Refusal(
            Code.HA_UDP_ENCAP_UNAVAIL, f"a GRE key comes with encapsulation {inside} inside UDP (T5, N19)"
        )
    if _key_is_forbidden(request, policy):
        return Refusal(Code.HA_UDP_ENCAP_UNAVAIL, _KEY_WITH_D)
    return Tunnel(
        local=policy.address,
        remote=source.address,
        remote_port=source.port,
        encapsulation=Encapsulation(inside),
    )


def _by_flags(request: RegistrationRequest, policy: LmaPolicy) -> Encapsulation:
    """What the M and G bits ask for; a GRE key says G (T5). Of both bits, what is offered."""
    flags = request.flags
    if not flags & (MINIMAL | GRE) and request.gre_key is None:
        return _PLAIN
    if request.gre_key is None and flags & MINIMAL:
        gre = flags & GRE and Encapsulation.GRE in policy.encapsulations
        return Encapsulation.GRE if gre else Encapsulation.MINIMAL
    return Encapsulation.GRE


def _key_is_forbidden(request: RegistrationRequest, policy: LmaPolicy) -> bool:
    return request.gre_key is not None and bool(request.flags & COLOCATED) and not policy.gre_key_with_d


def _not_offered(code: int, what: str, policy: LmaPolicy, rule: str) -> Refusal:
    offered = ", ".join(sorted(encapsulation.label for encapsulation in policy.encapsulations))
    return Refusal(code, f"{what} is asked for; encapsulations offers {offered} ({rule})")
