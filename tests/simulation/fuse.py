"""A machine that dies at any effect: its edges count what it does, and the fuse blows in between."""

from collections.abc import Callable, Sequence
from typing import Any

from pmip_tw.addresses import Ipv4
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram
from pmip_tw.mobility.tunnels import AlikeEntries, Counters, Entry, EntryKey, Tunnel
from pmip_tw.testing.network import FakeSignalling


class Crashed(BaseException):
    """The process is gone, here and now. No ``except Exception`` of an agent may catch that."""


class Fuse:
    """``burn`` before every effect; after ``blow_after`` more of them it blows. ``stirred`` is told of each."""

    def __init__(self, stirred: Callable[[], None]) -> None:
        self.blown = False
        self._stirred = stirred
        self._left: int | None = None

    def blow_after(self, effects: int) -> None:
        self._left = effects

    def never_mind(self) -> None:
        """It does not blow any more."""
        self._left = None

    def burn(self) -> None:
        if self.blown:
            raise Crashed  # a Deferred has swallowed the first
        if self._left is not None:
            if self._left == 0:
                self.blown = True
                raise Crashed
            self._left -= 1
        self._stirred()


class FusedSignalling(FakeSignalling):
    """Sending is an effect. ``before`` and ``after`` are told of every datagram that the agent gets, ``said`` of every
    one that it sends.
    """

    fuse: Fuse
    sent = 0
    before: Callable[[Datagram], None]
    after: Callable[[Datagram], None]

    def said(self, payload: bytes) -> None:
        """Nobody listens, unless it is replaced."""

    def send(self, payload: bytes, destination, source, tos: int = 0) -> int:
        self.fuse.burn()
        self.said(payload)
        self.sent += 1
        return super().send(payload, destination, source, tos)

    def arrive(self, datagram: Datagram) -> None:
        self.before(datagram)
        super().arrive(datagram)
        self.after(datagram)


class FusedPlane(MemoryPlane):
    """Every change, and every frame that leaves, is an effect. ``said`` is told of the frames, ``counted`` of entries
    that are gone.

    ``open_for_dhcp``: tunnels out of which the agent wants DHCP (N52).
    """

    fuse: Fuse

    def __init__(self, **made: Any) -> None:
        super().__init__(**made)
        self.open_for_dhcp: set[Tunnel] = set()

    def said(self, frame: bytes) -> None:
        """Nobody listens, unless it is replaced."""

    def never_mind(self) -> None:
        """The next install does not fail after all."""
        self._failure = None

    def install(self, entry: Entry) -> None:
        self.fuse.burn()
        super().install(entry)

    def install_alike(self, entries: AlikeEntries) -> Sequence[Ipv4]:
        self.fuse.burn()
        return super().install_alike(entries)

    def counted(self, entry: Entry, counters: Counters) -> None:
        """Nobody listens, unless it is replaced."""

    def remove(self, key: EntryKey) -> Counters:
        self.fuse.burn()
        entry = next((entry for entry in self.snapshot() if entry.key == key), None)
        found = super().remove(key)
        if entry is not None:
            self.counted(entry, found)
        return found

    def open_dhcp(self, tunnel: Tunnel) -> None:
        self.fuse.burn()
        super().open_dhcp(tunnel)
        self.open_for_dhcp.add(tunnel)

    def close_dhcp(self, tunnel: Tunnel) -> None:
        self.fuse.burn()
        super().close_dhcp(tunnel)
        self.open_for_dhcp.discard(tunnel)

    def send_dhcp(self, tunnel: Tunnel, packet: bytes) -> None:
        self.fuse.burn()
        super().send_dhcp(tunnel, packet)

    def transmit(self, port: str, frame: bytes) -> None:
        self.fuse.burn()
        self.said(frame)
        super().transmit(port, frame)
