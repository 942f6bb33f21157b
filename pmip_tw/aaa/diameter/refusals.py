"""The answer to a request that is not carried out (RFC 6733 7)."""

from typing import Final

import attrs

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp
from pmip_tw.wire.diameter.codes import Code, Result
from pmip_tw.wire.diameter.message import Message

_LONGEST_FAILED: Final = 1024
"""Octets of an AVP that are sent back; which one it is can be seen without."""


def refusal(
    identity: Identity, asked: Message, result: Result, cause: str, failed: Avp | None = None
) -> Message:
    """The answer to a request that is not carried out; protocol errors (3xxx) have the E flag (RFC 6733 7.1.3)."""
    if failed is not None and len(failed.data) > _LONGEST_FAILED:
        failed = attrs.evolve(failed, data=b"")
    failures = () if failed is None else (avps.grouped(Code.FAILED_AVP, failed),)
    session = asked.avps.first(Code.SESSION_ID)
    return asked.answer(
        *(() if session is None else (avps.octets(Code.SESSION_ID, session),)),
        avps.unsigned32(Code.RESULT_CODE, result),
        *identity.origin,
        attrs.evolve(avps.text(Code.ERROR_MESSAGE, cause), mandatory=False),
        *failures,
        error=3000 <= result < 4000,
    )
