"""Whether the MAG that proved a request may register this node by the method it names (H13: RFC 5563 8.1)."""

from pmip_tw.addresses import ipv4_text
from pmip_tw.lma.mags import KnownMag, shares_key
from pmip_tw.lma.registration.commitment import Asked
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extension_fields import BY_FA_HA, BY_IPSEC


def proxy_refusal(asked: Asked) -> Refusal | None:
    """149 for what is not supported (P26), 150 for a MAG that may not (P27); None if nothing is in the way."""
    request, mag = asked.request, asked.mag
    # The draft has a method in every request, whatever proves it.
    of_draft = request.draft03 and mag is not None and mag.mode is AuthenticationMode.PER_MN
    if request.per_node is not None and not of_draft:
        problem = _method_refusal(asked, request.per_node)
        if problem is not None:
            return problem
    if mag is None or mag.may_register(request.nai):
        return None
    name = request.nai.decode(errors="replace")
    why = f"{name!r} is in none of its realms (P75)" if mag.proxy else "proxy is off for it (P27)"
    return Refusal(
        Code.PMIP_DISALLOWED, f"the MAG {ipv4_text(mag.address)} may not register this node: {why}"
    )


def _method_refusal(asked: Asked, method: tuple[int, bytes]) -> Refusal | None:
    """Whether the MAG's own association is what ``method`` says, and the MAG speaks for itself."""
    mag = asked.mag
    if not _is_supported(mag, method):
        subtype, data = method
        asks = f"sub-type {subtype}" if subtype != BY_FA_HA[0] else f"method {data[0]}"
        return Refusal(
            Code.PMIP_UNSUPPORTED, f"per-node authentication by {asks} is not set up with this MAG (P26)"
        )
    if not asked.nai:
        return Refusal(
            Code.HA_MALFORMED_REQUEST, "the request has no NAI: nobody knows whose binding it is (H10)"
        )
    care_of_address = asked.request.care_of_address
    if mag is not None and not mag.behind_nat and care_of_address != mag.address:
        return Refusal(
            Code.PMIP_DISALLOWED,
            f"the key of the MAG {ipv4_text(mag.address)} is not good for care-of address "
            f"{ipv4_text(care_of_address)} (P75)",
        )
    return None


def _is_supported(mag: KnownMag | None, method: tuple[int, bytes]) -> bool:
    if method == BY_FA_HA:
        return shares_key(mag)
    return method == BY_IPSEC and mag is not None and mag.mode is AuthenticationMode.IPSEC and mag.protected
