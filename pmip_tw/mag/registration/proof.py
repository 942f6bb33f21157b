"""Whether a reply is what an LMA said to us: its authenticators, and the part of it that they cover (M3, 7.3).

Nothing else of a message is ever looked at: what was appended behind the authenticator does not exist.
"""

from typing import TypeVar

import attrs

from pmip_tw.addresses import Endpoint
from pmip_tw.mag.registration.exchanges import Exchange
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.wire.authentication import Authenticator
from pmip_tw.wire.codes import accepts, is_foreign_agents, meaning
from pmip_tw.wire.extensions import FA_HA, MN_HA
from pmip_tw.wire.pretunnel import PreTunnelReply
from pmip_tw.wire.registration import RegistrationReply

Reply = RegistrationReply | PreTunnelReply
ReplyT = TypeVar("ReplyT", RegistrationReply, PreTunnelReply)


@attrs.frozen(slots=True)
class Unproven:
    """Why a reply is not believed: ``reason`` for counters, ``cause`` in words.

    ``complaint``: whether that explains why the registration fails.
    """

    reason: str
    cause: str
    complaint: bool = False


def proven(
    exchange: Exchange, payload: bytes, reply: ReplyT, source: Endpoint, lmas: Lmas
) -> ReplyT | Unproven:
    """The authentic part of ``reply``, whose octets are ``payload``, as an answer to ``exchange``."""
    mode, lifetime = exchange.protection.mode, exchange.lifetime
    wrong: Unproven | None = None
    ends = len(payload)
    unsigned = reply.mn_ha is None and reply.fa_ha is None and mode is not AuthenticationMode.IPSEC
    if is_foreign_agents(reply.code) and unsigned:
        # M4: it may have come from anybody, and changes nothing.
        return Unproven(
            "unproven-refusal", f"unauthenticated, it says {meaning(reply.code)} (M4)", complaint=True
        )
    if mode is AuthenticationMode.PER_MN:
        assert exchange.protection.mn_ha is not None
        wrong = _check(payload, reply, MN_HA, reply.mn_ha, exchange.protection.mn_ha)
        ends = _end(reply.mn_ha)
        if wrong is None and exchange.protection.fa_ha_for(lifetime) is not None:
            wrong = _check_fa_ha(exchange, payload, reply, lmas)
            ends = _end(reply.fa_ha)
    elif mode is AuthenticationMode.FA_HA:
        wrong = _check_fa_ha(exchange, payload, reply, lmas)
        ends = _end(reply.fa_ha)
    elif source.address != exchange.lma:
        wrong = Unproven(
            "not-the-lma", "it does not come from the LMA's address, which is all that IPsec protects"
        )
    if wrong is not None:
        return wrong
    if ends < len(payload):
        reply = _decoded(reply, payload[:ends])  # RV4
    if reply.per_node != exchange.protection.per_node and accepts(reply.code):
        cause = "its 47/1 does not name the method of our association (P11)"
        return Unproven("authentication-method", cause, complaint=True)
    return reply


def _decoded(reply: ReplyT, payload: bytes) -> ReplyT:
    """``payload``, a message like ``reply``."""
    if isinstance(reply, PreTunnelReply):
        return PreTunnelReply.decode(payload, payload[0])
    return RegistrationReply.decode(payload)


def verifies(payload: bytes, found: Authenticator, association: SecurityAssociation) -> bool:
    """Whether ``found`` in ``payload`` was made under ``association``, and says so (RFC 5944 3.2)."""
    return found.spi == association.spi and association.verify(payload[: found.covered], found.value)


def _check_fa_ha(exchange: Exchange, payload: bytes, reply: Reply, lmas: Lmas) -> Unproven | None:
    """The key is found by the home agent field, except that what we asked under is what answers (7.3)."""
    association = (
        exchange.protection.fa_ha if reply.home_agent == exchange.lma else lmas.fa_ha(reply.home_agent)
    )
    return _check(payload, reply, FA_HA, reply.fa_ha, association)


def _check(
    payload: bytes,
    reply: Reply,
    kind: int,
    found: Authenticator | None,
    association: SecurityAssociation | None,
) -> Unproven | None:
    name = "MN-HA" if kind == MN_HA else "FA-HA"
    if found is None or kind in reply.repeated:
        return Unproven("no-authenticator", f"it must have exactly one {name} extension (M3)")
    if association is None:
        return Unproven(
            "no-association", "[[mag.lmas]] has no key for the home agent that it names", complaint=True
        )
    if verifies(payload, found, association):
        return None
    whose = "the MN-HA key from AAA" if kind == MN_HA else "the key in [[mag.lmas]]"
    cause = f"its answer ({meaning(reply.code)}) does not verify with SPI {association.spi}: {whose} is not the LMA's"
    return Unproven("bad-authenticator", cause, complaint=True)


def _end(found: Authenticator | None) -> int:
    return 0 if found is None else found.covered + len(found.value)
