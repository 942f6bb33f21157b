"""Which home agent a request is for: this one, any, or another one (H8; RFC 4433, DY5-DY8)."""

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4, ipv4_text
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.realms import realm_of
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extension_values import REQUESTED_HOME_AGENT
from pmip_tw.wire.registration import COLOCATED, RegistrationRequest


def asks_for_any(request: RegistrationRequest) -> bool:
    """Whether the requester wants to be given a home agent (DY5)."""
    return request.home_agent in (UNSPECIFIED, ALL_ONES)


def home_agent_refusal(request: RegistrationRequest, local: Ipv4, policy: LmaPolicy) -> Refusal | None:
    """Why a request that does not name us is none of ours; ``local``: the address of ours that it was sent to."""
    if not (policy.dynamic_home_agent and asks_for_any(request)):
        return Refusal(
            Code.HA_UNKNOWN_ADDRESS,
            f"the request is for home agent {ipv4_text(request.home_agent)}; "
            f"this one is {ipv4_text(policy.address)} (H8)",
        )
    if not request.flags & COLOCATED:
        return None  # a foreign agent chose us; what 139 says was meant for it (DY6)
    named = request.dynamic_home_agent
    if named is None or (named.subtype, named.address) != (REQUESTED_HOME_AGENT, local):
        said = "no address" if named is None else f"{ipv4_text(named.address)} (sub-type {named.subtype})"
        return Refusal(
            Code.HA_UNKNOWN_ADDRESS,
            f"the request asks for any home agent at {ipv4_text(local)}, but its extension 139 names {said} (DY6)",
        )
    return None


def redirection(request: RegistrationRequest, policy: LmaPolicy) -> Refusal | None:
    """The home agent that serves the node's realm in our place, if there is one (DY7)."""
    if not policy.redirects:
        return None
    realm = realm_of(request.nai) or b""
    other = policy.redirects.get(realm)
    if other is None or not asks_for_any(request):
        return None
    cause = f"{ipv4_text(other)} serves the realm {realm.decode(errors='replace')} (DY7)"
    return Refusal(Code.REDIRECT_HA_REQ, cause, redirect=other)
