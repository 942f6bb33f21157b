"""The links of a DHCP relay's clients (IClientLinks): packet sockets, since who has no address cannot be spoken to by
UDP, and what is broadcast on a link must be told from what is broadcast on another.
"""

import errno
import os
import socket
import struct
from collections import Counter
from collections.abc import Callable, Sequence

from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.addresses import Mac
from pmip_tw.descriptors import LastingReader, ReadReactor
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IClientLinks, IClientLinksReceiver
from pmip_tw.net import classic_bpf as bpf
from pmip_tw.net import kernel_buffers
from pmip_tw.net.uplink import why_absent
from pmip_tw.wire.dhcp import SERVER_PORT
from pmip_tw.wire.ethernet import ETHERTYPE_IPV4
from pmip_tw.wire.ipv4 import PROTOCOL_UDP

BATCH = 64
"""Packets handled per wake-up, so that timers and other sockets get their turn under a flood."""

_LONGEST = 0x10000
_SOL_PACKET = 263
_PACKET_STATISTICS, _PACKET_AUXDATA, _PACKET_IGNORE_OUTGOING = 6, 8, 23
_AUXDATA = struct.Struct("=IIIHHHH")
_CHECKSUM_NOT_READY = 8
"""TP_STATUS_CSUMNOTREADY of linux/if_packet.h: a network card was to finish the UDP checksum."""

_ALL, _NOTHING = 0xFFFFFFFF, 0
_PROTOCOL, _FRAGMENT, _DESTINATION_PORT = 9, 6, 2


def _to_servers(interface: int) -> bpf.Program:
    """Unfragmented UDP to port 67 (D2, D11), for the interface with that index and none above it, such as a VLAN, which
    is a link of its own (D10). A frame of a VLAN that nobody has here counts as another host's.
    """
    return [
        bpf.load_word(bpf.INTERFACE),
        *bpf.unless_equal(interface, [bpf.answer(_NOTHING)]),
        bpf.load_octet(bpf.PACKET_TYPE),
        *bpf.if_equal(socket.PACKET_OTHERHOST, [bpf.answer(_NOTHING)]),
        bpf.load_octet(_PROTOCOL),
        *bpf.unless_equal(PROTOCOL_UDP, [bpf.answer(_NOTHING)]),
        bpf.load_half(_FRAGMENT),
        *bpf.if_any_bit(0x3FFF, [bpf.answer(_NOTHING)]),
        bpf.ipv4_header_length_to_x(0),
        bpf.load_half_behind_x(_DESTINATION_PORT),
        *bpf.unless_equal(SERVER_PORT, [bpf.answer(_NOTHING)]),
        bpf.answer(_ALL),
    ]


@implementer(IClientLinks)
class PacketClientLinks:
    """``interfaces`` by name."""

    def __init__(self, reactor: ReadReactor, interfaces: Sequence[str]) -> None:
        self._reactor = reactor
        self._interfaces = tuple(interfaces)
        self._links: dict[str, _Link] = {}
        self._drops: Counter[str] = Counter()

    def start(self, receiver: IClientLinksReceiver) -> None:
        try:
            for interface in self._interfaces:
                self._links[interface] = _Link(self._reactor, interface, receiver.client_packets_received)
        except PmipError:
            self.stop()
            raise
        for link in self._links.values():
            link.start_reading()

    def send(self, link: str, packet: bytes, destination: Mac) -> None:
        opened = self._links.get(link)
        if opened is not None:
            why = opened.send(packet, destination)
            if why:
                self._drops[why] += 1

    def drops(self) -> dict[str, int]:
        for link in self._links.values():
            self._drops["socket-buffer"] += link.lost()
        return {reason: count for reason, count in self._drops.items() if count}

    def stop(self) -> None:
        while self._links:
            self._links.popitem()[1].close()


class _Link(LastingReader):
    """One interface, opened."""

    _log = Logger()

    def __init__(
        self, reactor: ReadReactor, interface: str, deliver: Callable[[str, Sequence[bytes]], None]
    ) -> None:
        super().__init__(reactor)
        self._interface = interface
        self._deliver = deliver
        absent = why_absent(interface)
        if absent is not None:
            raise PmipError(absent)
        try:
            # Protocol 0 until it is bound: nothing of other interfaces gets in.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0)
        except OSError as error:
            hint = "; it needs root or CAP_NET_RAW" if error.errno == errno.EPERM else ""
            raise PmipError(f"a packet socket on {interface}: {error.strerror}{hint}") from None
        try:
            self._socket.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
            bpf.attach_filter(self._socket, _to_servers(socket.if_nametoindex(interface)))
            kernel_buffers.enlarge(self._socket)
            self._socket.bind((interface, ETHERTYPE_IPV4))
        except OSError as error:
            self._socket.close()
            raise PmipError(f"a packet socket on {interface}: {error.strerror}") from None

    def send(self, packet: bytes, destination: Mac) -> str:
        """Why it was lost, or nothing."""
        try:
            self._socket.sendto(packet, (self._interface, ETHERTYPE_IPV4, 0, 0, destination))
        except OSError as error:
            return _REASONS.get(error.errno or 0, "send-failed")
        return ""

    def lost(self) -> int:
        """Packets that arrived since this was last asked, and for which the kernel had no room."""
        octets = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        dropped: int = struct.unpack("=II", octets)[1]
        return dropped

    def close(self) -> None:
        self.stop_reading()
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return f"DHCP on {self._interface}"

    def doRead(self) -> None:
        packets: list[bytes] = []
        while len(packets) < BATCH:
            try:
                packets.append(self._receive())
            except BlockingIOError:
                break
            except OSError as error:
                if not self._outlives(error):
                    break
        if packets:
            self._deliver(self._interface, packets)

    def take_errors(self) -> None:
        """Reading fetches a socket's error."""
        self.doRead()

    def _receive(self) -> bytes:
        packet, ancillary, _, _ = self._socket.recvmsg(_LONGEST, socket.CMSG_SPACE(_AUXDATA.size))
        for level, kind, data in ancillary:
            if (level, kind) == (_SOL_PACKET, _PACKET_AUXDATA):
                status = _AUXDATA.unpack_from(data)[0]
                return _without_checksum(packet) if status & _CHECKSUM_NOT_READY else packet
        return packet

    def _outlives(self, error: OSError) -> bool:
        """A link that is down comes back; one that was removed does not, even under the same name."""
        if error.errno == errno.ENETDOWN and self._socket.getsockname()[0]:
            self._log.warn("{link} went down; reading goes on when it is up", link=self._interface)
            return True
        self._log.critical(
            "{link} is gone: {error}; start the relay anew when it is back",
            link=self._interface,
            error=os.strerror(error.errno or 0),
        )
        self.stop_reading()
        return False


_REASONS = {
    errno.EMSGSIZE: "too-big",
    errno.EAGAIN: "send-buffer-full",
    errno.ENOBUFS: "send-buffer-full",
}
"""By errno; words as in the packet plane."""


def _without_checksum(packet: bytes) -> bytes:
    """A UDP checksum that is not computed is 0 (RFC 768)."""
    at = (packet[0] & 0xF) * 4 + 6
    return packet[:at] + b"\0\0" + packet[at + 2 :]
