"""The TUN device that leads to the mobile nodes: what the kernel routes there is ours to encapsulate.

So firewall, connection tracking, path MTU and fragmentation before encapsulation are the kernel's own.
"""

import errno
import fcntl
import os
import struct
from pathlib import Path

from twisted.logger import Logger

from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.link import Link

_DEVICE = "/dev/net/tun"
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_QUEUE = 2000
_LONGEST = 0x10000

_ADVICE = {
    errno.ENOENT: f"{_DEVICE} is missing; load the kernel's tun module (modprobe tun)",
    errno.EPERM: "needs root or CAP_NET_ADMIN",
    errno.EACCES: f"this user may not open {_DEVICE}; chmod 0666 {_DEVICE}, which is udev's mode for it",
    errno.EBUSY: "another process uses a device of that name",
    errno.EINVAL: "an interface of that name exists and is no TUN device, or the name is no interface name",
}


class TunDevice:
    """Exists while it is open; its routes go with it."""

    _log = Logger()

    def __init__(self, name: str, dropped: drops.Drops) -> None:
        """ForwardingError says what is missing."""
        self.link = Link(name)
        self._drops = dropped
        self._descriptor = -1
        self._is_up = True
        try:
            self._descriptor = os.open(_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.ioctl(
                self._descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI)
            )
        except OSError as error:
            self.close()
            text = _ADVICE.get(error.errno or 0, error.strerror or str(error))
            raise ForwardingError("create", name, text, error.errno or 0) from error

    def bring_up(self, mtu: int) -> None:
        """ForwardingError: we may not."""
        self._silence_ipv6()
        self._silence_redirects()
        self.link.bring_up(mtu, _QUEUE)

    def _silence_ipv6(self) -> None:
        """Only IPv4 goes to the nodes; where the kernel has no IPv6 there is nothing to silence."""
        setting = Path(f"/proc/sys/net/ipv6/conf/{self.link.name}/disable_ipv6")
        try:
            setting.write_text("1")
        except OSError:
            return  # its packets are ignored one by one

    def _silence_redirects(self) -> None:
        """Nodes are all behind this device and cannot reach each other past us (P46): no ICMP says that they could.

        The kernel sends redirects if either the device or "all" allows it; others keep what their own setting says.
        """
        for name in (self.link.name, "all"):
            try:
                Path(f"/proc/sys/net/ipv4/conf/{name}/send_redirects").write_text("0")
            except OSError:
                return  # nodes heed only those of their gateway

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def read(self) -> bytes:
        return os.read(self._descriptor, _LONGEST)

    def write(self, packet: bytes) -> bool:
        """To the machine's own stack. False: lost and counted."""
        try:
            os.write(self._descriptor, packet)
        except OSError as error:
            invalid = error.errno == errno.EINVAL
            self._drops[drops.MALFORMED if invalid else drops.reason_of(error.errno)] += 1
            if error.errno == errno.EIO and self._is_up:
                self._is_up = False
                self._log.critical(
                    "{device} was taken down and has lost its routes: nothing reaches the mobile nodes; "
                    "restart the daemon, or bring it up and route the home prefixes to it again",
                    device=self.link.name,
                )
            return False
        self._is_up = True
        return True


def enable_forwarding() -> None:
    """Make this machine a router. It stays one: others may have come to rely on it when we stop.

    ForwardingError tells the setting to change.
    """
    setting = Path("/proc/sys/net/ipv4/ip_forward")
    try:
        if setting.read_text().strip() == "0":
            setting.write_text("1")
    except OSError as error:
        text = (
            f"it is off, and this process may not turn it on ({error.strerror}): "
            "set net.ipv4.ip_forward = 1 by sysctl, or give the daemon CAP_NET_ADMIN"
        )
        raise ForwardingError("enable", "IPv4 forwarding", text, error.errno or 0) from error
