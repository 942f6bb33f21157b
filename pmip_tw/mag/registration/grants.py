"""What an accepting reply gives: a grant for a time, and a tunnel (M5, M7, T1, T5)."""

from pmip_tw.mag.registration.exchanges import Exchange, Grant
from pmip_tw.mag.registration.proof import Reply
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import SIGNALLING_PORT, Tunnel
from pmip_tw.wire.extension_values import UdpTunnelReply
from pmip_tw.wire.registration import RegistrationReply

RENEW_AT = 0.5
"""Part of the granted lifetime after which it is renewed (P20), up to a tenth of that earlier (M7)."""

JITTER = 0.1


def ends_at(exchange: Exchange, reply: RegistrationReply) -> float:
    """When the registration that ``reply`` accepts is over, monotonic: the clock starts when it was asked for (M5)."""
    return exchange.sent_at + min(exchange.lifetime, reply.lifetime)


def grant_of(exchange: Exchange, reply: RegistrationReply, now: Now, *, inform: bool) -> Grant:
    """``inform``: we set the I bit in the request (RV5)."""
    lifetime = min(exchange.lifetime, reply.lifetime)
    early = 1 - JITTER * now.random_fraction()
    revocation, in_udp = reply.revocation, _in_udp(reply)
    return Grant(
        lifetime=lifetime,
        ends_at=ends_at(exchange, reply),
        renew_at=exchange.sent_at + max(1.0, lifetime * RENEW_AT * early),
        accepted_at=now.monotonic,
        care_of_address=exchange.care_of_address,
        protection=exchange.protection,
        lma_timestamp=None if revocation is None else revocation.timestamp,
        inform=inform and revocation is not None and revocation.inform,
        keepalive_interval=0 if in_udp is None else in_udp.keepalive_interval,
    )


def tunnel_of(exchange: Exchange, reply: Reply) -> Tunnel:
    """The reply's home agent address is the tunnel's end, not the one that was configured (T1)."""
    keyed = exchange.gre_key is not None and reply.gre_key is not None
    # A key 0 in the request leaves both directions to the one key of the reply (T5).
    key_in = (exchange.gre_key or reply.gre_key) if keyed else None
    return Tunnel(
        local=exchange.care_of_address,
        remote=reply.home_agent,
        encapsulation=exchange.encapsulation,
        remote_port=0 if _in_udp(reply) is None else SIGNALLING_PORT,
        key_in=key_in,
        key_out=reply.gre_key if keyed else None,
    )


def _in_udp(reply: Reply) -> UdpTunnelReply | None:
    """44 with a code below 64: everything goes through UDP, and without it nothing does (N9, N10)."""
    said = reply.udp_tunnel
    return said if isinstance(said, UdpTunnelReply) and said.will_tunnel else None
