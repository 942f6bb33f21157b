"""All that an LMA has to do with DHCP: tunnels for it, relaying, leases."""

from collections.abc import Iterable

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.bindings import BindingTable
from pmip_tw.lma.dhcp.leasing import Leasing
from pmip_tw.lma.dhcp.pretunnelling import PreTunnelling
from pmip_tw.lma.dhcp.relaying import DhcpRelaying
from pmip_tw.lma.registration.commitment import Commit, Effect
from pmip_tw.lma.workers.leases import Ask
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AnchorKey, Tunnel


class DhcpSide:
    """``requests``: who gets a pre-tunnel. What comes of it is relayed by ``policy``."""

    def __init__(
        self,
        policy: RelayPolicy,
        requests: PreTunnelling,
        pools: Pools,
        bindings: BindingTable,
        leasing: Leasing,
    ) -> None:
        self._requests = requests
        self.pre_tunnels = requests.pre_tunnels
        self._leasing = leasing
        self._relaying = DhcpRelaying(policy, pools, bindings, self.pre_tunnels, leasing)

    def requested(self, payload: bytes, source: Endpoint, local: Ipv4, now: Now) -> list[Effect]:
        """A request for a pre-tunnel."""
        return self._requests.requested(payload, source, local, now)

    def registered(self, commits: Iterable[Commit]) -> list[Effect]:
        """They are carried out (N55)."""
        effects: list[Effect] = []
        if self.pre_tunnels:
            for commit in commits:
                if commit.binding is not None:
                    effects += self._requests.replaced(commit.binding.nai, commit.binding.place)
        return effects

    def tunneled(self, tunnel: Tunnel, packet: bytes, now: Now) -> list[Effect]:
        return self._relaying.tunneled(tunnel, packet, now)

    def from_home_address(self, payload: bytes, source: Endpoint, domain: str, now: Now) -> list[Effect]:
        return self._relaying.from_home_address(payload, source, domain, now)

    def answered(self, payload: bytes, source: Endpoint, now: Now) -> list[Effect]:
        return self._relaying.answered(payload, source, now)

    def lent(self, ask: Ask, now: Now) -> list[Effect]:
        """Worker 0 has answered it."""
        return self._relaying.lent(ask, now)

    def given_up(self, keys: Iterable[AnchorKey], now: Now) -> list[Effect]:
        """Nobody here is registered with them, and another worker's node gets them."""
        return self._leasing.given_up(keys, now)

    def wake(self, now: Now) -> list[Effect]:
        return [*self._requests.expire(now), *self._relaying.wake(now)]

    def next_deadline(self) -> float | None:
        deadlines = (self.pre_tunnels.next_deadline(), self._relaying.next_deadline())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)
