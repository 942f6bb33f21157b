"""Keys for an LMA from Diameter servers."""

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.diameter.keys import key_answer_in, key_request
from pmip_tw.aaa.diameter.node import Outcome
from pmip_tw.aaa.node_keys import KeyAnswer, KeyQuestion, KeyUnavailable
from pmip_tw.aaa.profile_rules import ProfileRules
from pmip_tw.interfaces import IDiameterClient, INodeKeys


@implementer(INodeKeys)
class DiameterNodeKeys:
    """``rules``: of several dialects the first that has a key is believed. ``client`` is not ours to start or stop."""

    def __init__(self, client: IDiameterClient, asker: Asker, rules: ProfileRules) -> None:
        self._client = client
        self._asker = asker
        self._rules = rules
        self._outstanding: set[Deferred[KeyAnswer]] = set()
        self._stopped = False

    def fetch(self, question: KeyQuestion) -> "Deferred[KeyAnswer]":
        if self._stopped:
            return succeed(KeyUnavailable("Diameter is stopped"))
        found: Deferred[KeyAnswer] = Deferred()
        self._outstanding.add(found)

        def concluded(outcome: Outcome) -> None:
            if found in self._outstanding:
                self._outstanding.remove(found)
                found.callback(key_answer_in(outcome, question, self._rules))

        request = key_request(question, self._client.new_session_id(), self._asker)
        self._client.ask(request, question.nai.decode(errors="replace")).addCallback(concluded)
        return found

    def stop(self) -> None:
        self._stopped = True
        outstanding, self._outstanding = self._outstanding, set()
        for found in outstanding:
            found.callback(KeyUnavailable("Diameter was stopped before an answer came"))
