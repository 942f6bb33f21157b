"""What is known about one server while we run."""

from collections import Counter

from pmip_tw.aaa.radius.configuration import MOST_SOCKETS, RadiusServer, RequireSignature, StatusServer
from pmip_tw.aaa.radius.exchange import Exchange
from pmip_tw.aaa.radius.slots import Slots
from pmip_tw.aaa.radius.states import NEXT, USABLE, Event, State
from pmip_tw.addresses import Endpoint
from pmip_tw.wire.radius import Answer, AttributeType, Code, Request

_EAP_MESSAGE = AttributeType.EAP_MESSAGE.value

_SMOOTHING = 0.125
"""The weight of one round trip in their average."""


class Server:
    """``outstanding``: the exchanges that it is asked in, by slot; ``probe``: ours of them, by Status-Server or by one
    request that somebody made. ``due``: the monotonic instant at which something is to be done about it.

    ``heard_at``: of the last verified answer. ``connected``: of a TLS server, whether there is a connection.
    """

    __slots__ = (
        "_signs", "answers_status", "backoff", "cause", "configured", "connected", "connected_at", "connecting",
        "counts", "credit", "due", "endpoint", "heard_at", "name", "outstanding", "probe", "retry_at", "round_trip",
        "since", "slots", "state", "warned",
    )  # fmt: skip

    def __init__(self, configured: RadiusServer, first_identifier: int, monotonic: float) -> None:
        self.configured = configured
        self.endpoint: Endpoint = configured.endpoint
        self.name = str(configured.endpoint)
        self.outstanding: dict[int, Exchange] = {}
        self.slots = Slots(first_identifier, 1 if configured.tls else MOST_SOCKETS)
        self.state = State.ALIVE
        self.since = monotonic
        self.cause = ""
        """Why it is not alive."""
        self.heard_at = -1.0
        self.due: float | None = None
        self.probe: Exchange | None = None
        self.retry_at: float | None = None
        """When a dead one may have a request, whoever else is alive; None: Status-Server alone tells."""
        self.answers_status = configured.status_server is StatusServer.YES
        self.warned = False
        """Whether it has been said that this server does not sign."""
        self.connected = self.connecting = False
        self.connected_at = 0.0
        self.backoff = 0.0
        """Seconds until the next attempt to connect."""
        self.credit = 0
        """Of the strategy by weights."""
        self.round_trip = 0.0
        self.counts: Counter[str] = Counter()
        self._signs = False

    @property
    def has_room(self) -> bool:
        return len(self.outstanding) < self.configured.max_outstanding

    @property
    def usable(self) -> bool:
        return self.state in USABLE

    @property
    def may_be_tried(self) -> bool:
        """Whether it is dead, and a request can be the question whether it still is.

        Also while a Status-Server is on its way to one that may never answer it, and of which it alone tells nothing.
        """
        if self.usable or not self.has_room or (self.configured.tls and not self.connected):
            return False
        if self.probe is None:
            return self.state is State.DEAD
        status_alone_tells = self.answers_status and self.retry_at is None
        return self.probe.is_probe and not (status_alone_tells or self.configured.tls)

    @property
    def alive_for_all_we_know(self) -> bool:
        """Nothing speaks against it, and nothing was ever heard of it."""
        return self.state is State.ALIVE and self.heard_at < 0

    def happens(self, event: Event, monotonic: float, cause: str = "") -> State | None:
        """The state that it changes to; None if it does not."""
        state = NEXT.get((self.state, event))
        if state is None:
            return None
        self.cause = "" if state is State.ALIVE else cause or self.cause
        if {self.state, state} != {State.DEAD, State.PROBING}:
            self.since = monotonic
        self.state = state
        return state

    def is_silent_since(self, instant: float) -> bool:
        return self.heard_at <= instant

    def must_sign(self, answer: Answer, request: Request) -> bool:
        """Whether ``answer`` must carry Message-Authenticator (AA3): only those to Access-Requests can be forged.

        Whoever forges an answer to EAP leaves EAP out of it: what is let in, or asked on, must be signed all the same.
        A Reject without EAP need not: servers that refuse before they look at EAP do not sign it (RFC 3579 3.3).
        """
        if request.code is not Code.ACCESS_REQUEST:
            return False
        requirement = self.configured.require_message_authenticator
        eap = _has_eap(answer) or (_has_eap(request) and answer.code is not Code.ACCESS_REJECT)
        if requirement is RequireSignature.AUTO:
            return eap or self._signs
        return requirement is RequireSignature.YES or (eap and requirement is RequireSignature.EAP_ONLY)

    def answered(self, answer: Answer, exchange: Exchange, monotonic: float) -> None:
        """A verified answer came. From the first one of its kind on that is signed, all are to be (AA3): there are
        servers that sign EAP, and Status-Server, and nothing else.
        """
        self.heard_at = monotonic
        self.backoff = 0.0
        self.counts["answered"] += 1
        if exchange.tries == 1:
            trip = monotonic - exchange.asked_at
            self.round_trip += (trip - self.round_trip) * (_SMOOTHING if self.round_trip else 1.0)
        if answer.signed and not self._signs and exchange.request.code is Code.ACCESS_REQUEST:
            self._signs = not (_has_eap(answer) or _has_eap(exchange.request))
        if exchange.request.code is Code.STATUS_SERVER:
            self.answers_status = True
            self.counts["status"] += 1


def _has_eap(packet: Answer | Request) -> bool:
    return any(kind == _EAP_MESSAGE for kind, _ in packet.attributes.pairs)
