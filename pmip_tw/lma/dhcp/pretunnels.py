"""Tunnels for the DHCP of nodes that have no address yet: which node's comes out of which (N51)."""

from collections import OrderedDict

from msgspec import Struct

from pmip_tw.addresses import Mac
from pmip_tw.lma.place import Place
from pmip_tw.mobility.tunnels import Tunnel

MOST = 100_000
"""Of all nodes at a time."""

MOST_IN_A_SECOND = 10
"""Packets out of one (N52)."""

_ENDED_AT_ONCE = 100


class PreTunnel(Struct, gc=False, eq=False):
    """``nai`` may speak DHCP through ``tunnel`` until ``deadline``, monotonic; ``place``: the MAG that asked for it.

    ``mac``: the node's, None until its first DISCOVER tells. ``identification``: of the newest request for it.
    """

    nai: bytes
    mac: Mac | None
    tunnel: Tunnel
    place: Place
    identification: int
    deadline: float
    second: int = 0
    in_second: int = 0

    def may_send(self, monotonic: float) -> bool:
        """Counts what it is asked about."""
        if self.second != int(monotonic):
            self.second, self.in_second = int(monotonic), 0
        self.in_second += 1
        return self.in_second <= MOST_IN_A_SECOND


class PreTunnels:
    """One of each node. All of them are there for equally long, so that the first ends first."""

    def __init__(self) -> None:
        self._by_nai: OrderedDict[bytes, PreTunnel] = OrderedDict()
        self._by_mac: dict[tuple[Tunnel, Mac], PreTunnel] = {}
        # In each tunnel those whose node's MAC nobody knows, the oldest first.
        self._unbound: dict[Tunnel, OrderedDict[bytes, PreTunnel]] = {}

    def of(self, nai: bytes) -> PreTunnel | None:
        return self._by_nai.get(nai)

    def put(self, pre_tunnel: PreTunnel) -> None:
        """Its node has none. Who has claimed the same MAC there before is not found by it any more."""
        self._by_nai[pre_tunnel.nai] = pre_tunnel
        if pre_tunnel.mac is None:
            self._unbound.setdefault(pre_tunnel.tunnel, OrderedDict())[pre_tunnel.nai] = pre_tunnel
        else:
            self._by_mac[pre_tunnel.tunnel, pre_tunnel.mac] = pre_tunnel

    def remove(self, pre_tunnel: PreTunnel) -> None:
        self._by_nai.pop(pre_tunnel.nai, None)
        if pre_tunnel.mac is None:
            self._bound(pre_tunnel)
        elif self._by_mac.get((pre_tunnel.tunnel, pre_tunnel.mac)) is pre_tunnel:
            del self._by_mac[pre_tunnel.tunnel, pre_tunnel.mac]

    def find(self, tunnel: Tunnel, mac: Mac) -> PreTunnel | None:
        """Whose DHCP it is, by MAC."""
        return self._by_mac.get((tunnel, mac))

    def bind(self, tunnel: Tunnel, mac: Mac) -> PreTunnel | None:
        """The oldest there whose node is not known yet is that of ``mac`` from now on; None: there is none."""
        unbound = self._unbound.get(tunnel)
        if not unbound:
            return None
        pre_tunnel = next(iter(unbound.values()))
        self._bound(pre_tunnel)
        pre_tunnel.mac = mac
        self._by_mac[tunnel, mac] = pre_tunnel
        return pre_tunnel

    def _bound(self, pre_tunnel: PreTunnel) -> None:
        unbound = self._unbound[pre_tunnel.tunnel]
        del unbound[pre_tunnel.nai]
        if not unbound:
            del self._unbound[pre_tunnel.tunnel]

    def over(self, monotonic: float) -> list[PreTunnel]:
        """Some of those whose time is over; they are still held."""
        found: list[PreTunnel] = []
        for pre_tunnel in self._by_nai.values():
            if pre_tunnel.deadline > monotonic or len(found) == _ENDED_AT_ONCE:
                break
            found.append(pre_tunnel)
        return found

    def next_deadline(self) -> float | None:
        return next((pre_tunnel.deadline for pre_tunnel in self._by_nai.values()), None)

    def __len__(self) -> int:
        return len(self._by_nai)
