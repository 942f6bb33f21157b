"""What a MAG tells its observers; here, so that the rules read without it."""

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text, mac_text
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.effects import Observe
from pmip_tw.mobility.observations import Detail, Observation
from pmip_tw.mobility.tunnels import AccessKey, Tunnel


def believed(name: str, visitor: Visitor, profile: Profile) -> Observe:
    """AAA lets it be served by ``profile``."""
    ignored = {"ignored": profile.ignored} if profile.ignored else {}
    return visitor_event(name, visitor, method=visitor.method, **ignored)


def visitor_event(
    name: str, visitor: Visitor, *, cause: str = "", reason: str = "", **details: Detail
) -> Observe:
    """Something about one mobile node: its access session always, its NAI and home address once they are known."""
    if visitor.home_address:
        details["home_address"] = ipv4_text(visitor.home_address)
    return Observe(
        Observation(
            name=name,
            nai=visitor.nai,
            session=str(visitor.key),
            cause=cause,
            reason=reason,
            details=details,
        )
    )


def frame_dropped(visitor: Visitor, reason: str, cause: str = "") -> Observe:
    """A frame of ``visitor`` that is not carried."""
    session = str(visitor.key)
    return Observe(
        Observation(name="frame-dropped", nai=visitor.nai, session=session, reason=reason, cause=cause)
    )


def bad_frame(port: str, reason: str, cause: str = "") -> Observe:
    """A frame of nobody in particular: counted, in no trace, because a flood of them must cost little (P83)."""
    return Observe(Observation(name="frame-dropped", reason=reason, cause=cause, details={"port": port}))


class BadFrames(dict[str, Observe]):
    """The same by port, for one reason: each is made once."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self._reason = reason

    def __missing__(self, port: str) -> Observe:
        note = self[port] = bad_frame(port, self._reason)
        return note


def discarded(reason: str, source: Endpoint, cause: str, *, nai: str = "", session: str = "") -> Observe:
    """A datagram of port 434 that changes nothing. ``nai``, ``session``: of the visitor that it names, if any."""
    return Observe(
        Observation(
            name="message-discarded",
            nai=nai,
            session=session,
            reason=reason,
            cause=cause,
            details={"source": str(source)},
        )
    )


def restored(visitors: int) -> Observe:
    """What a restart has brought back."""
    return Observe(Observation(name="visitors-restored", details={"visitors": visitors}))


def journal_failed(cause: str, records: int) -> Observe:
    """Something could not be written down."""
    return Observe(
        Observation(
            name="journal-failed",
            reason="not-saved",
            cause=f"{cause}; nodes are served on, but a restart would not know what has changed since",
            details={"records": records},
        )
    )


def journal_slow(seconds: float) -> Observe:
    """Nothing is wrong that we know of, but nodes cannot wait any longer."""
    return Observe(
        Observation(
            name="journal-slow",
            reason="not-saved",
            cause=f"the disk of the journal takes more than {seconds} s: nodes are served on, but a restart would not "
            "know what is not written yet",
        )
    )


def journal_works_again() -> Observe:
    """Everything is written down that could not be."""
    return Observe(Observation(name="journal-works-again"))


def not_restored(nai: str, key: AccessKey, cause: str) -> Observe:
    """A visitor of before the restart that today's configuration does not allow."""
    return Observe(
        Observation(
            name="visitor-not-restored",
            nai=nai,
            session=str(key),
            reason="configuration-changed",
            cause=cause,
        )
    )


def registered(visitor: Visitor, name: str) -> Observe:
    assert visitor.grant is not None
    return visitor_event(
        name,
        visitor,
        tunnel=str(visitor.tunnel),
        lifetime=visitor.grant.lifetime,
        revocation=visitor.grant.lma_timestamp is not None,
    )


def revoked_nobody(nai: str, source: Endpoint) -> Observe:
    """RV37: acknowledged all the same."""
    return Observe(
        Observation(
            name="revocation-without-visitor",
            nai=nai,
            cause="no registration here has that home address and NAI: it was acknowledged",
            details={"lma": str(source)},
        )
    )


def address_changed(former: Ipv4, address: Ipv4) -> Observe:
    """P82."""
    return Observe(
        Observation(
            name="care-of-address-changed",
            details={"former": ipv4_text(former), "address": ipv4_text(address)},
        )
    )


def tunnel_silent(tunnel: Tunnel, nodes: int) -> Observe:
    """P81: no keepalive is answered."""
    return Observe(
        Observation(
            name="tunnel-silent",
            reason="no-answer",
            cause=f"nothing comes back through {tunnel}: the LMA is down, or the way to it takes no such packets",
            details={"tunnel": str(tunnel), "nodes": nodes},
        )
    )


def mapping_lost(tunnel: Tunnel, nodes: int, interval: float) -> Observe:
    """N40, N59: no keepalive through a NAT is answered."""
    return Observe(
        Observation(
            name="mapping-lost",
            reason="no-answer",
            cause=f"keepalives through {tunnel} are not answered: a NAT has forgotten our mapping, or the LMA is down",
            details={"tunnel": str(tunnel), "nodes": nodes, "keepalive_interval": interval},
        )
    )


def keepalives_too_often(tunnel: Tunnel, asked: int) -> Observe:
    """N39."""
    return Observe(
        Observation(
            name="keepalive-interval-raised",
            reason="keepalive-interval",
            cause=f"the LMA asks for a keepalive every {asked} s; more than one in 10 s is not sent",
            details={"tunnel": str(tunnel), "asked": asked},
        )
    )


def refused_by_dhcp(key: AccessKey) -> Observe:
    """RV40: a node that was revoked asked for its old address."""
    return Observe(Observation(name="dhcp-nak", session=str(key), reason="revoked"))


def home_prefix_unknown(visitor: Visitor) -> Observe:
    """D25, P70: the node is told defaults that may be wrong."""
    return visitor_event(
        "home-prefix-unknown",
        visitor,
        cause=f"{ipv4_text(visitor.home_address)} is in none of [[mag.home_prefixes]]: DHCP tells the node a /24, "
        "its first host as gateway, and no DNS",
        reason="home-prefix",
    )


def duplicate_mac(key: AccessKey, served: AccessKey) -> Observe:
    """AA24: the same MAC on a second access interface."""
    cause = f"{mac_text(key.mac)} is served on {served.port} and stays there while it is heard there"
    return Observe(Observation(name="frame-dropped", session=str(key), reason="duplicate-mac", cause=cause))
