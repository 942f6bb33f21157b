"""What a RADIUS server has been asked lately: the same octets again get the same answer again (RFC 5080 2.2.2)."""

from collections import OrderedDict

import attrs

from pmip_tw.addresses import Endpoint

KEPT_SECONDS = 30.0
"""After its answer a request is remembered for so long (RFC 5080 2.2.2: five to thirty)."""

LONGEST_UNANSWERED = 120.0
"""Seconds after which nobody waits for an answer any more."""

USED_FOR_EACH = 16
"""Authenticators that are remembered for each request that can be."""


@attrs.define(slots=True, eq=False)
class KnownRequest:
    """One request by its Request Authenticator. ``answer``: None while it is under way."""

    authenticator: bytes
    until: float
    answer: bytes | None = attrs.field(default=None, repr=False)


class KnownRequests:
    """By where they came from, and their identifier; at most ``most``, of which the oldest go first.

    Who draws a Request Authenticator at random never draws the same one again (RFC 2865 3): those of requests that were
    answered are kept longer than the answers, so that nobody gets something done by repeating what he heard.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_origin: OrderedDict[tuple[Endpoint, int], KnownRequest] = OrderedDict()
        self._used: OrderedDict[bytes, bool] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_origin)

    def find(
        self, source: Endpoint, identifier: int, authenticator: bytes, monotonic: float
    ) -> KnownRequest | None:
        """The very same request; None: it is a new one."""
        known = self._by_origin.get((source, identifier))
        if known is None or known.authenticator != authenticator or known.until <= monotonic:
            return None
        return known

    def was_used(self, authenticator: bytes) -> bool:
        """Whether an earlier request, which has had its effect, had this Request Authenticator."""
        return authenticator in self._used

    def was_answered(self, authenticator: bytes) -> bool:
        """The same, and whoever asked was answered: nobody else needs to hear of it again."""
        return self._used.get(authenticator, False)

    def add(self, source: Endpoint, identifier: int, authenticator: bytes, monotonic: float) -> KnownRequest:
        """A new one takes the place of any other with that origin: whoever sent that does not wait for it any more."""
        known = KnownRequest(authenticator, monotonic + LONGEST_UNANSWERED)
        origin = (source, identifier)
        self._by_origin.pop(origin, None)
        self._by_origin[origin] = known
        self._forget_old(monotonic)
        return known

    def is_awaited(self, source: Endpoint, identifier: int, known: KnownRequest) -> bool:
        """Whether somebody still waits for its answer."""
        return self._by_origin.get((source, identifier)) is known

    def answered(self, known: KnownRequest, answer: bytes, monotonic: float) -> None:
        known.answer, known.until = answer, monotonic + KEPT_SECONDS
        self.use(known.authenticator, answered=True)

    def use(self, authenticator: bytes, *, answered: bool = False) -> None:
        """The request with this one has its effect now."""
        self._used[authenticator] = answered or self.was_answered(authenticator)
        if len(self._used) > USED_FOR_EACH * self._most:
            self._used.popitem(last=False)

    def forget(self, source: Endpoint, identifier: int, known: KnownRequest) -> None:
        """It was not answered: the same octets again are a new try."""
        if self.is_awaited(source, identifier, known):
            del self._by_origin[source, identifier]

    def _forget_old(self, monotonic: float) -> None:
        while self._by_origin:
            oldest = next(iter(self._by_origin.values()))
            if len(self._by_origin) <= self._most and oldest.until > monotonic:
                break
            self._by_origin.popitem(last=False)
