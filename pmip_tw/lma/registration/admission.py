"""Whether an authentic request with a valid Identification is accepted: the checks of RFC 5944 3.8.2
from H8 on, with those of RFC 3519 (N20) and RFC 5563 (P26-P30) in their places.

The tunnel is a matter of its own (``tunnelling.py``).
"""

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration.home_agent import home_agent_refusal
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extensions import CRITICAL_VENDOR, UDP_TUNNEL_REQUEST
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, RegistrationRequest

RESERVED_BITS = 0x05


def message_refusal(request: RegistrationRequest, local: Ipv4, policy: LmaPolicy) -> Refusal | None:
    """What is wrong with a request of any lifetime, sent to our ``local``, whoever sends it; None if nothing."""
    if request.home_agent != policy.address:
        problem = home_agent_refusal(request, local, policy)
        if problem is not None:
            return problem
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
    if policy.require_protected_extensions and request.agent_part and request.fa_ha is None:
        kinds = ", ".join(map(str, sorted(request.agent_part)))
        text = f"extensions {kinds} behind MN-HA are proven by no FA-HA (N3, require_protected_extensions)"
        return Refusal(Code.HA_MALFORMED_REQUEST, text)
    if request.unknown or request.trailing:
        if policy.refuse_reserved_144 and any(map(_is_reserved_144, (*request.unknown, *request.trailing))):
            text = "the UDP tunnel request has a reserved field that is not zero (N8, reserved3_policy)"
            return Refusal(Code.HA_MALFORMED_REQUEST, text)
        for code, extensions in (
            (Code.HA_CVSE_FROM_MN, request.unknown),
            (Code.HA_CVSE_FROM_FA, request.trailing),
        ):
            if any(extension[0] == CRITICAL_VENDOR for extension in extensions):
                return Refusal(code, "a critical vendor extension is not understood (RFC 3115 2.2)")
    return None


def _is_reserved_144(extension: bytes) -> bool:
    """Sub-type 0, which we know, but for its third reserved field."""
    return extension[0] == UDP_TUNNEL_REQUEST and not extension[2] and extension[-2:] != b"\0\0"


def service_refusal(request: RegistrationRequest) -> Refusal | None:
    """What is needed and not asked for; None if nothing."""
    if not request.flags & REVERSE_TUNNEL:
        return Refusal(
            Code.HA_REVERSE_MANDATORY, "the T bit is not set; a proxy MAG must tunnel everything (H11, P40)"
        )
    return None


def too_soon(binding: Binding, policy: LmaPolicy, now: Now) -> Refusal | None:
    """P79: a mobile node moves at most once in the interval; one MAC heard by two MAGs must not flap."""
    wait = binding.moved_at + policy.handover_min_interval - now.monotonic
    if wait <= 0:
        return None
    return Refusal(
        Code.HA_RESOURCES,
        f"moved {policy.handover_min_interval - wait:.2f} s ago; "
        f"once in {policy.handover_min_interval:g} s is allowed (P79)",
    )


def too_many(binding: Binding, policy: LmaPolicy, now: Now) -> Refusal | None:
    """H14: one more beside those that there are; a new one at a MAG that has one already is not one more."""
    if len(binding.all) < policy.max_bindings:
        return None
    return Refusal(
        Code.HA_TOO_MANY_BINDINGS,
        f"it has {len(binding.all)} bindings; max_bindings allows no more (H14, L3)",
    )


def wanted_home_address(named: Ipv4) -> Ipv4:
    """The home address that a request asks for by ``named``; 0: any (DY1, DY3)."""
    return UNSPECIFIED if named == ALL_ONES else named
