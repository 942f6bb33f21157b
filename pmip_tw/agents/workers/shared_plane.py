"""The packet plane, which is worker 0's, seen from the others: who has which entry in it, and what is left behind."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from zope.interface import implementer

from pmip_tw.addresses import Ipv4
from pmip_tw.agents.carrying import AtOnce, Changes, Removed
from pmip_tw.agents.workers.messages import Carried, Carry, Change
from pmip_tw.errors import ForwardingError
from pmip_tw.interfaces import IForwardingPlane
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.mobility.tunnels import (
    Activity,
    AlikeEntries,
    AnchorEntry,
    AnchorKey,
    Counters,
    Entry,
    EntryKey,
    Tunnel,
)

if TYPE_CHECKING:
    from pmip_tw.interfaces import IPacketReceiver
    from pmip_tw.mobility.tunnels import AccessKey


class SharedPlane:
    """At worker 0: carries out what others ask for. ``own``: what carries out what worker 0 itself wants.

    ``removed``: as AtOnce has it, of everybody's entries.
    """

    def __init__(self, forwarding: IForwardingPlane, removed: Removed | None = None) -> None:
        self._carrier = AtOnce(forwarding, removed)
        # Of the others; worker 0 knows what is its own.
        self._owners: dict[AnchorKey, int] = {}
        self.own = _OfWorker0(forwarding, self._owners, removed)
        # What a worker that was started again has not asked for again yet.
        self._unclaimed: dict[int, set[AnchorKey]] = {}

    def begins(self, worker: int) -> None:
        """It is a new process; the entries of its former life carry packets until it says otherwise."""
        self._unclaimed[worker] = {key for key, owner in self._owners.items() if owner == worker}

    def serves(self, worker: int) -> None:
        """It has asked for everything that it had."""
        for key in self._unclaimed.pop(worker, set()):
            self._remove(worker, key)

    def carry(self, worker: int, order: Carry) -> Carried:
        refusal: Refusal | None = None
        for change in order.changes:
            if change.key is not None:
                self._remove(worker, change.key)
                continue
            entry = change.installed
            refusal = self._carrier.carry((Install(entry),))
            if refusal is not None:
                break
            self._owners[entry.key] = worker
            self._unclaimed.get(worker, set()).discard(entry.key)
        return Carried.of(order.number, refusal)

    def holder(self, key: AnchorKey) -> int | None:
        """Whose entry it is; None: nobody's, or worker 0's own."""
        return self._owners.get(key)

    def _remove(self, worker: int, key: AnchorKey) -> None:
        """Unless it is another's by now: addresses wander between workers."""
        if self._owners.get(key) == worker:
            del self._owners[key]
            self._carrier.carry((Remove(key),))


class _OfWorker0(AtOnce):
    """An entry that it installs is no other's any more, whoever has left it behind."""

    def __init__(
        self, forwarding: IForwardingPlane, owners: dict[AnchorKey, int], removed: Removed | None
    ) -> None:
        super().__init__(forwarding, removed)
        self._owners = owners

    def carry(self, changes: Changes) -> Refusal | None:
        refusal = super().carry(changes)
        if refusal is None:
            for change in changes:
                if isinstance(change, Install):
                    assert isinstance(change.entry, AnchorEntry)
                    self._owners.pop(change.entry.key, None)
        return refusal

    def install_alike(self, entries: AlikeEntries) -> Sequence[Ipv4]:
        left = super().install_alike(entries)
        if self._owners:
            for home_address in set(entries.home_addresses).difference(left):
                self._owners.pop(AnchorKey(home_address, entries.domain), None)
        return left


@implementer(IForwardingPlane)
class RemotePlane:
    """At another worker: worker 0 has the devices and the counters, and answers when it has done what was asked."""

    name = "of worker 0"

    def __init__(self, tell: Callable[[Carry], None]) -> None:
        self._tell = tell
        self._last = 0
        self._asked: dict[int, Deferred[Refusal | None]] = {}

    def carry(self, changes: Changes) -> "Deferred[Refusal | None]":
        self._last += 1
        answer = self._asked[self._last] = Deferred()
        self._tell(Carry(self._last, [Change.of(change) for change in changes]))
        return answer

    def carried(self, message: Carried) -> None:
        """Worker 0 has answered."""
        self._asked.pop(message.number).callback(message.refusal)

    def start(self, receiver: "IPacketReceiver | None") -> None:
        """The devices are open."""

    def stop(self) -> None:
        """The devices stay open."""

    def install(self, entry: Entry) -> None:
        """Nobody waits for this."""
        self._tell(Carry(0, [Change.of(Install(entry))]))

    def install_alike(self, entries: AlikeEntries) -> Sequence[Ipv4]:
        """Whether worker 0 has them is waited for one by one."""
        return entries.home_addresses

    def remove(self, key: EntryKey) -> Counters:
        self._tell(Carry(0, [Change.of(Remove(key))]))
        return Counters()

    def snapshot(self) -> tuple[Entry, ...]:
        """Worker 0 tells what is there, and takes away what nobody asks for again."""
        return ()

    def counters(self, key: EntryKey) -> Counters:
        """Worker 0 fills them in where they are shown."""
        return Counters()

    def drops(self) -> dict[str, int]:
        return {}

    def transmit(self, port: str, frame: bytes) -> None:
        raise ForwardingError("send to", port, "an anchor has no access ports")

    def forward(self, port: str, frame: bytes) -> None:
        raise ForwardingError("forward from", port, "an anchor has no access ports")

    def activity(self, tunnel: Tunnel) -> Activity:
        """Worker 0 tells."""
        return Activity()

    def keepalive(self, key: "AccessKey") -> None:
        """MAGs ask, anchors answer."""

    def open_dhcp(self, tunnel: Tunnel) -> None:
        raise ForwardingError("open DHCP in", str(tunnel), "the packet plane is worker 0's")

    def close_dhcp(self, tunnel: Tunnel) -> None:
        """None is open."""

    def send_dhcp(self, tunnel: Tunnel, packet: bytes) -> None:
        """None is open: it is lost."""

    def use_address(self, local: int) -> None:
        raise ForwardingError("use", str(local), "an anchor keeps its address: MAGs know it by that")
