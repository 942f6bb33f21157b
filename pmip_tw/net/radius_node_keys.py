"""Keys for an LMA from RADIUS servers."""

from twisted.internet.defer import Deferred
from zope.interface import implementer

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.node_keys import KeyAnswer, KeyQuestion, KeyUnavailable
from pmip_tw.aaa.profiles.key_mapping import key_answer_of, key_request
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.radius.outcome import AUTHENTICATION, Answered, RadiusOutcome
from pmip_tw.interfaces import INodeKeys, IRadiusClient


@implementer(INodeKeys)
class RadiusNodeKeys:
    """``nas``: who asks. ``rules``: of several dialects the first that has a key is believed."""

    def __init__(self, client: IRadiusClient, nas: Nas, rules: ProfileRules) -> None:
        self._client = client
        self._nas = nas
        self._rules = rules

    def fetch(self, question: KeyQuestion) -> Deferred[KeyAnswer]:
        subject = question.nai.decode(errors="replace")

        def meant(outcome: RadiusOutcome) -> KeyAnswer:
            if isinstance(outcome, Answered):
                return key_answer_of(outcome.answer, outcome.cipher, question, self._rules)
            return KeyUnavailable(outcome.cause)

        asked = self._client.ask(key_request(question, self._nas), AUTHENTICATION, subject=subject)
        return asked.addCallback(meant)

    def stop(self) -> None:
        self._client.stop()
