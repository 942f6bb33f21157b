"""A packet socket on one access interface: every frame that arrives there, and frames of ours."""

import ctypes
import errno
import os
import socket
import struct

from pmip_tw.forwarding import drops
from pmip_tw.forwarding.offloads import NO_OFFLOAD, VNET_HEADER
from pmip_tw.forwarding.raw_ip import enlarge_buffers, not_opened

_ETH_P_ALL = 0x0003
_SOL_PACKET = 263
_PACKET_ADD_MEMBERSHIP, _PACKET_VNET_HDR, _PACKET_IGNORE_OUTGOING = 1, 15, 23
_PACKET_MR_PROMISC = 1
_SO_ATTACH_FILTER = 26

LONGEST = VNET_HEADER + 14 + 0x10000
"""A whole super-frame with what stands before it."""

# Frames of another VLAN would look untagged here, because the kernel takes the tag off: keep only those without
# a tag or with VLAN 0, which is a priority and no VLAN. (code, jump if true, jump if false, operand)
_UNTAGGED_ONLY = (
    (0x28, 0, 0, 0xFFFFF000 + 48),  # load: is there a VLAN tag?
    (0x15, 3, 0, 0),  # no: take the frame
    (0x28, 0, 0, 0xFFFFF000 + 44),  # load the tag
    (0x45, 0, 1, 0x0FFF),  # any bit of the VLAN number?
    (0x06, 0, 0, 0),  # yes: not ours
    (0x06, 0, 0, 0xFFFFFFFF),
)


class PacketSocket:
    """Opened on ``interface``, which must be up."""

    def __init__(self, interface: str, dropped: drops.Drops) -> None:
        """ForwardingError: no privilege, or no such interface."""
        self._drops = dropped
        try:
            # Protocol 0 until it is bound: nothing of other interfaces gets in.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        except OSError as error:
            raise not_opened(f"a packet socket on {interface}", error) from error
        try:
            index = socket.if_nametoindex(interface)
            self._socket.setblocking(False)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
            self._attach_filter()
            enlarge_buffers(self._socket)
            self._socket.bind((interface, _ETH_P_ALL))
            # The gateway's MAC is not the interface's own.
            membership = struct.pack("iHH8s", index, _PACKET_MR_PROMISC, 0, b"")
            self._socket.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, membership)
        except OSError as error:
            self._socket.close()
            raise not_opened(f"a packet socket on {interface}", error) from error

    def _attach_filter(self) -> None:
        program = b"".join(struct.pack("HBBI", *instruction) for instruction in _UNTAGGED_ONLY)
        octets = ctypes.create_string_buffer(program)
        self._socket.setsockopt(
            socket.SOL_SOCKET,
            _SO_ATTACH_FILTER,
            struct.pack("HP", len(_UNTAGGED_ONLY), ctypes.addressof(octets)),
        )

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def read(self) -> bytes:
        """A ``virtio_net_hdr`` and a frame (see offloads). OSError: ENODEV if the interface has gone for good."""
        try:
            return self._socket.recv(LONGEST)
        except OSError as error:
            # The kernel says the same when it only went down, and then the socket serves again once it is up.
            if error.errno == errno.ENETDOWN and not self._socket.getsockname()[0]:
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from error
            raise

    def send(self, frame: bytes) -> bool:
        """False: lost and counted."""
        try:
            self._socket.send(NO_OFFLOAD + frame)
        except OSError as error:
            self._drops[drops.reason_of(error.errno)] += 1
            return False
        return True
