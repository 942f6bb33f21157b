"""What a reply means for the registration that it answers (M2-M6, I9, P17).

Nothing is changed but what the exchange remembers of its answers, and how far its LMA's clock is from ours.
"""

from enum import Enum

import attrs

from pmip_tw.addresses import Endpoint
from pmip_tw.mag.registration.clocks import Identifications
from pmip_tw.mag.registration.exchanges import Exchange
from pmip_tw.mag.registration.grants import ends_at
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.registration.proof import ReplyT, Unproven, proven
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.codes import Code, accepts, meaning
from pmip_tw.wire.ipv4 import is_host_address
from pmip_tw.wire.registration import RegistrationReply

_LOW = 0xFFFFFFFF
_OF_UNPROVEN_REQUESTS = (Code.HA_MN_AUTH, Code.HA_FA_AUTH, Code.HA_BAD_AAA_AUTH)
"""What an LMA answers to a request that it does not believe. Anybody who has heard ours can send it falsified."""


class Outcome(Enum):
    """What a reply means for the visitor."""

    DISCARDED = "discarded"
    ACCEPTED = "accepted"
    RESYNCHRONIZED = "resynchronized"
    REFUSED = "refused"


@attrs.frozen(slots=True, kw_only=True)
class Answer:
    """A reply, judged. ``reason`` and ``cause`` say why it was discarded or refused; ``code`` is the reply's.

    ``reply``: its authentic part, None if it was discarded, or does not answer a registration.
    """

    outcome: Outcome
    code: int = 0
    reason: str = ""
    cause: str = ""
    reply: RegistrationReply | None = attrs.field(default=None, repr=False)


class Judge:
    """Judges replies; follows the clocks of LMAs that say 133."""

    def __init__(self, lmas: Lmas, clocks: Identifications) -> None:
        self._lmas = lmas
        self._clocks = clocks

    def judge(
        self, visitor: Visitor, payload: bytes, reply: RegistrationReply, source: Endpoint, now: Now
    ) -> Answer:
        """``reply``, whose octets are ``payload``, names ``visitor``."""
        exchange = visitor.exchange
        if exchange is None:
            return _discarded("unexpected-reply", "no registration of this mobile node is under way")
        found = self.accepting(visitor.nai, exchange, payload, reply, source, now)
        if isinstance(found, Answer):
            return found
        if exchange.lifetime and not _is_complete(found):
            exchange.complaint = "it accepts without home address, home agent or lifetime (M6)"
            return _discarded("incomplete-reply", exchange.complaint)
        if exchange.lifetime and ends_at(exchange, found) <= now.monotonic:
            return _discarded("late-reply", "what it grants is over already (M5)")
        return Answer(outcome=Outcome.ACCEPTED, code=found.code, reply=found)

    def accepting(
        self, nai: str, exchange: Exchange, payload: bytes, reply: ReplyT, source: Endpoint, now: Now
    ) -> ReplyT | Answer:
        """The authentic part of ``reply`` to ``exchange`` of ``nai`` if it accepts; else what it means."""
        if reply.identification & _LOW not in {sent & _LOW for sent in exchange.identifications}:
            return _discarded("identification", "it answers no request that was sent (M2)")
        found = proven(exchange, payload, reply, source, self._lmas)
        if isinstance(found, Unproven):
            if found.complaint:
                exchange.complaint = found.cause
            return _discarded(found.reason, found.cause)
        if found.identification & _LOW != exchange.identifications[-1] & _LOW:
            return _discarded("late-reply", "it answers an earlier try; the newest is still out (M2)")
        if found.code == Code.HA_ID_MISMATCH:
            return self._resynchronized(nai, exchange, found, now)
        if found.code in _OF_UNPROVEN_REQUESTS:
            exchange.complaint = f"{meaning(found.code)}: it does not believe our requests, or falsified ones"
            return _discarded("unproven-request", f"{exchange.complaint}; ours is repeated (M4)")
        if not accepts(found.code):
            said = found.message.shown if found.message else ""
            cause = meaning(found.code) + (f': "{said}"' if said else "")
            return _with(found, outcome=Outcome.REFUSED, code=found.code, reason=str(found.code), cause=cause)
        return found

    def _resynchronized(self, nai: str, exchange: Exchange, reply: ReplyT, now: Now) -> Answer:
        """I9, P17: follow the LMA's clock and try once more at once; a second 133 waits for its turn."""
        ahead = self._clocks.resynchronize(nai, exchange.lma, reply.identification, now.wall)
        if exchange.resynchronized:
            return _with(
                reply,
                outcome=Outcome.REFUSED,
                code=reply.code,
                reason=str(reply.code),
                cause=f"{meaning(reply.code)} again, after taking over the LMA's clock ({ahead:+d} s from ours)",
            )
        exchange.resynchronized = True
        return _with(
            reply,
            outcome=Outcome.RESYNCHRONIZED,
            code=reply.code,
            cause=f"the LMA's clock is {ahead:+d} s from ours: set both by NTP",
        )


def _with(reply: ReplyT, *, outcome: Outcome, code: int, reason: str = "", cause: str) -> Answer:
    found = reply if isinstance(reply, RegistrationReply) else None
    return Answer(outcome=outcome, code=code, reason=reason, cause=cause, reply=found)


def _is_complete(reply: RegistrationReply) -> bool:
    return is_host_address(reply.home_address) and is_host_address(reply.home_agent) and bool(reply.lifetime)


def _discarded(reason: str, cause: str) -> Answer:
    return Answer(outcome=Outcome.DISCARDED, reason=reason, cause=cause)
