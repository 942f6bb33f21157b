"""Private network namespaces that a test enters and leaves; the machine's own network is never touched.

A network namespace belongs to a thread, so the test's thread goes in, opens sockets, and comes back.
"""

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Namespace:
    """Lives until ``close`` and until the last socket in it is closed."""

    def __init__(self) -> None:
        with _coming_back():
            _check(_libc.unshare(CLONE_NEWNET))
            self._descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            with netlink() as ip:
                ip.link("set", index=1, state="up")
        for scope in ("all", "default"):
            self.setting(f"net/ipv4/conf/{scope}/rp_filter", "0")
        self.setting("net/ipv6/conf/all/disable_ipv6", "1")
        self.setting("net/ipv6/conf/default/disable_ipv6", "1")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets and programs of the block belong to this namespace."""
        with _coming_back():
            _check(_libc.setns(self._descriptor, CLONE_NEWNET))
            yield

    def close(self) -> None:
        os.close(self._descriptor)

    def setting(self, name: str, value: str) -> None:
        """A sysctl, where this kernel has it."""
        with self.entered():
            try:
                with open(f"/proc/sys/{name}", "w") as file:
                    file.write(value)
            except FileNotFoundError:
                return

    def pair(self, name: str, other: "Namespace", other_name: str) -> None:
        """A veth pair, up: ``name`` here, ``other_name`` there."""
        with self.entered(), netlink() as ip:
            ip.link("add", ifname=name, kind="veth", peer=other_name)
            there = ip.link_lookup(ifname=other_name)[0]
            ip.link("set", index=there, net_ns_fd=other._descriptor)
            ip.link("set", index=ip.link_lookup(ifname=name)[0], state="up")
        with other.entered(), netlink() as ip:
            ip.link("set", index=ip.link_lookup(ifname=other_name)[0], state="up")

    def address(self, name: str, address: str, length: int = 24) -> None:
        with self.entered(), netlink() as ip:
            ip.addr("add", index=ip.link_lookup(ifname=name)[0], address=address, prefixlen=length)

    def neighbor(self, name: str, address: str, mac: str) -> None:
        """A neighbour that needs no ARP."""
        with self.entered(), netlink() as ip:
            index = ip.link_lookup(ifname=name)[0]
            ip.neigh("add", dst=address, lladdr=mac, ifindex=index, state="permanent")

    def route(self, destination: str, gateway: str) -> None:
        with self.entered(), netlink() as ip:
            ip.route("add", dst=destination, gateway=gateway)

    def link_route(self, destination: str, name: str) -> None:
        """``destination`` is on the link of ``name``: its hosts are asked for by ARP there."""
        with self.entered(), netlink() as ip:
            ip.route("add", dst=destination, oif=ip.link_lookup(ifname=name)[0], scope="link")

    def mac(self, name: str) -> bytes:
        with self.entered(), netlink() as ip:
            link = ip.get_links(ip.link_lookup(ifname=name)[0])[0]
            return bytes.fromhex(link.get_attr("IFLA_ADDRESS").replace(":", ""))

    def set_mac(self, name: str, mac: str) -> None:
        with self.entered(), netlink() as ip:
            ip.link("set", index=ip.link_lookup(ifname=name)[0], address=mac)

    def set_mtu(self, name: str, mtu: int) -> None:
        with self.entered(), netlink() as ip:
            ip.link("set", index=ip.link_lookup(ifname=name)[0], mtu=mtu)

    def set_state(self, name: str, state: str) -> None:
        """``state``: up or down."""
        with self.entered(), netlink() as ip:
            ip.link("set", index=ip.link_lookup(ifname=name)[0], state=state)

    def delete(self, name: str) -> None:
        """Remove an interface, as when a network card is unplugged."""
        with self.entered(), netlink() as ip:
            ip.link("del", index=ip.link_lookup(ifname=name)[0])

    def packet_socket(self, name: str) -> socket.socket:
        """Reads and writes frames of an interface as they are; not those that leave by it."""
        with self.entered():
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            sock.setsockopt(263, 23, 1)  # PACKET_IGNORE_OUTGOING
            sock.bind((name, 3))
        sock.setblocking(False)
        return sock


@contextmanager
def _coming_back() -> Iterator[None]:
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        _check(_libc.setns(home, CLONE_NEWNET))
        os.close(home)


def netlink() -> Any:
    from pyroute2 import IPRoute

    return IPRoute()


def require_namespaces() -> None:
    """Skip where the kernel or our privileges do not allow them."""
    try:
        Namespace().close()
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        pytest.skip(f"network namespaces need root, or unshare -Urn around the tests: {error}")
