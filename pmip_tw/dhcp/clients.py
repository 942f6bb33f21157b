"""Which clients have an address through a relay, as far as it has seen: for people, nothing depends on it."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator

import attrs

from pmip_tw.addresses import Ipv4, Mac
from pmip_tw.dhcp.questions import Answer
from pmip_tw.wire.dhcp import DhcpMessage

MOST_CLIENTS = 16_384
"""Those of whom nothing was heard for longest are forgotten first."""

_FORGOTTEN_AT_ONCE = 16


@attrs.frozen(slots=True, kw_only=True)
class Client:
    """``expires_at``: monotonic, when its lease ends unless it is renewed where no relay sees it."""

    mac: Mac
    link: Hashable
    address: Ipv4
    server: Ipv4
    expires_at: float


class Clients:
    """By link and MAC."""

    def __init__(self) -> None:
        self._clients: OrderedDict[tuple[Hashable, Mac], Client] = OrderedDict()

    def __iter__(self) -> Iterator[Client]:
        return iter(self._clients.values())

    def leased(self, lease: Answer) -> None:
        """It has got, or keeps, an address."""
        mac, link = lease.asked.chaddr, lease.circuit.port
        self._clients.pop((link, mac), None)
        self._clients[link, mac] = Client(
            mac=mac,
            link=link,
            address=lease.message.yiaddr,
            server=lease.server,
            expires_at=lease.asked_at + (lease.message.lease_time or 0),
        )
        self._forget(lease.asked_at)

    def parted(self, link: Hashable, message: DhcpMessage) -> None:
        """It has given its address back."""
        self._clients.pop((link, message.chaddr), None)

    def _forget(self, now: float) -> None:
        for _ in range(_FORGOTTEN_AT_ONCE):
            if not self._clients:
                break
            oldest, client = next(iter(self._clients.items()))
            if client.expires_at > now and len(self._clients) <= MOST_CLIENTS:
                break
            del self._clients[oldest]
