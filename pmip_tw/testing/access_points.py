"""Access points without RADIUS: a test says whom they let in."""

from zope.interface import implementer

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept
from pmip_tw.interfaces import IAccessPoints, IAccessPointsReceiver
from pmip_tw.mobility.tunnels import AccessKey

BY_EAP = Examined()


@implementer(IAccessPoints)
class FakeAccessPoints:
    """``expelled``: whom they were told to throw off, in order."""

    def __init__(self) -> None:
        self.expelled: list[AccessKey] = []
        self._receiver: IAccessPointsReceiver | None = None

    def start(self, receiver: IAccessPointsReceiver) -> None:
        self._receiver = receiver

    def expel(self, key: AccessKey) -> None:
        self.expelled.append(key)

    def stop(self) -> None:
        self._receiver = None

    def let_in(self, key: AccessKey, profile: Profile, examined: Examined = BY_EAP) -> None:
        """AAA has accepted it."""
        if self._receiver is not None and isinstance(self._receiver.judged(Accept(profile)), Accept):
            self._receiver.attached_elsewhere(key, profile, examined)

    def let_go(self, key: AccessKey, terminate_cause: TerminateCause = TerminateCause.LOST_CARRIER) -> None:
        """It has left its access point."""
        if self._receiver is not None:
            self._receiver.detached_elsewhere(key, "its access point says so", terminate_cause)
