"""The answer to a request that is not carried out (RFC 6733 7)."""

import attrs

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps
from pmip_tw.wire.diameter.codes import Code, Result
from pmip_tw.wire.diameter.message import Header, Message


def refusal(
    identity: Identity, asked: Header, result: Result, cause: str, failed: Avp | None = None, *more: Avp
) -> Message:
    """The answer to a request that is not carried out; protocol errors (3xxx) have the E flag (RFC 6733 7.1.3)."""
    bare = Message(header=asked, avps=Avps())
    failures = () if failed is None else (avps.grouped(Code.FAILED_AVP, failed),)
    return bare.answer(
        *more,
        avps.unsigned32(Code.RESULT_CODE, result),
        *identity.origin,
        attrs.evolve(avps.text(Code.ERROR_MESSAGE, cause), mandatory=False),
        *failures,
        error=3000 <= result < 4000,
    )
