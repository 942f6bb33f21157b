"""AAA without a server: the MAG's own user file."""

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.local_users import LocalUsers
from pmip_tw.aaa.verdicts import Credential, Unavailable, Verdict
from pmip_tw.interfaces import IAuthenticator


@implementer(IAuthenticator)
class LocalAuthenticator:
    """Answers from ``users`` at once."""

    def __init__(self, users: LocalUsers) -> None:
        self._users = users
        self._stopped = False

    def authenticate(self, credential: Credential) -> Deferred[Verdict]:
        if self._stopped:
            return succeed(Unavailable("the user file is closed"))
        return succeed(self._users.verdict(credential))

    def stop(self) -> None:
        self._stopped = True
