"""The twin of AAA: it says what the test tells it to say, when the test tells it to."""

from collections.abc import Mapping

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.verdicts import Credential, Reject, Unavailable, Verdict
from pmip_tw.addresses import Mac, mac_text
from pmip_tw.interfaces import IAuthenticator


@implementer(IAuthenticator)
class FakeAuthenticator:
    """Answers from ``verdicts``; a MAC without one is rejected.

    ``held`` true: nothing is answered until ``release``. ``asked``: every credential so far, in order.
    """

    def __init__(self, verdicts: Mapping[Mac, Verdict] | None = None, *, held: bool = False) -> None:
        self.verdicts: dict[Mac, Verdict] = dict(verdicts or {})
        self.held = held
        self.asked: list[Credential] = []
        self._outstanding: list[tuple[Mac, Deferred[Verdict]]] = []
        self._stopped = False

    @property
    def outstanding(self) -> tuple[Mac, ...]:
        """Who waits for a verdict, in order."""
        return tuple(mac for mac, _ in self._outstanding)

    def authenticate(self, credential: Credential) -> Deferred[Verdict]:
        self.asked.append(credential)
        if self._stopped:
            return succeed(Unavailable("the fake AAA is stopped"))
        if not self.held:
            return succeed(self._verdict(credential.mac))
        verdict: Deferred[Verdict] = Deferred()
        self._outstanding.append((credential.mac, verdict))
        return verdict

    def release(self, mac: Mac | None = None) -> int:
        """Answer what is outstanding, all of it or that of ``mac``; how many it was."""
        due = [(who, verdict) for who, verdict in self._outstanding if mac in (None, who)]
        self._outstanding = [(who, verdict) for who, verdict in self._outstanding if mac not in (None, who)]
        for who, verdict in due:
            verdict.callback(self._verdict(who))
        return len(due)

    def stop(self) -> None:
        self._stopped = True
        due, self._outstanding = self._outstanding, []
        for _, verdict in due:
            verdict.callback(Unavailable("the fake AAA was stopped"))

    def _verdict(self, mac: Mac) -> Verdict:
        return self.verdicts.get(mac) or Reject(f"{mac_text(mac)} is unknown to the fake AAA")
