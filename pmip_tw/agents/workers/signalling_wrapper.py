"""Port 434 of an LMA with several workers: what worker 0 and the others do alike to the signalling below them."""

from collections.abc import Collection, Sequence

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.interfaces import ISignalling, ISignallingReceiver


class SignallingWrapper:
    """ISignalling but for ``start``, passed on as it is. ``_receiver``: who hears, None as long as nobody does."""

    def __init__(self, signalling: ISignalling) -> None:
        self._signalling = signalling
        self._receiver: ISignallingReceiver | None = None

    @property
    def addresses(self) -> tuple[Ipv4, ...]:
        found: tuple[Ipv4, ...] = self._signalling.addresses
        return found

    def send(self, payload: bytes, destination: Endpoint, source: Ipv4, tos: int = 0) -> int:
        return self._signalling.send(payload, destination, source, tos)

    def send_all(self, messages: Sequence[tuple[bytes, Endpoint]], source: Ipv4) -> None:
        self._signalling.send_all(messages, source)

    def authenticated(self, sources: Collection[Endpoint]) -> None:
        self._signalling.authenticated(sources)

    def drops(self) -> dict[str, int]:
        return self._signalling.drops()

    def use_address(self, old: Ipv4, new: Ipv4) -> None:
        self._signalling.use_address(old, new)

    def stop(self) -> None:
        self._signalling.stop()
