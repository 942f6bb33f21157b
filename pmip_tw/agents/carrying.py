"""Carrying out at the packet plane what is saved: at once, or in another process."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from twisted.logger import Logger

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import AddressInTunnel, ForwardingError
from pmip_tw.interfaces import IForwardingPlane
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.mobility.tunnels import AlikeEntries, Counters, EntryKey
from pmip_tw.wire.codes import Code

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

Changes = Sequence[Install | Remove]
Removed = Callable[[EntryKey, Counters], None]


class ICarrier(Protocol):
    """Whoever makes the packet plane hold what was agreed upon."""

    def carry(self, changes: Changes) -> "Refusal | Deferred[Refusal | None] | None":
        """In order; None when the plane has them, or how who asked for it is refused. Perhaps later, but in the order
        of asking.
        """

    def install_alike(self, entries: AlikeEntries) -> Sequence[Ipv4]:
        """As IForwardingPlane.install_alike; whoever comes back is carried by himself."""


class AtOnce:
    """The packet plane is in this process."""

    _log = Logger(namespace="pmip.lma")

    def __init__(self, forwarding: IForwardingPlane, removed: Removed | None = None) -> None:
        """``removed``: who is told what entries that are taken out have counted, if anybody."""
        self._forwarding = forwarding
        self._removed = removed

    def install_alike(self, entries: AlikeEntries) -> Sequence[Ipv4]:
        try:
            return self._forwarding.install_alike(entries)
        except Exception:
            self._log.failure("entries of {tunnel} met a defect", tunnel=str(entries.tunnel))
            return entries.home_addresses

    def carry(self, changes: Changes) -> Refusal | None:
        for change in changes:
            if not isinstance(change, Install):
                counters = self._forwarding.remove(change.key)
                if self._removed is not None:
                    self._removed(change.key, counters)
                continue
            try:
                self._forwarding.install(change.entry)
            except AddressInTunnel as error:
                return Refusal(Code.HA_ENCAP_UNAVAIL, str(error))
            except ForwardingError as error:
                return Refusal(Code.HA_RESOURCES, str(error))
            except Exception:
                self._log.failure("{entry} met a defect", entry=change.entry.key)
                return Refusal(Code.HA_RESOURCES, "the packet plane met a defect: the log has it")
        return None
