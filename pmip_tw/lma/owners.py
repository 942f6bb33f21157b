"""Whose a binding is: what requests are brought together by (P23)."""

from pmip_tw.wire.registration import RegistrationRequest


def owner_of(request: RegistrationRequest) -> bytes:
    """NAI and access technology (147/4, 0 if it is not there): for ``binding_key = "nai+tech"``, else it is the NAI.

    Each owner has a home address and a replay floor of its own, so that two MAGs that serve one node over two
    technologies need not agree about the time. What was captured of one technology is no request of another, since
    147/4 is authenticated (P10).
    """
    return request.nai + bytes((request.access_technology or 0,))
