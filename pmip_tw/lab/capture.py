"""Capture on several interfaces of several namespaces into one pcapng file.

A process of its own:  python -m pmip_tw.lab.capture FILE TAP=NAMESPACE:INTERFACE...
It says "capturing" when every tap is open, and at the end how many packets it kept and lost.
"""

import contextlib
import ctypes
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

import attrs

from pmip_tw.errors import PmipError
from pmip_tw.lab import packet_filter
from pmip_tw.lab.pcapng import Direction, Writer, sort_by_time
from pmip_tw.lab.programs import Program

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEWNET = 0x40000000
_ALL_PROTOCOLS = 3
_ATTACH_FILTER = 26
_RECEIVE_BUFFER_FORCE = 33
_TIMESTAMP_NS = 35
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_TIMESPEC = struct.Struct("qq")
_BATCH = 256


@attrs.frozen(slots=True, kw_only=True)
class Tap:
    """Where to listen; ``name`` is what Wireshark shows as the interface."""

    name: str
    namespace: str
    interface: str

    def __str__(self) -> str:
        return f"{self.name}={self.namespace}:{self.interface}"

    @classmethod
    def parse(cls, text: str) -> "Tap":
        """What ``str`` writes. ValueError otherwise."""
        name, _, where = text.partition("=")
        namespace, colon, interface = where.partition(":")
        if not (name and namespace and colon and interface):
            raise ValueError(f"{text!r} is not TAP=NAMESPACE:INTERFACE")
        return cls(name=name, namespace=namespace, interface=interface)


class Capture:
    """The capturing process, seen from the scenario."""

    def __init__(self, program: Program, path: Path) -> None:
        self._program = program
        self.path = path

    @classmethod
    async def start(cls, path: Path, taps: Sequence[Tap], log: Path) -> "Capture":
        """Return when every tap is open."""
        command = [sys.executable, "-m", "pmip_tw.lab.capture", str(path), *map(str, taps)]
        program = await Program.start("capture", command, log)
        await program.said("^capturing$", within=10)
        return cls(program, path)

    async def stop(self) -> int:
        """Close the file, its packets in order of time; how many the kernel could not hand over in time."""
        self._program.send(signal.SIGTERM)
        lost = await self._program.said(r"^kept \d+ packets, lost (\d+)$", within=30)
        await self._program.ended(within=10)
        return int(lost[1])


@contextlib.contextmanager
def _inside(namespace: str) -> Iterator[None]:
    """Sockets opened in this block belong to that network namespace."""
    with open("/proc/self/ns/net", "rb") as ours, open(f"/run/netns/{namespace}", "rb") as theirs:
        if _LIBC.setns(theirs.fileno(), _NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace)
        try:
            yield
        finally:
            _LIBC.setns(ours.fileno(), _NEWNET)


def _open(tap: Tap) -> socket.socket:
    with _inside(tap.namespace):
        listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    length, octets = packet_filter.program()
    instructions = ctypes.create_string_buffer(octets)
    listener.setsockopt(
        socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", length, ctypes.addressof(instructions))
    )
    listener.setsockopt(socket.SOL_SOCKET, _TIMESTAMP_NS, 1)
    try:
        listener.setsockopt(socket.SOL_SOCKET, _RECEIVE_BUFFER_FORCE, 1 << 25)
    except PermissionError:  # in a user namespace; the ordinary limit must do then
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    listener.bind((tap.interface, _ALL_PROTOCOLS))
    listener.setblocking(False)
    return listener


def _drain(listener: socket.socket, number: int, writer: Writer, most: int) -> int:
    """Write up to ``most`` waiting packets; how many there were."""
    for count in range(most):
        try:
            octets, ancillary, _, address = listener.recvmsg(packet_filter.WHOLE, 64, socket.MSG_TRUNC)
        except BlockingIOError:
            return count
        seconds, nanoseconds = _TIMESPEC.unpack_from(ancillary[0][2])
        outbound = address[2] == socket.PACKET_OUTGOING
        writer.write(
            number,
            seconds * 1_000_000_000 + nanoseconds,
            Direction.OUTBOUND if outbound else Direction.INBOUND,
            octets,
            max(len(octets), _stated_length(octets)),
        )
    return most


def _stated_length(octets: bytes) -> int:
    """The length on the wire of a packet that the filter may have cut, by its own IPv4 header."""
    if len(octets) < 18 or octets[12:14] != b"\x08\x00":
        return 0
    return 14 + int.from_bytes(octets[16:18], "big")


def main(arguments: Sequence[str]) -> int:
    path, taps = Path(arguments[0]), [Tap.parse(text) for text in arguments[1:]]
    wake, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    stopping = False

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started us
    try:
        listeners = [_open(tap) for tap in taps]
    except OSError as error:
        raise PmipError(f"cannot capture: {error}") from error
    kept = 0
    with path.open("wb") as file:
        writer = Writer(
            file,
            [tap.name for tap in taps],
            comment="TCP: headers only; of a transfer at full speed every 16th segment",
        )
        writer.flush()
        poll = select.poll()
        numbers = {listener.fileno(): number for number, listener in enumerate(listeners)}
        for descriptor in (wake.fileno(), *numbers):
            poll.register(descriptor, select.POLLIN)
        print("capturing", flush=True)
        while not stopping:
            for descriptor, _ in poll.poll():
                if descriptor in numbers:
                    number = numbers[descriptor]
                    kept += _drain(listeners[number], number, writer, _BATCH)
        for number, listener in enumerate(listeners):
            kept += _drain(listener, number, writer, 1_000_000)
    sort_by_time(path)
    lost = 0
    for listener in listeners:
        lost += struct.unpack("II", listener.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1]
    print(f"kept {kept} packets, lost {lost}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
