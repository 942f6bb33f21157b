"""The registration client of a MAG: requests, retransmission, replies (RFC 5944 3.6; RFC 5563 3, 4).

It speaks for one visitor at a time and changes only that visitor's exchange and grant; what an outcome means for
the visitor is decided by the engine.
"""

from enum import Enum

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.mag.clocks import Identifications
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import Exchange, Grant, Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Send
from pmip_tw.mobility.tunnels import SIGNALLING_PORT, Tunnel
from pmip_tw.wire.codes import Code, accepts, meaning
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelReply, UdpTunnelRequest
from pmip_tw.wire.extensions import FA_HA, MN_HA, REVOCATION_SUPPORT
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, RegistrationReply, RegistrationRequest

RETRANSMIT_AFTER = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds after each try (M8); after the last the LMA counts as silent."""

RENEW_AT = 0.5
"""Part of the granted lifetime after which it is renewed (P20), up to a tenth of that earlier (M7)."""

JITTER = 0.1
_LOW = 0xFFFFFFFF


class Outcome(Enum):
    """What a reply means for the visitor."""

    DISCARDED = "discarded"
    ACCEPTED = "accepted"
    RESYNCHRONIZED = "resynchronized"
    REFUSED = "refused"


@attrs.frozen(slots=True, kw_only=True)
class Answer:
    """A reply, judged. ``reason`` and ``cause`` say why it was discarded or refused; ``code`` is the reply's."""

    outcome: Outcome
    code: int = 0
    reason: str = ""
    cause: str = ""


