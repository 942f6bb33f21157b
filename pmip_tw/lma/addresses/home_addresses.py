"""Which home address a request gets, and what goes with it (P30, H10; DY1-DY5)."""

from collections.abc import Callable

from pmip_tw.addresses import UNSPECIFIED, Ipv4, ipv4_text
from pmip_tw.lma.addresses.address_pool import HomeLink
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.lma.workers.leases import Ask
from pmip_tw.mobility.tunnels import AnchorKey, Tunnel
from pmip_tw.wire.codes import Code
from pmip_tw.wire.host_configuration import HostConfiguration, wanted_items
from pmip_tw.wire.registration import RegistrationRequest


class HomeAddresses:
    """The pools, seen by the bindings. ``assigned``: by AAA, to a NAI; 0 if it leaves the choice to us (AA10)."""

    def __init__(
        self, pools: Pools, bindings: BindingTable, assigned: Callable[[bytes], Ipv4] | None = None
    ) -> None:
        self._pools = pools
        self._bindings = bindings
        self._assigned = assigned

    def find(
        self,
        nai: bytes,
        owner: bytes,
        wanted: Ipv4,
        bound: Binding | None,
        monotonic: float,
        *,
        any_home_agent: bool = False,
    ) -> AnchorKey | Ask | Refusal:
        """P30: the address of the binding that its owner has, or one of the pools; nobody's until it is taken.

        ``wanted``: 0 for any; who asks for any home agent only suggests one (DY5). An Ask: see Pools.choose.
        """
        if bound is not None:
            if not wanted or wanted == bound.home_address or any_home_agent:
                return bound.key
            return Refusal(
                Code.HA_ADMIN_PROHIBITED,
                f"{ipv4_text(wanted)} is asked for, {ipv4_text(bound.home_address)} is bound (P30)",
            )
        assigned = UNSPECIFIED if self._assigned is None else self._assigned(nai)
        if assigned:
            if wanted not in (UNSPECIFIED, assigned) and not any_home_agent:
                return Refusal(
                    Code.HA_ADMIN_PROHIBITED,
                    f"{ipv4_text(wanted)} is asked for, AAA assigns {ipv4_text(assigned)} (P30)",
                )
            wanted, any_home_agent = assigned, False
        key = self._pools.choose(nai, owner, wanted, monotonic)
        if key is None and wanted and any_home_agent:
            wanted = UNSPECIFIED
            key = self._pools.choose(nai, owner, wanted, monotonic)
        if key is not None:
            return key
        if wanted:
            return Refusal(
                Code.HA_ADMIN_PROHIBITED,
                self._pools.why_not(nai, wanted),
            )
        return Refusal(Code.HA_RESOURCES, self._pools.why_none(nai))

    def ask_ahead(self, key: AnchorKey, monotonic: float) -> Ask | None:
        """See Pools."""
        return self._pools.ask_ahead(key, monotonic)

    def take(self, binding: Binding) -> None:
        """What was found for a new owner is bound, or what was given back is again, as if nothing had happened."""
        self._pools.take(binding.key, binding.nai, binding.owner)

    def release(self, key: AnchorKey, monotonic: float) -> None:
        """It is bound no more."""
        self._pools.release(key, monotonic)

    def clash(self, key: AnchorKey, tunnel: Tunnel) -> Refusal | None:
        """P45: the same home address twice in one tunnel could not be told apart; GRE keys make two tunnels of it."""
        if not self._pools.overlapping:
            return None
        for owner in self._pools.namesakes(key):
            other = self._bindings.get(owner)
            if other is not None and any(_one_road(one.tunnel, tunnel) for one in other.all):
                return Refusal(
                    Code.HA_ENCAP_UNAVAIL,
                    f"{ipv4_text(key.home_address)} is in use by another realm at the same MAG: "
                    "they need GRE keys of their own (P45)",
                )
        return None

    def link(self, key: AnchorKey) -> HomeLink | None:
        return self._pools.link(key)

    def configuration(self, request: RegistrationRequest, key: AnchorKey) -> tuple[bytes, ...]:
        """The extensions that answer a host configuration request (P70); nothing if there is none."""
        wanted = wanted_items(request.unknown)
        link = self._pools.link(key) if wanted else None
        if link is None:
            return ()
        told = HostConfiguration(
            prefix_length=link.prefix.length, gateway=link.gateway, name_servers=link.name_servers
        )
        return told.encode(wanted)


def _one_road(one: Tunnel, other: Tunnel) -> bool:
    """Whether the MAG could not tell by the tunnel which of two nodes a packet is for (P44)."""
    return (one.remote, one.remote_port, one.encapsulation, one.key_out) == (
        other.remote,
        other.remote_port,
        other.encapsulation,
        other.key_out,
    )
