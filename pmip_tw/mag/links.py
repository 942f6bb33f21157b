"""The home link of each node: as its LMA tells it, else as configured, else as it usually is (P70, D25)."""

import attrs

from pmip_tw.addresses import Ipv4, Prefix
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.mag.newest import Newest
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import Visitor
from pmip_tw.wire.host_configuration import HostConfiguration
from pmip_tw.wire.registration import RegistrationReply

_USUAL_LENGTH = 24
_LONGEST = 30
"""Of a prefix with room for a gateway and a node."""

_MOST_LEARNED = 1024


class HomeLinks:
    """``of`` answers for any address; what LMAs have told about their prefixes counts first."""

    def __init__(self, policy: MagPolicy) -> None:
        self._configured = policy.home_links
        self._broadcasts = policy.tunnel_broadcast
        self._learned: Newest[Prefix, HomeConfiguration] = Newest(_MOST_LEARNED)

    def of(self, home_address: Ipv4) -> HomeConfiguration:
        """The link that ``home_address`` lives on.

        A prefix of which nothing is known is taken for a /24 with its first host as gateway.
        """
        return self.learned(home_address) or self.configured(home_address) or _usual(home_address)

    def of_visitor(self, visitor: Visitor) -> HomeConfiguration:
        """That of its home address, with the name servers that AAA has for this node, if it has any (AA9)."""
        link = self.of(visitor.home_address)
        servers = () if visitor.profile is None else visitor.profile.name_servers
        return attrs.evolve(link, dns=servers) if servers else link

    def is_known(self, home_address: Ipv4) -> bool:
        return (self.configured(home_address) or self.learned(home_address)) is not None

    def configured(self, home_address: Ipv4) -> HomeConfiguration | None:
        for link in self._configured:
            if home_address in link.prefix:
                return link
        return None

    def broadcasts_of(self, home_address: Ipv4) -> Prefix | None:
        """The link whose broadcasts are carried for a node with ``home_address``, None: they are not (P68)."""
        return self.of(home_address).prefix if self._broadcasts else None

    def learned(self, home_address: Ipv4) -> HomeConfiguration | None:
        """What an LMA has told about the link of ``home_address``."""
        return next((link for prefix, link in self._learned.items() if home_address in prefix), None)

    def recall(self, home_address: Ipv4, length: int, gateway: Ipv4, name_servers: tuple[Ipv4, ...]) -> None:
        """What an LMA has told a former process about the link of ``home_address``."""
        base = self.configured(home_address) or _usual(home_address)
        prefix = _prefix(home_address, length)
        self._learned[prefix] = attrs.evolve(base, prefix=prefix, gateway=gateway, dns=name_servers)

    def learn(self, reply: RegistrationReply) -> None:
        """From the authentic part of an accepting reply; what makes no sense is not believed."""
        told = HostConfiguration.told(reply.unknown)
        if told is None:
            return
        base = self.configured(reply.home_address) or _usual(reply.home_address)
        prefix = base.prefix
        if told.prefix_length is not None and 1 <= told.prefix_length <= _LONGEST:
            prefix = _prefix(reply.home_address, told.prefix_length)
        gateway = told.gateway or (base.gateway if base.prefix == prefix else prefix.first_host)
        if gateway not in prefix or gateway in (prefix.network, prefix.broadcast, reply.home_address):
            return
        self.recall(reply.home_address, prefix.length, gateway, told.name_servers or base.dns)


def _usual(home_address: Ipv4) -> HomeConfiguration:
    prefix = _prefix(home_address, _USUAL_LENGTH)
    return HomeConfiguration(prefix=prefix, gateway=prefix.first_host)


def _prefix(address: Ipv4, length: int) -> Prefix:
    return Prefix(Ipv4(address & Prefix(address, length).mask), length)
