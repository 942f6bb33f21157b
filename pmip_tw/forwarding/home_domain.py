"""The address spaces of a TUN anchor: each has a device of its own, and perhaps a routing table (P85)."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import attrs
from twisted.logger import Logger

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import routing
from pmip_tw.forwarding.drops import Drops
from pmip_tw.forwarding.tun_device import TunDevice

DEVICE = "mip0"
MTU = 1468
"""A link of 1500 octets less 32 for IP-in-UDP, the common largest overhead (RFC 3519)."""


@attrs.frozen(slots=True, kw_only=True)
class HomeDomain:
    """Packets to ``prefixes`` that the machine routes come out of ``device``, whose ``mtu`` they fit.

    With ``table`` those routes stand in that routing table only, and what the nodes send is routed by it first: other
    domains may have the same addresses. Which of the machine's other packets look into it is the operator's to say.
    ``gateways``: the routers of home links, where that is not the first host.
    """

    name: str = ""
    device: str = DEVICE
    mtu: int = MTU
    prefixes: tuple[Prefix, ...]
    table: int | None = None
    gateways: Mapping[Prefix, Ipv4] = attrs.field(factory=dict)

    def gateway_of(self, home_address: Ipv4) -> Ipv4:
        """Its home link's router; without a home link the address itself."""
        link = next((prefix for prefix in self.prefixes if home_address in prefix), None)
        return home_address if link is None else self.gateways.get(link, link.first_host)

    def has_all(self, home_addresses: Sequence[Ipv4]) -> bool:
        """Whether one home link has all of them, as it is where it is the only one."""
        lowest, highest = min(home_addresses), max(home_addresses)
        return any(lowest in prefix and highest in prefix for prefix in self.prefixes)

    def require(self, home_address: Ipv4) -> None:
        """ForwardingError: ``home_address`` is on none of the home links."""
        for prefix in self.prefixes:
            if home_address in prefix:
                return
        text = f"it is in none of the home prefixes, which are routed to {self.device}"
        raise ForwardingError("install", ipv4_text(home_address), text)


class DomainDevice:
    """The running device of ``domain``: what leads to its nodes, and from them to the machine's own stack."""

    _log = Logger()

    def __init__(self, domain: HomeDomain, dropped: Drops) -> None:
        self.domain = domain
        self._drops = dropped
        self._tun: TunDevice | None = None

    def open(self, undo: ExitStack) -> TunDevice:
        """Up and routed to; what undoes that goes onto ``undo``. ForwardingError: what is in the way."""
        domain = self.domain
        tun = TunDevice(domain.device, self._drops)
        undo.callback(tun.close)
        tun.bring_up(domain.mtu)
        for prefix in domain.prefixes:
            routing.add_route(prefix, domain.device, domain.table)
        if domain.table is not None:
            routing.add_rule(domain.device, domain.table)
            undo.callback(self._remove_rule, domain.table)
        self._tun = tun
        undo.callback(self._closed)
        return tun

    def _remove_rule(self, table: int) -> None:
        try:
            routing.remove_rule(self.domain.device, table)
        except ForwardingError as error:
            self._log.warn("a routing rule is left behind: {error}", error=str(error))

    def _closed(self) -> None:
        self._tun = None

    def write(self, packet: bytes) -> bool:
        """To the machine's own stack. False: lost and counted."""
        return self._tun is not None and self._tun.write(packet)

    def answer(self, packet: bytes) -> None:
        """An error of ours, routed as what the nodes send."""
        self.write(packet)
