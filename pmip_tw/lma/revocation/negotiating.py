"""Whether revocation is agreed upon for a binding (RFC 3543 3.2, 4.2.1): both sides sent extension 137 (RV1)."""

from pmip_tw.lma.bindings import NegotiatedRevocation
from pmip_tw.lma.registration.commitment import Asked
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.extensions import REVOCATION_SUPPORT


def offered(asked: Asked) -> RevocationSupport | None:
    """What the request offers: its 137, which an authenticator must cover; else it is ignored (RV4).

    Behind MN-HA that is FA-HA, without which no registration from a MAG with such a key gets here (H6).
    """
    request = asked.request
    if REVOCATION_SUPPORT in request.agent_part and asked.fa_ha is None:
        return None
    return request.revocation


def agreed(asked: Asked, own_timestamp: int, *, inform: bool) -> NegotiatedRevocation | None:
    """What both sides have said once the reply is out; ``inform``: we set the I bit if the request did (RV5)."""
    offer = offered(asked)
    if offer is None:
        return None
    return NegotiatedRevocation(
        own_timestamp=own_timestamp, peer_timestamp=offer.timestamp, inform=inform and offer.inform
    )


def revocation_refusal(asked: Asked) -> Refusal | None:
    """RV3: for an LMA that serves nobody whom it could not revoke."""
    if not asked.request.lifetime or offered(asked) is not None:
        return None
    return Refusal(
        Code.HA_ADMIN_PROHIBITED,
        "the request has no protected revocation support, and require_revocation is on (RV3)",
    )
