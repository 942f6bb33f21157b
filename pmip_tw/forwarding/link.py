"""Facts about and settings of network interfaces, by ioctl: no program and no netlink library needed."""

import array
import errno
import fcntl
import socket
import struct

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import ForwardingError

_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914
_SIOCGIFADDR = 0x8915
_SIOCSIFMTU = 0x8922
_SIOCSIFTXQLEN = 0x8943
_SIOCETHTOOL = 0x8946
_IFF_UP = 0x1

_ETHTOOL_GFLAGS, _ETHTOOL_SFLAGS = 0x25, 0x26
_ETHTOOL_GGRO, _ETHTOOL_SGRO = 0x2B, 0x2C
_FLAG_LRO = 1 << 15


class Link:
    """One interface of this network namespace, by name. ForwardingError from every method that fails."""

    def __init__(self, name: str) -> None:
        if not 0 < len(name.encode()) < 16:
            raise ForwardingError("find", name, "an interface name has 1 to 15 octets")
        self.name = name

    def is_up(self) -> bool:
        """ForwardingError: there is no such interface; which there are."""
        known = sorted(name for _, name in socket.if_nameindex() if name != "lo")
        if self.name not in known:
            there_are = f"this machine has {', '.join(known)}" if known else "this machine has none but lo"
            raise ForwardingError("open", self.name, f"there is no such interface; {there_are}", errno.ENODEV)
        return bool(self._flags() & _IFF_UP)

    def bring_up(self, mtu: int, queue: int) -> None:
        """With ``mtu`` octets, and room for ``queue`` packets.

        In a user namespace the kernel keeps its default queue: that ioctl is for the machine's own root.
        """
        self._ioctl("set the MTU of", _SIOCSIFMTU, struct.pack("i", mtu))
        try:
            self._ioctl("set the queue of", _SIOCSIFTXQLEN, struct.pack("i", queue))
        except ForwardingError as error:
            if error.errno != errno.EPERM:
                raise
        self._ioctl("bring up", _SIOCSIFFLAGS, struct.pack("h", self._flags() | _IFF_UP))

    def address(self) -> Ipv4 | None:
        """Its first IPv4 address."""
        try:
            answer = self._ioctl("read the address of", _SIOCGIFADDR, bytes(16))
        except ForwardingError:
            return None
        return Ipv4(int.from_bytes(answer[20:24], "big"))

    def stop_merging(self) -> tuple[int, int]:
        """Turn receive offloads (GRO, LRO) off; what they were, for ``restore_merging``. Not every driver has them."""
        gro = self._ethtool(_ETHTOOL_GGRO, 0)
        flags = self._ethtool(_ETHTOOL_GFLAGS, 0)
        if gro:
            self._ethtool(_ETHTOOL_SGRO, 0)
        if flags & _FLAG_LRO:
            self._ethtool(_ETHTOOL_SFLAGS, flags & ~_FLAG_LRO)
        return gro, flags

    def restore_merging(self, before: tuple[int, int]) -> None:
        gro, flags = before
        if gro:
            self._ethtool(_ETHTOOL_SGRO, gro)
        if flags & _FLAG_LRO:
            self._ethtool(_ETHTOOL_SFLAGS, flags)

    def _flags(self) -> int:
        answer = self._ioctl("read the flags of", _SIOCGIFFLAGS, bytes(2))
        return int(struct.unpack_from("h", answer, 16)[0])

    def _ethtool(self, command: int, value: int) -> int:
        """The value afterwards; 0 where the driver knows no such thing or the interface has gone."""
        request = array.array("I", (command, value))
        try:
            self._ioctl("set offloads of", _SIOCETHTOOL, struct.pack("P", request.buffer_info()[0]))
        except ForwardingError:
            return 0
        return request[1]

    def _ioctl(self, operation: str, number: int, data: bytes) -> bytes:
        request = struct.pack("16s24s", self.name.encode(), data)
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                return fcntl.ioctl(sock, number, request)
        except OSError as error:
            raise ForwardingError(
                operation, self.name, error.strerror or str(error), error.errno or 0
            ) from error
