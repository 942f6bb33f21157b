"""Refusals that another request may cure: each is tried once, then it is final (RFC 5944 3.6.2.3; DY5-DY10, T5)."""

from collections.abc import Callable

from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.mag.registration.exchanges import Exchange
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extension_values import REDIRECTED_HOME_AGENT
from pmip_tw.wire.ipv4 import is_host_address
from pmip_tw.wire.registration import RegistrationReply

MAX_REDIRECTIONS = 4

_OF_TUNNELS = (
    Code.HA_UDP_ENCAP_UNAVAIL,
    Code.HA_ENCAP_UNAVAIL,
    Code.FA_ENCAP_UNAVAIL,
    Code.HA_REVERSE_UNAVAIL,
)
"""Reverse tunneling is what we are here for (P40): 137 can only be about the encapsulation."""

Readdress = Callable[[Ipv4], Exchange | None]
"""The same exchange at another LMA; None without an association with it."""


def repaired(
    exchange: Exchange,
    reply: RegistrationReply,
    *,
    usual_lifetime: int,
    may_do_without_udp: bool,
    readdress: Readdress,
) -> Exchange | None:
    """What to ask instead of ``exchange`` after ``reply`` has refused it; None: nothing else would help.

    ``usual_lifetime``: what is asked for where no LMA is to be found. ``may_do_without_udp``: UDP tunneling is offered,
    not insisted upon.
    """
    code = reply.code
    if code == Code.REDIRECT_HA_REQ:
        return _redirected(exchange, reply, readdress)
    if (
        code in exchange.repaired and code != Code.HA_UDP_ENCAP_UNAVAIL
    ):  # that has two cures, and ends by itself
        return None
    cured: Exchange | None = None
    if code == Code.FA_LIFETIME_TOO_LONG:
        if 0 < reply.lifetime < exchange.lifetime:
            cured = exchange.again(lifetime=reply.lifetime)
    elif code in _OF_TUNNELS:
        return plainer(exchange, code, may_do_without_udp=may_do_without_udp)
    elif code == Code.HA_UNKNOWN_ADDRESS:
        if exchange.discovers:
            # DY10: it knows nothing of RFC 4433. It is found, so there is nothing to find in a few seconds (DY9).
            cured = exchange.again(home_agent=exchange.lma, lifetime=usual_lifetime)
        elif is_host_address(reply.home_agent) and reply.home_agent not in exchange.given_up | {exchange.lma}:
            cured = readdress(reply.home_agent)
    return None if cured is None else cured.again(repaired=exchange.repaired | {code})


def plainer(exchange: Exchange, code: int, *, may_do_without_udp: bool) -> Exchange | None:
    """What to ask after ``code`` about the tunnel that ``exchange`` asks for; None: there is nothing plainer (N11)."""
    if code not in _OF_TUNNELS:
        return None
    cured = _plain(exchange)
    if cured is None and code == Code.HA_UDP_ENCAP_UNAVAIL and exchange.offers_udp and may_do_without_udp:
        cured = exchange.again(offers_udp=False)
    return None if cured is None else cured.again(repaired=exchange.repaired | {code})


def without_key(exchange: Exchange) -> Exchange | None:
    """An LMA that does not know extension 48 says nothing at all: the next try does without (T5)."""
    return None if exchange.gre_key is None else exchange.again(gre_key=None)


def _plain(exchange: Exchange) -> Exchange | None:
    """IP-in-IP is what everybody has."""
    if exchange.encapsulation is Encapsulation.IP_IN_IP:
        return None
    return exchange.again(encapsulation=Encapsulation.IP_IN_IP, gre_key=None)


def _redirected(exchange: Exchange, reply: RegistrationReply, readdress: Readdress) -> Exchange | None:
    """DY7: to the LMA that the reply names, unless it is one that has sent us on already."""
    named = reply.dynamic_home_agent
    target = named.address if named is not None and named.subtype == REDIRECTED_HOME_AGENT else UNSPECIFIED
    sent_on = exchange.given_up | {exchange.lma}
    if not is_host_address(target) or target in sent_on or len(exchange.given_up) >= MAX_REDIRECTIONS:
        return None
    return readdress(target)
