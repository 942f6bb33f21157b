"""Keys for an LMA from Diameter servers."""

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.diameter.keys import key_answer_in, key_request
from pmip_tw.aaa.diameter.mobile_ipv4 import amr, key_in
from pmip_tw.aaa.diameter.node import Outcome, Unanswered
from pmip_tw.aaa.node_keys import KeyAnswer, KeyQuestion, KeyRefused, KeyUnavailable
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.errors import WireError
from pmip_tw.interfaces import IDiameterClient, INodeKeys
from pmip_tw.wire.diameter.message import Message
from pmip_tw.wire.registration import RegistrationRequest


@implementer(INodeKeys)
class DiameterNodeKeys:
    """``rules``: of several dialects the first that has a key is believed. ``client`` is not ours to start or stop.

    ``mobile_ipv4``: a request with MN-AAA goes to AAA as it is (RFC 4004).
    """

    def __init__(
        self, client: IDiameterClient, asker: Asker, rules: ProfileRules, *, mobile_ipv4: bool = False
    ) -> None:
        self._client = client
        self._asker = asker
        self._rules = rules
        self._mobile_ipv4 = mobile_ipv4
        self._outstanding: set[Deferred[Outcome]] = set()
        self._stopped = False

    def fetch(self, question: KeyQuestion) -> "Deferred[KeyAnswer]":
        if self._stopped:
            return succeed(KeyUnavailable("Diameter is stopped"))
        by_amr = self._amr(question)
        if by_amr is None and not question.spi:
            return succeed(
                KeyRefused("AAA is asked about MN-AAA by AMR, which cannot say this", about_request=True)
            )
        request = by_amr or key_request(question, self._client.new_session_id(), self._asker)
        waiting: Deferred[Outcome] = Deferred()
        self._outstanding.add(waiting)

        def concluded(outcome: Outcome) -> None:
            if waiting in self._outstanding:
                self._outstanding.remove(waiting)
                waiting.callback(outcome)

        def meant(outcome: Outcome) -> KeyAnswer:
            if by_amr is not None:
                return key_in(outcome, question)
            return key_answer_in(outcome, question, self._rules)

        # Whoever asks hears of a defect, too.
        answer: Deferred[KeyAnswer] = waiting.addCallback(meant)
        self._client.ask(request, question.nai.decode(errors="replace")).addCallback(concluded)
        return answer

    def _amr(self, question: KeyQuestion) -> Message | None:
        """None: it is not configured, or the question is not about a request with MN-AAA."""
        if not self._mobile_ipv4 or not question.request:
            return None
        try:
            request = RegistrationRequest.decode(question.request)
        except WireError:
            return None  # of a MAG that writes as draft-leung does, or by nobody read yet
        if request.mn_aaa is None:
            return None
        return amr(request, question.request, self._client.new_session_id(), self._asker)

    def stop(self) -> None:
        self._stopped = True
        outstanding, self._outstanding = self._outstanding, set()
        for waiting in outstanding:
            waiting.callback(Unanswered("Diameter was stopped before an answer came"))
