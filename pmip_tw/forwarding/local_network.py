"""The way from mobile nodes into the network around a MAG, past their tunnels, by the kernel's routing (N58)."""

import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

import attrs
from twisted.logger import Logger

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding.announcements import Announcer
from pmip_tw.forwarding.breakout import BreakoutRules
from pmip_tw.forwarding.core_side import CoreSide
from pmip_tw.forwarding.drops import Drops
from pmip_tw.forwarding.kernel_tables import InterfaceChanges, KernelTables
from pmip_tw.forwarding.local_rules import LocalRules
from pmip_tw.forwarding.path_mtu import LINK_MTU
from pmip_tw.forwarding.tun_device import TunDevice, enable_forwarding

_OWN_HOSTS_AT_MOST = 8
"""How many of a prefix are asked about until one is not this machine itself."""


@attrs.frozen(slots=True)
class _Opened:
    """``index``: the device's. ``links``: by index, where ARP is answered."""

    tun: TunDevice
    index: int
    tables: KernelTables
    links: dict[int, Announcer]


class LocalNetwork:
    """A TUN device: what nodes send there is written to it, and home addresses that are admitted are routed to it.

    With ``rules.proxy_arp`` the kernel also answers ARP for them on the interfaces that lead to the listed prefixes.
    """

    _log = Logger()

    def __init__(self, rules: BreakoutRules, dropped: Drops) -> None:
        self._rules = rules
        self._drops = dropped
        self._firewall = LocalRules(rules)
        self._opened: _Opened | None = None
        self._admitted: set[Ipv4] = set()

    def open(self, undo: ExitStack, core: CoreSide, deliver: Callable[[bytes], None]) -> None:
        """Make the device, up and guarded, and read from it for ``deliver``; not if nothing is listed.

        What a crashed process has left is removed in any case. What undoes all that goes onto ``undo``.
        ForwardingError: what is in the way.
        """
        tables = KernelTables()
        undo.callback(tables.close)
        for host, device in tables.abandoned_proxies():
            tables.remove_proxy(host, device)
        if not self._rules.prefixes:
            self._if_possible(self._firewall.remove)
            return
        leading = self._links(tables)
        enable_forwarding()
        self._firewall.install(list(map(socket.if_indextoname, leading)))
        undo.callback(self._if_possible, self._firewall.remove)
        tun = TunDevice(self._rules.device, self._drops)
        undo.callback(tun.close)
        tun.bring_up(LINK_MTU)
        links = {device: Announcer(device) for device in leading}
        for link in links.values():
            undo.callback(link.close)
        self._opened = _Opened(tun, socket.if_nametoindex(self._rules.device), tables, links)
        undo.callback(self._close)
        core.read(undo, self._rules.device, tun, deliver)
        if links:
            changes = InterfaceChanges()
            undo.callback(changes.close)
            core.read(undo, "changes of interfaces", changes, lambda _: self._answer_again())

    def _links(self, tables: KernelTables) -> Sequence[int]:
        """The interfaces by which the listed prefixes are reached, where ARP is answered."""
        if not self._rules.proxy_arp:
            return ()
        own = socket.if_nametoindex("lo")
        return sorted({_link_to(prefix, tables, own) for prefix in self._rules.prefixes} - {own})

    def _answer_again(self) -> None:
        """The kernel forgets proxied neighbors where an interface goes down or loses its last address (P82)."""
        opened = self._opened
        if opened is not None:
            self._if_possible(partial(self._make_good, opened))

    def _make_good(self, opened: _Opened) -> None:
        there = opened.tables.proxies()
        for home_address in self._admitted:
            for device, link in opened.links.items():
                if (home_address, device) not in there:
                    opened.tables.add_proxy(home_address, device)
                    link.announce(home_address)

    def _close(self) -> None:
        for home_address in list(self._admitted):
            self.dismiss(home_address)
        self._opened = None

    def _if_possible(self, act: Callable[[], None]) -> None:
        try:
            act()
        except ForwardingError as error:
            self._log.warn("local breakout: {error}", error=str(error))

    # LocalExit

    def admit(self, home_address: Ipv4) -> None:
        opened = self._opened
        if opened is None:
            raise ForwardingError("break out", ipv4_text(home_address), "the packet plane is not started")
        with ExitStack() as undo:
            opened.tables.add_route(home_address, opened.index)
            undo.callback(opened.tables.remove_route, home_address, opened.index)
            for device in opened.links:
                opened.tables.add_proxy(home_address, device)
                undo.callback(opened.tables.remove_proxy, home_address, device)
            undo.pop_all()
        self._admitted.add(home_address)
        for link in opened.links.values():
            link.announce(home_address)

    def dismiss(self, home_address: Ipv4) -> None:
        opened = self._opened
        if opened is None or home_address not in self._admitted:
            return
        self._admitted.discard(home_address)
        for device in opened.links:
            self._if_possible(partial(opened.tables.remove_proxy, home_address, device))
        self._if_possible(partial(opened.tables.remove_route, home_address, opened.index))

    def write(self, packet: bytes) -> bool:
        return self._opened is not None and self._opened.tun.write(packet)


def _link_to(prefix: Prefix, tables: KernelTables, own: int) -> int:
    """The interface that leads to ``prefix``; ``own`` if all of it is this machine's, as its first hosts may be."""
    hosts = range(prefix.network, prefix.broadcast + 1)[:_OWN_HOSTS_AT_MOST]
    found = (tables.device_to(Ipv4(host)) for host in hosts)
    return next((device for device in found if device != own), own)
