"""The twin of AAA: it says what the test tells it to say, when the test tells it to."""

from collections.abc import Mapping

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.verdicts import (
    Accept,
    Challenge,
    Conversation,
    Credential,
    EapCredential,
    Reject,
    Unavailable,
    Verdict,
)
from pmip_tw.addresses import Endpoint, Mac, ipv4, mac_text
from pmip_tw.interfaces import IAuthenticator
from pmip_tw.testing.eap_server import EapServer
from pmip_tw.wire.eap import EapCode

_SERVER = Endpoint(ipv4("198.51.100.53"), 1812)


@implementer(IAuthenticator)
class FakeAuthenticator:
    """Answers from ``verdicts``; a MAC without one is rejected.

    ``eap``: who examines nodes that come by 802.1X, of whom ``verdicts`` say the rest; with None they are rejected.
    ``held`` true: nothing is answered until ``release``. ``asked``: every credential so far, in order.
    """

    def __init__(
        self,
        verdicts: Mapping[Mac, Verdict] | None = None,
        *,
        held: bool = False,
        eap: EapServer | None = None,
    ) -> None:
        self.verdicts: dict[Mac, Verdict] = dict(verdicts or {})
        self.eap = eap
        self.held = held
        self.asked: list[Credential] = []
        self._outstanding: list[tuple[Credential, Deferred[Verdict]]] = []
        self._stopped = False

    @property
    def outstanding(self) -> tuple[Mac, ...]:
        """Who waits for a verdict, in order."""
        return tuple(credential.mac for credential, _ in self._outstanding)

    def authenticate(self, credential: Credential) -> Deferred[Verdict]:
        self.asked.append(credential)
        if self._stopped:
            return succeed(Unavailable("the fake AAA is stopped"))
        if not self.held:
            return succeed(self._verdict(credential))
        verdict: Deferred[Verdict] = Deferred()
        self._outstanding.append((credential, verdict))
        return verdict

    def release(self, mac: Mac | None = None) -> int:
        """Answer what is outstanding, all of it or that of ``mac``; how many it was."""
        due = [(who, verdict) for who, verdict in self._outstanding if mac in (None, who.mac)]
        self._outstanding = [one for one in self._outstanding if mac not in (None, one[0].mac)]
        for who, verdict in due:
            verdict.callback(self._verdict(who))
        return len(due)

    def stop(self) -> None:
        self._stopped = True
        due, self._outstanding = self._outstanding, []
        for _, verdict in due:
            verdict.callback(Unavailable("the fake AAA was stopped"))

    def _verdict(self, credential: Credential) -> Verdict:
        if isinstance(credential, EapCredential):
            return self._examined(credential)
        unknown = Reject(f"{mac_text(credential.mac)} is unknown to the fake AAA")
        return self.verdicts.get(credential.mac) or unknown

    def _examined(self, credential: EapCredential) -> Verdict:
        if self.eap is None:
            return Reject("the fake AAA knows no EAP")
        state = b"" if credential.conversation is None else credential.conversation.state
        answer = self.eap.answer(credential.message, state)
        if answer.code is EapCode.REQUEST:
            return Challenge(answer.message, Conversation(server=_SERVER, state=answer.state))
        verdict = self.verdicts.get(credential.mac)
        if answer.code is EapCode.SUCCESS and isinstance(verdict, Accept):
            return Accept(verdict.profile, answer.message)
        return Reject("the fake AAA does not believe it", answer.message)
