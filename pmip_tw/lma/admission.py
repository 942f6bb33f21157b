"""Whether an authentic request with a valid Identification is accepted: the checks of RFC 5944 3.8.2
from H8 on, with those of RFC 3519 (N18-N22) and RFC 5563 (P26-P30) in their places.
"""

import attrs

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Endpoint, Ipv4, ipv4_text
from pmip_tw.lma.bindings import Binding, Place
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.mobility.tunnels import Encapsulation, Tunnel
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extension_values import UdpTunnelReply, UdpTunnelRequest
from pmip_tw.wire.extensions import CRITICAL_VENDOR, UDP_TUNNEL_REQUEST
from pmip_tw.wire.registration import COLOCATED, GRE, MINIMAL, REVERSE_TUNNEL, RegistrationRequest

RESERVED_BITS = 0x05
TUNNEL_DECLINED = 64


@attrs.frozen(slots=True)
class Refusal:
    """``code`` for the reply; ``cause`` in words for a person."""

    code: int
    cause: str


@attrs.frozen(slots=True)
class Path:
    """How packets reach the MAG: the tunnel, and what the reply says about tunnelling in UDP (None: nothing)."""

    tunnel: Tunnel
    udp_reply: UdpTunnelReply | None


def message_refusal(request: RegistrationRequest, policy: LmaPolicy) -> Refusal | None:
    """What is wrong with a request of any lifetime, whoever sends it; None if nothing."""
    if request.home_agent != policy.address:
        return Refusal(
            Code.HA_UNKNOWN_ADDRESS,
            f"the request is for home agent {ipv4_text(request.home_agent)}; "
            f"this one is {ipv4_text(policy.address)} (H8)",
        )
    if policy.strict_reserved_bits and request.flags & RESERVED_BITS:
        return Refusal(Code.HA_MALFORMED_REQUEST, f"reserved bits are set: flags {request.flags:#04x} (H9)")
    if request.mn_ha is not None and request.udp_tunnel is not None:
        colocated = bool(request.flags & COLOCATED)
        after = UDP_TUNNEL_REQUEST in request.agent_part
        if colocated == after:
            place = "after" if after else "before"
            return Refusal(
                Code.HA_MALFORMED_REQUEST,
                f"the UDP tunnel request stands {place} MN-HA although D={int(colocated)} (N20)",
            )
    for code, extensions in (
        (Code.HA_CVSE_FROM_MN, request.unknown),
        (Code.HA_CVSE_FROM_FA, request.trailing),
    ):
        if any(extension[0] == CRITICAL_VENDOR for extension in extensions):
            return Refusal(code, "a critical vendor extension is not understood (RFC 3115 2.2)")
    return None


def service_refusal(request: RegistrationRequest) -> Refusal | None:
    """What is asked for and not offered; None if nothing."""
    if request.flags & (MINIMAL | GRE) or request.gre_key is not None:
        return Refusal(
            Code.HA_ENCAP_UNAVAIL, "GRE or minimal encapsulation is asked for; IP-in-IP is offered (H11)"
        )
    if not request.flags & REVERSE_TUNNEL:
        return Refusal(
            Code.HA_REVERSE_MANDATORY, "the T bit is not set; a proxy MAG must tunnel everything (H11, P40)"
        )
    return None


def path_to(request: RegistrationRequest, source: Endpoint, policy: LmaPolicy) -> Path | Refusal:
    """The tunnel to the MAG by the decision table N19; ``source``: where the request came from."""
    asked = request.udp_tunnel if isinstance(request.udp_tunnel, UdpTunnelRequest) else None
    behind_nat = source.address != request.care_of_address
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
        return Path(Tunnel(local=policy.address, remote=request.care_of_address), None)
    if not behind_nat and not asked.forced:
        declined = UdpTunnelReply(code=TUNNEL_DECLINED)
        return Path(Tunnel(local=policy.address, remote=request.care_of_address), declined)
    if not behind_nat and not (policy.nat_traversal and policy.forced_udp):
        return Refusal(
            Code.HA_ADMIN_PROHIBITED, "the MAG insists on UDP tunnelling, which forced_udp forbids (N19)"
        )
    if asked.encapsulation not in (0, Encapsulation.IP_IN_IP):
        return Refusal(
            Code.HA_UDP_ENCAP_UNAVAIL, f"encapsulation {asked.encapsulation} inside UDP is not offered (N19)"
        )
    tunnel = Tunnel(local=policy.address, remote=source.address, remote_port=source.port)
    reply = UdpTunnelReply(
        code=0,
        forced=asked.forced,
        keepalive_interval=policy.keepalive_interval,
    )
    return Path(tunnel, reply)


def too_soon(binding: Binding, place: Place, policy: LmaPolicy, monotonic: float) -> Refusal | None:
    """P79: a mobile node moves at most once in the interval; one MAC heard by two MAGs must not flap."""
    wait = binding.moved_at + policy.handover_min_interval - monotonic
    if wait <= 0 or place == binding.place:
        return None
    return Refusal(
        Code.HA_RESOURCES,
        f"moved {policy.handover_min_interval - wait:.2f} s ago; "
        f"once in {policy.handover_min_interval:g} s is allowed (P79)",
    )


def wanted_home_address(request: RegistrationRequest) -> Ipv4:
    """The home address asked for; 0: any (DY1, DY3)."""
    return UNSPECIFIED if request.home_address == ALL_ONES else request.home_address
