"""The uplink's twin: an address that a test changes."""

from zope.interface import implementer

from pmip_tw.addresses import Ipv4
from pmip_tw.interfaces import IUplink, IUplinkReceiver


@implementer(IUplink)
class FakeUplink:
    """``change`` gives it another address."""

    def __init__(self, address: Ipv4 | None = None) -> None:
        self._address = address
        self._receiver: IUplinkReceiver | None = None

    def address(self) -> Ipv4 | None:
        return self._address

    def start(self, receiver: IUplinkReceiver) -> None:
        self._receiver = receiver

    def stop(self) -> None:
        self._receiver = None

    def change(self, address: Ipv4 | None) -> None:
        """The world changes; whoever listens is told, if it is a change."""
        if address == self._address:
            return
        self._address = address
        if self._receiver is not None:
            self._receiver.uplink_changed(address)
