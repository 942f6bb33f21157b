"""Entries of the packet plane that hold more than their bindings: it has not made them smaller yet."""

from twisted.logger import Logger

from pmip_tw.errors import ForwardingError
from pmip_tw.interfaces import IForwardingPlane
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.mobility.tunnels import AnchorKey


class TooBig:
    """One of several bindings ended: what stays is a part of what the packet plane has, which it can hold."""

    _log = Logger(namespace="pmip.lma")

    def __init__(self, engine: LmaEngine, forwarding: IForwardingPlane) -> None:
        self._engine = engine
        self._forwarding = forwarding
        self._keys: dict[AnchorKey, None] = {}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def add(self, key: AnchorKey) -> None:
        self._keys[key] = None

    def make_smaller(self) -> None:
        """What fails is tried once more the next time."""
        for key in list(self._keys):
            carried = self._engine.carried_at(key)
            try:
                if carried is not None:
                    self._forwarding.install(carried.entry)
                del self._keys[key]
            except ForwardingError as error:
                self._log.error("{entry} still has a tunnel too many: {error}", entry=key, error=error)
