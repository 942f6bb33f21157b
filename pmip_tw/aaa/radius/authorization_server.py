"""RADIUS dynamic authorization (RFC 5176) as a machine: here servers ask, and we are the one that answers.

    datagram -> whose? -> authentic? -> in time? -> once? -> what does it demand? --> Ask --> answered --> Reply
                  |           |            |          |                 +-- Refused -----------------------> Reply
                  +-----------+------------+----------+--> an observation, and nothing else

Nothing of a request is looked at before its authenticator is right. What has been answered is answered again in the
same words for as long as its time may be believed, so that nobody can have it done twice (AA14). A process that begins
has no such memory: it believes no request that the one before may have believed, which is none that is later than its
end by more than ``AuthorizationPolicy.ahead``.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping

import attrs

from pmip_tw.aaa.dynamic_authorization import ErrorCause, Outcome, Refused
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.authorization_answers import ANSWERS, answer, discarded, observed
from pmip_tw.aaa.radius.demands import Demand, demand_of
from pmip_tw.aaa.radius.received import Received
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, ipv4_text
from pmip_tw.errors import WireError
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import ETHERNET, AttributeType, NotVerified, ReceivedRequest, decode_request

DEFAULT_WINDOW = 300.0
"""Seconds by which a request's Event-Timestamp may be behind our clock (RFC 5176 6.3)."""

DEFAULT_AHEAD = 5.0
"""Seconds by which it may be ahead of it; for as long nobody is heard by a process that begins."""

MOST_REMEMBERED = 100_000
"""Requests at a time whose answers are remembered; whoever sends more in their time is told to wait."""


MOST_ADDRESSES = 16
"""Of ours that AAA may know us by: what was told to it before cannot be taken back."""


@attrs.frozen(slots=True, kw_only=True)
class AuthorizationPolicy:
    """``clients``: who may ask, each with the secret that proves it. ``nas``: who we are. ``port_type``: NAS-Port-Type
    of all our sessions, as accounting has it.
    """

    clients: Mapping[Ipv4, Secret]
    nas: Nas
    port_type: int = ETHERNET
    window: float = DEFAULT_WINDOW
    ahead: float = DEFAULT_AHEAD
    require_event_timestamp: bool = True
    require_message_authenticator: bool = False


@attrs.frozen(slots=True)
class Ask:
    """Of the sessions; the outcome comes back by ``answered`` with the same ``number``."""

    number: int
    demand: Demand


@attrs.frozen(slots=True)
class Reply:
    """Send ``datagram`` to whoever has asked, from ``source``, 0: from whichever address."""

    datagram: bytes = attrs.field(repr=False)
    destination: Endpoint
    source: Ipv4 = UNSPECIFIED


Effect = Ask | Reply | Observe | ObserveAlike

_Key = tuple[Endpoint | None, bytes]
"""Source and authenticator, which is computed over all the rest and a secret: no two are alike. A request that says
when it was made is the same from wherever it comes again, and then the source is None here.
"""


@attrs.frozen(slots=True)
class _Asked:
    """What somebody wants; ``local``: our address to which it was sent, 0 if we have but one."""

    request: ReceivedRequest
    source: Endpoint
    local: Ipv4


@attrs.define(slots=True)
class _Remembered:
    """``until``: when its octets would not be believed any more, monotonic.

    ``asked``: until there is an ``answer``, which is empty if it cannot be said.
    """

    until: float
    asked: _Asked | None
    answer: bytes = b""


