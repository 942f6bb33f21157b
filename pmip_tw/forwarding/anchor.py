"""The portable packet plane of an LMA: a TUN device for the home prefixes, a raw socket and UDP to the MAGs."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from zope.interface import implementer

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.descriptors import ReadReactor
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.anchor_domain import AnchorDomain
from pmip_tw.forwarding.anchor_switch import AnchorSwitch
from pmip_tw.forwarding.arrivals import Arrivals
from pmip_tw.forwarding.core_side import CoreSide
from pmip_tw.forwarding.home_domain import DomainDevice, HomeDomain
from pmip_tw.forwarding.tun_device import enable_forwarding
from pmip_tw.forwarding.tunnel_errors import tunnel_errors
from pmip_tw.interfaces import (
    Datagram,
    IForwardingPlane,
    IPacketReceiver,
    ISignalling,
    ITunnelDataReceiver,
)
from pmip_tw.mobility.tunnels import (
    AccessKey,
    Activity,
    AlikeEntries,
    AnchorEntry,
    AnchorKey,
    Counters,
    Entry,
    EntryKey,
    Tunnel,
)


@implementer(IForwardingPlane, ITunnelDataReceiver)
class TunAnchor:
    """``local`` is the home agent address; without ``signalling`` there are no UDP tunnels."""

    name = "tun"

    def __init__(
        self,
        *,
        reactor: ReadReactor,
        monotonic: Callable[[], float],
        signalling: ISignalling | None,
        local: Ipv4,
        domains: Sequence[HomeDomain],
    ) -> None:
        self._monotonic = monotonic
        self._drops = drops.Drops()
        self._undo = ExitStack()
        self._core = CoreSide(
            reactor=reactor, signalling=signalling, local=local, dropped=self._drops, wake=self._wake
        )
        self._switch = AnchorSwitch(
            local=local,
            open_path=self._core.open_path,
            path_mtu=self._core.path_mtu,
            dropped=self._drops,
        )
        self._domains = {domain.name: domain for domain in domains}
        self._devices = [self._device_of(domain, local) for domain in domains]
        self._arrivals = Arrivals(self._switch.packet_arrived, self._drops)

    def _device_of(self, domain: HomeDomain, local: Ipv4) -> tuple[DomainDevice, AnchorDomain]:
        device = DomainDevice(domain, self._drops)
        # Of the main table's domain errors are from our own address, and so not through the TUN device: the kernel
        # drops what arrives there with an address of its own. Another table is asked only by what arrives there.
        main = domain.table is None
        rules = self._switch.add_domain(
            domain.name,
            to_host=device.write,
            answer=self._core.send if main else device.answer,
            speaker=(lambda home_address: local) if main else domain.gateway_of,
            gateway=domain.gateway_of,
        )
        return device, rules

    # IForwardingPlane

    def start(self, receiver: IPacketReceiver | None) -> None:
        if receiver is not None:
            self._switch.receiver = receiver
        with ExitStack() as undo:
            enable_forwarding()
            self._core.open(undo)
            for device, rules in self._devices:
                tun = device.open(undo)
                self._core.read(undo, device.domain.device, tun, rules.downstream)
            self._core.receive(self._arrivals, tunnel_errors(self._switch.error_reported))
            self._undo = undo.pop_all()

    def stop(self) -> None:
        self._undo.close()

    def install(self, entry: Entry) -> None:
        if not isinstance(entry, AnchorEntry):
            raise ForwardingError("install", str(entry.key), "an anchor has no access ports")
        domain = self._domains.get(entry.domain)
        if domain is not None:
            domain.require(entry.home_address)
        self._switch.install(entry)

    def install_alike(self, entries: AlikeEntries) -> Sequence[Ipv4]:
        domain = self._domains.get(entries.domain)
        if domain is None or not domain.has_all(entries.home_addresses):
            return entries.home_addresses
        return self._switch.install_alike(entries)

    def remove(self, key: EntryKey) -> Counters:
        return self._switch.remove(key) if isinstance(key, AnchorKey) else Counters()

    def snapshot(self) -> tuple[Entry, ...]:
        return self._switch.snapshot()

    def counters(self, key: EntryKey) -> Counters:
        return self._switch.counters(key) if isinstance(key, AnchorKey) else Counters()

    def drops(self) -> dict[str, int]:
        return dict(self._drops)

    def transmit(self, port: str, frame: bytes) -> None:
        raise ForwardingError("send to", port, "an anchor has no access ports")

    def forward(self, port: str, frame: bytes) -> None:
        raise ForwardingError("forward from", port, "an anchor has no access ports")

    def activity(self, tunnel: Tunnel) -> Activity:
        return self._switch.activity(tunnel)

    def keepalive(self, key: AccessKey) -> None:
        """MAGs ask, anchors answer."""

    def open_dhcp(self, tunnel: Tunnel) -> None:
        self._switch.dhcp.open(tunnel)

    def close_dhcp(self, tunnel: Tunnel) -> None:
        self._switch.dhcp.close(tunnel)

    def send_dhcp(self, tunnel: Tunnel, packet: bytes) -> None:
        self._switch.dhcp.send(tunnel, packet)

    def use_address(self, local: Ipv4) -> None:
        raise ForwardingError("use", ipv4_text(local), "an anchor keeps its address: MAGs know it by that")

    # ITunnelDataReceiver

    def tunnel_data_received(self, batch: Sequence[Datagram]) -> None:
        self._core.tunnel_data_received(batch)

    def _wake(self) -> None:
        self._switch.now = self._monotonic()
