"""The twin of the links of a DHCP relay's clients, in memory."""

from collections.abc import Iterable

from zope.interface import implementer

from pmip_tw.addresses import Mac
from pmip_tw.interfaces import IClientLinks, IClientLinksReceiver


@implementer(IClientLinks)
class FakeClientLinks:
    """``sent``: (link, packet, destination), in order; ``broadcast`` is what a client does."""

    def __init__(self, links: Iterable[str]) -> None:
        self.sent: list[tuple[str, bytes, Mac]] = []
        self._links = frozenset(links)
        self._receiver: IClientLinksReceiver | None = None

    def start(self, receiver: IClientLinksReceiver) -> None:
        self._receiver = receiver

    def broadcast(self, link: str, packet: bytes) -> None:
        """It is on the link at once."""
        assert link in self._links
        if self._receiver is not None:
            self._receiver.client_packets_received(link, [packet])

    def send(self, link: str, packet: bytes, destination: Mac) -> None:
        if self._receiver is not None and link in self._links:
            self.sent.append((link, packet, destination))

    def drops(self) -> dict[str, int]:
        return {}

    def stop(self) -> None:
        self._receiver = None