class AuthorizationServer:
    """Each input returns its effects, in order. ``now``: when it begins."""

    def __init__(self, policy: AuthorizationPolicy, now: Now) -> None:
        self._policy = policy
        self._began = now
        self._nas = policy.nas
        self._told: deque[Ipv4] = deque((policy.nas.address,), MOST_ADDRESSES)
        self._remembered: OrderedDict[_Key, _Remembered] = OrderedDict()
        self._asked: dict[int, _Key] = {}
        self._last = 0

    def use_address(self, address: Ipv4) -> None:
        """Ours is another one now (P82)."""
        if address not in self._told:
            self._told.append(address)
        self._nas = self._nas.at(address)

    def datagram_received(
        self, payload: bytes, source: Endpoint, now: Now, local: Ipv4 = UNSPECIFIED
    ) -> Received[Effect]:
        """``local``: our address to which it was sent, 0 if we have but one."""
        secret = self._policy.clients.get(source.address)
        if secret is None:
            text = f"{ipv4_text(source.address)} is none of the clients of dynamic_authorization"
            return Received([discarded("unknown-client", source, text)])
        try:
            request = decode_request(payload, secret)
        except NotVerified as error:
            text = f"{error}: is the secret of client {ipv4_text(source.address)} the same at both ends?"
            return Received([discarded(error.reason, source, text)])
        except WireError as error:
            return Received([discarded(error.reason, source, str(error))])
        if request.code not in ANSWERS:
            text = f"an {request.code.label} is for another port"
            return Received([discarded("not-dynamic-authorization", source, text)])
        objection = self._objection(request, now)
        if objection is not None:
            reason, text = objection
            return Received([discarded(reason, source, text)])
        return self._heard(_Asked(request, source, local), now)

    def _objection(self, request: ReceivedRequest, now: Now) -> tuple[str, str] | None:
        """Why an authentic request is not even refused: somebody may repeat it who has not made it (RFC 5176 6.3)."""
        policy = self._policy
        if policy.require_message_authenticator and not request.signed:
            return "unsigned", "it has no Message-Authenticator, which require_message_authenticator demands"
        at = request.attributes.first(AttributeType.EVENT_TIMESTAMP)
        if at is None:
            if not policy.require_event_timestamp:
                return None
            return "no-event-timestamp", "it has no Event-Timestamp, which require_event_timestamp demands"
        ahead = _seconds(at) - now.wall
        if ahead > min(policy.ahead, policy.window) or -ahead > policy.window:
            where = "ahead of" if ahead > 0 else "behind"
            return "event-timestamp", f"its time is {abs(ahead):.0f} s {where} ours: are both clocks right?"
        # Later nothing is believed that is so old; by then the clock that it began with may have been set back.
        is_young = now.monotonic - self._began.monotonic <= 2 * policy.window
        if is_young and _seconds(at) < int(self._began.wall + policy.ahead):
            why = f"{policy.ahead:g} s after it, by our clock: the one before may have done it already"
            return "before-start", f"it was made before this process began, or within {why}"
        return None

    def _heard(self, asked: _Asked, now: Now) -> Received[Effect]:
        self._forget_old(now)
        key = _key(asked.request, asked.source)
        known = self._remembered.get(key)
        if known is not None:
            return Received(self._again(known, asked))
        return Received(self._new(key, asked, now), proven=True)

    def _new(self, key: _Key, asked: _Asked, now: Now) -> list[Effect]:
        if len(self._remembered) >= MOST_REMEMBERED:
            why = f"{MOST_REMEMBERED} requests within {self._policy.window:g} s: try again later"
            return self._answer(_Remembered(0.0, asked), Refused(ErrorCause.RESOURCES_UNAVAILABLE, why))
        known = self._remembered[key] = _Remembered(self._believed_until(asked.request, now), asked)
        demand = self._demand_of(asked.request)
        if isinstance(demand, Refused):
            return self._answer(known, demand)
        self._last += 1
        self._asked[self._last] = key
        return [Ask(self._last, demand)]

    def _demand_of(self, request: ReceivedRequest) -> Demand | Refused:
        """Sessions that began when we had another address go by that name as well."""
        policy = self._policy
        return demand_of(
            request.code,
            request.attributes,
            self._nas,
            port_type=policy.port_type,
            told=self._told,
        )

    def _again(self, known: _Remembered, asked: _Asked) -> list[Effect]:
        """A duplicate changes nothing; if the answer was lost, here it is."""
        text = "it was here before, and is answered as it was"
        noted = discarded("duplicate-request", asked.source, text)
        return [noted] if not known.answer else [noted, Reply(known.answer, asked.source, asked.local)]

    def answered(self, number: int, outcome: Outcome) -> list[Effect]:
        """What the sessions say to an Ask."""
        return self._answer(self._remembered[self._asked.pop(number)], outcome)

    def _answer(self, known: _Remembered, outcome: Outcome) -> list[Effect]:
        assert known.asked is not None
        asked, known.asked = known.asked, None
        request, source = asked.request, asked.source
        secret = self._policy.clients[source.address]
        try:
            known.answer = answer(request, outcome, secret)
        except ValueError as error:
            return [discarded("answer-too-long", source, f"with its Proxy-State: {error}")]
        return [observed(request, outcome, source), Reply(known.answer, source, asked.local)]

    def _believed_until(self, request: ReceivedRequest, now: Now) -> float:
        """A window longer than that, for our clock may be set back meanwhile. Of one without a time nobody can say."""
        at = request.attributes.first(AttributeType.EVENT_TIMESTAMP)
        ahead = 0.0 if at is None else _seconds(at) - now.wall
        return now.monotonic + 2 * self._policy.window + ahead

    def _forget_old(self, now: Now) -> None:
        """The oldest are first, more or less: two go for each that comes; who waits for an answer stays."""
        for _ in range(2):
            if not self._remembered:
                return
            key, oldest = next(iter(self._remembered.items()))
            if oldest.until >= now.monotonic or oldest.asked is not None:
                self._remembered.move_to_end(key)
            else:
                del self._remembered[key]


def _seconds(event_timestamp: bytes) -> int:
    """Unix time; of another length it is long ago."""
    return int.from_bytes(event_timestamp, "big") if len(event_timestamp) == 4 else 0


def _key(request: ReceivedRequest, source: Endpoint) -> _Key:
    timed = request.attributes.first(AttributeType.EVENT_TIMESTAMP) is not None
    return None if timed else source, request.authenticator
