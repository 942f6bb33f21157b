"""What was granted to requests in the same words, for whichever node.

A MAG asks for all its nodes alike. Whether it may, and what it gets, is decided by the words of its request
(``RenewalForm.apart``), by where that came from, and by the configuration, which does not change while the process
lives: the checks of the message, tunnel, lifetime, what the reply says. What depends on the node is no part of it.
"""

from pmip_tw.addresses import Endpoint
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration.terms import Terms
from pmip_tw.wire.registration import BROADCASTS, SIMULTANEOUS
from pmip_tw.wire.renewal import Own, RenewalForm, Words, shape_of

MOST = 4096
"""Words and sources that are remembered. Whoever has more of them than that has them read."""

_Asking = tuple[Endpoint, Words]


class Patterns:
    """Terms by the words that they were granted to."""

    def __init__(self, policy: LmaPolicy) -> None:
        self._policy = policy
        self._forms: dict[tuple[int, int], RenewalForm] = {}
        self._granted: dict[_Asking, Terms] = {}

    def remember(self, binding: Binding) -> None:
        """It was granted to a request that was read; its terms are those of the others from then on."""
        terms, policy = binding.terms, self._policy
        form = terms.form
        if form is None or policy.by_technology or form.home_agent(binding.request) != policy.address:
            return
        if terms.flags & (SIMULTANEOUS | BROADCASTS):
            return  # these depend on what else the node has (L3), and on its home link (HL4)
        if len(self._granted) >= MOST or len(self._forms) >= MOST:
            self._granted.clear()
            self._forms.clear()
        self._forms[shape_of(binding.request)] = form
        words, _ = form.apart(binding.request)
        asking = (terms.source, words)
        if self._granted.get(asking) == terms:
            binding.terms = self._granted[asking]
        else:
            self._granted[asking] = terms

    def find(self, payload: bytes, source: Endpoint) -> tuple[Terms, Own] | None:
        """What the words of ``payload``, a registration request, were granted when somebody read them last."""
        form = self._forms.get(shape_of(payload))
        if form is None:
            return None
        words, own = form.apart(payload)
        terms = self._granted.get((source, words))
        # Another form may find the same words in a request that is no whole one of this form.
        return None if terms is None or terms.form is not form else (terms, own)

    def __len__(self) -> int:
        return len(self._granted)