class Registrar:
    """Builds requests with D and T set (P8, P9), protected by the visitor's own association (per-MN mode)."""

    def __init__(self, policy: MagPolicy) -> None:
        self._policy = policy
        self._identifications = Identifications(policy.timestamp_window)
        self._tunnels: dict[Ipv4, Tunnel] = {}

    def clock_offset(self, lma: Ipv4) -> int:
        """Seconds by which ``lma``'s clock is ahead of ours, as far as we follow it."""
        return self._identifications.offset(lma)

    def first_tunnel(self, visitor: Visitor) -> Tunnel:
        """The tunnel that the registration will most likely have, for the provisional entry (P77).

        Behind a NAT only the LMA finds out that it is a UDP tunnel; the next visitor's will be one too.
        """
        known = self._tunnels.get(visitor.lma)
        if known is not None:
            return known
        port = SIGNALLING_PORT if self._policy.nat_traversal == "force" else 0
        return Tunnel(local=self._policy.address, remote=visitor.lma, remote_port=port)

    def send(self, visitor: Visitor, exchange: Exchange, now: Now) -> Send:
        """One more try of ``exchange``; each is a new registration with a new Identification (I5)."""
        assert visitor.profile is not None
        profile, policy = visitor.profile, self._policy
        identification = self._identifications.next(profile.nai, profile.lma, now.wall)
        exchange.identifications.append(identification)
        exchange.sent_at = now.monotonic
        tries = len(exchange.identifications)
        wait = RETRANSMIT_AFTER[min(tries, len(RETRANSMIT_AFTER)) - 1]
        exchange.next_try = now.monotonic + min(wait, exchange.lifetime or wait)
        request = RegistrationRequest(
            flags=COLOCATED | REVERSE_TUNNEL,
            lifetime=exchange.lifetime,
            home_address=exchange.home_address,
            home_agent=profile.lma,
            care_of_address=policy.address,
            identification=identification,
            nai=profile.nai.encode(),
            access_technology=policy.access_technology,
            udp_tunnel=self._tunnel_request(exchange),
            revocation=RevocationSupport(int(now.wall)) if exchange.lifetime else None,
        )
        datagram = request.encode(mn_ha=profile.mn_ha)
        return Send(datagram, Endpoint(profile.lma, SIGNALLING_PORT), policy.address)

    def exhausted(self, exchange: Exchange) -> bool:
        """Whether the last try has been waited for."""
        return len(exchange.identifications) >= len(RETRANSMIT_AFTER)

    def judge(self, visitor: Visitor, payload: bytes, reply: RegistrationReply, now: Now) -> Answer:
        """Rules M2-M6, I9. An accepting reply becomes the visitor's grant, home address and tunnel."""
        exchange, profile = visitor.exchange, visitor.profile
        if exchange is None or profile is None:
            return _discarded("unexpected-reply", "no registration of this mobile node is under way")
        if reply.identification & _LOW not in {sent & _LOW for sent in exchange.identifications}:
            return _discarded("identification", "it answers no request that was sent (M2)")
        found = reply.mn_ha
        if found is None or MN_HA in reply.repeated or FA_HA in reply.repeated:
            return _discarded("no-authenticator", "it must have exactly one MN-HA extension (M3)")
        if found.spi != profile.mn_ha.spi or not profile.mn_ha.verify(payload[: found.covered], found.value):
            exchange.complaint = (
                f"its answer ({meaning(reply.code)}) does not verify with SPI {profile.mn_ha.spi}: "
                "the MN-HA key from AAA is not the LMA's"
            )
            return _discarded("bad-authenticator", exchange.complaint)
        if reply.identification & _LOW != exchange.identifications[-1] & _LOW:
            return _discarded("late-reply", "it answers an earlier try; the newest is still out (M2)")
        if reply.code == Code.HA_ID_MISMATCH:
            return self._resynchronized(visitor, exchange, reply, now)
        if not accepts(reply.code):
            return Answer(
                outcome=Outcome.REFUSED, code=reply.code, reason=str(reply.code), cause=meaning(reply.code)
            )
        return self._accepted(visitor, exchange, reply, now)

    def _accepted(self, visitor: Visitor, exchange: Exchange, reply: RegistrationReply, now: Now) -> Answer:
        if exchange.lifetime == 0:
            return Answer(outcome=Outcome.ACCEPTED, code=reply.code)
        if not reply.home_address or not reply.home_agent or not reply.lifetime:
            exchange.complaint = "it accepts without home address, home agent or lifetime (M6)"
            return _discarded("incomplete-reply", exchange.complaint)
        assert visitor.profile is not None
        lifetime = min(exchange.lifetime, reply.lifetime)
        early = 1 - JITTER * now.random_fraction()
        visitor.grant = Grant(
            lifetime=lifetime,
            # The clock starts when the request was sent (M5).
            ends_at=exchange.sent_at + lifetime,
            renew_at=exchange.sent_at + max(1.0, lifetime * RENEW_AT * early),
            accepted_at=now.monotonic,
            lma_timestamp=_protected_timestamp(reply),
        )
        visitor.exchange = None
        visitor.home_address = reply.home_address
        tunnelled = isinstance(reply.udp_tunnel, UdpTunnelReply) and reply.udp_tunnel.will_tunnel
        # The reply's home agent address is the tunnel's end, not the one that was configured (T1).
        visitor.tunnel = Tunnel(
            local=self._policy.address,
            remote=reply.home_agent,
            remote_port=SIGNALLING_PORT if tunnelled else 0,
        )
        self._tunnels[visitor.lma] = visitor.tunnel
        return Answer(outcome=Outcome.ACCEPTED, code=reply.code)

    def _resynchronized(
        self, visitor: Visitor, exchange: Exchange, reply: RegistrationReply, now: Now
    ) -> Answer:
        """I9, P17: follow the LMA's clock and try once more at once; a second 133 waits for its turn."""
        ahead = self._identifications.resynchronize(visitor.nai, visitor.lma, reply.identification, now.wall)
        if exchange.resynchronized:
            return Answer(
                outcome=Outcome.REFUSED,
                code=reply.code,
                reason=str(reply.code),
                cause=f"{meaning(reply.code)} again, after taking over the LMA's clock ({ahead:+d} s from ours)",
            )
        exchange.resynchronized = True
        return Answer(
            outcome=Outcome.RESYNCHRONIZED,
            code=reply.code,
            cause=f"the LMA's clock is {ahead:+d} s from ours: set both by NTP",
        )

    def _tunnel_request(self, exchange: Exchange) -> UdpTunnelRequest | None:
        """N1; a de-registration needs no tunnel."""
        if self._policy.nat_traversal == "off" or not exchange.lifetime:
            return None
        return UdpTunnelRequest(forced=self._policy.nat_traversal == "force")


def _discarded(reason: str, cause: str) -> Answer:
    return Answer(outcome=Outcome.DISCARDED, reason=reason, cause=cause)


def _protected_timestamp(reply: RegistrationReply) -> int | None:
    """Of the LMA's 137; one that MN-HA does not cover is ignored (RV4)."""
    if reply.revocation is None or REVOCATION_SUPPORT in reply.agent_part:
        return None
    return reply.revocation.timestamp
