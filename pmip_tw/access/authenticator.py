"""The IEEE 802.1X authenticator of one node on a port (IEEE 802.1X-2010 8; pass-through by RFC 3748 2.3).

```
          begin             Response/Identity          what AAA asks
  IDLE ----------> IDENTIFYING ------------> ASKING <-----------------> CHALLENGED
   ^  ^                | silence            |  |  |  a Response            | silence
   |  |                +---------> Ended <--+  |  +---- Accept: IDLE, authenticated
   |  +-- quiet period is over -- HELD <-------+ Reject
   +------------------------------------- of who is authenticated: IDLE, the caller ends the visit
```

It only passes EAP on: the node's identity and AAA's verdict are all that it looks at. What comes from the node proves
nothing, so that nothing of it opens or ends anything: Success and Failure from there are no answers, a Logoff is asked
about, and whatever has not the identifier of the outstanding Request is ignored (RFC 3748 4.1).
"""

from contextlib import suppress
from enum import Enum

import attrs

from pmip_tw.access.eap_steps import AskServer, Began, Ended, Ignored, Outcome, Passed, Step, Tell
from pmip_tw.errors import WireError
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.eap import IDENTITY, NAK, Eap, EapCode, method_name

MAX_ROUNDS = 100
"""Responses in one conversation; certificates of an unusual size take 20."""

MAX_SECONDS = 120.0
"""For one conversation, however lively it is."""

MAX_IDENTITY = 253
"""Octets, which is what a User-Name has room for (RFC 2865 5.1, RFC 7542 2.3)."""

MAX_RESPONSE = 2900
"""Octets of EAP: what a RADIUS request has room for beside the longest names and State (RFC 2865 3, RFC 3579 3.1)."""

ASKED_WITH_PATIENCE = 3
"""How often a node is asked who it is before something else counts instead: one Request may be lost."""

RESTART_AFTER = 1.0
"""Seconds at least from one beginning to the next that the node asks for."""

LOGOFF_TRIES = 2
LOGOFF_PERIOD = 1.0
"""Who has logged off is asked so many times, seconds apart; its supplicant answers no more."""

UNAVAILABLE_PAUSE = 5.0
"""Seconds after which a node is asked anew for which AAA had no verdict."""


@attrs.frozen(slots=True, kw_only=True)
class EapTimes:
    """Seconds, and tries of one Request, as in ``[mag.dot1x]``. ``patience``: seconds for which who has not said who it
    is, and is not authenticated, is asked at most, None: as often as the tries say.
    """

    tx_period: float = 3.0
    max_tries: int = 5
    quiet_period: float = 30.0
    server_timeout: float = 30.0
    patience: float | None = None


class Phase(Enum):
    """How far a conversation is."""

    IDLE = "idle"
    IDENTIFYING = "identifying"
    ASKING = "asking"
    """AAA has the word."""
    CHALLENGED = "challenged"
    HELD = "held"
    """Refused: nothing that the node says is heard for a while."""


_CONVERSING = (Phase.IDENTIFYING, Phase.ASKING, Phase.CHALLENGED)


class Authenticator:
    """``authenticated``: AAA has accepted the node, and nothing has ended that since. ``answered``: the node has taken
    part in the present conversation. ``identity``: what it last called itself, to anybody; ``method``: by what AAA last
    examined it. ``rounds``, ``began_at``: of the present conversation, or the last one. ``questions``: put to AAA, in
    all; a verdict on an earlier one is for a conversation that is no more.

    Nothing is to be remembered of who has no ``deadline``.
    """

    __slots__ = (
        "_asked_at", "_conversation", "_leaving", "_period", "_request", "_restarts", "_times", "_tries", "answered",
        "authenticated", "began_at", "deadline", "identifier", "identity", "method", "phase", "questions",
        "rounds",
    )  # fmt: skip

    def __init__(self, times: EapTimes, identifier: int = 0, *, authenticated: bool = False) -> None:
        self._times = times
        self.authenticated = authenticated
        self.phase = Phase.IDLE
        self.identifier = identifier
        self.identity = b""
        self.method = ""
        self.rounds = self.questions = 0
        self.began_at = float("-inf")
        self.deadline: float | None = None
        self.answered = False
        self._request = b""
        self._period = times.tx_period
        self._tries = 0
        self._asked_at = float("-inf")
        self._conversation: object | None = None
        self._restarts = False
        self._leaving = False

    @property
    def is_conversing(self) -> bool:
        return self.phase in _CONVERSING

    @property
    def awaits_identity(self) -> bool:
        return self.phase is Phase.IDENTIFYING

    @property
    def will_begin(self) -> bool:
        """The node has asked for it, and has to wait for a moment."""
        return self._restarts

    def hold(self, seconds: float, now: Now) -> None:
        """Nothing has been proven; it is heard again in so long, and asked then."""
        self.authenticated = False
        self.phase, self._restarts, self._leaving = Phase.HELD, False, False
        self._wait(seconds, now)

    def expelled(self, seconds: float, now: Now) -> list[Step]:
        """Whoever was served is so no more: it is told, and heard again in so long."""
        self._conversation = None
        failure = Tell(self._result(EapCode.FAILURE, b""))
        self.hold(seconds, now)
        return [failure]

    # What begins a conversation

    def begin(self, now: Now, why: str) -> list[Step]:
        """Ask who it is, whatever went on; ``why``, for observers."""
        self.phase, self.answered = Phase.IDENTIFYING, False
        self.began_at, self.rounds = now.monotonic, 0
        self._conversation = None
        self._restarts = False
        self.identifier = (self.identifier + 1) % 256
        request = Eap(code=EapCode.REQUEST, identifier=self.identifier, kind=IDENTITY).encode()
        period = self._times.tx_period
        if self._patience is not None:
            period = min(period, self._patience / ASKED_WITH_PATIENCE)
        return [Began(why), *self._ask(request, period, now)]

    def started(self, now: Now) -> list[Step]:
        """EAPOL-Start: its supplicant begins anew, or has missed our Request."""
        if self.phase is Phase.HELD:
            return [Ignored("held")]
        self._leaving = False
        if self.phase is Phase.IDENTIFYING:
            return [Tell(self._request)]
        again_at = self.began_at + RESTART_AFTER
        if again_at <= now.monotonic:
            return self.begin(now, "eapol-start")
        if not self._restarts:
            self._restarts = True
            self.deadline = again_at if self.deadline is None else min(self.deadline, again_at)
        return []

    def shown(self, now: Now) -> list[Step]:
        """A packet that is no EAP: it may have come only now, after the Request, and will not wait for the next one."""
        if self.phase is not Phase.IDENTIFYING or self._asked_at + RESTART_AFTER > now.monotonic:
            return []
        self._asked_at = now.monotonic
        return [Tell(self._request)]

    def logged_off(self, now: Now) -> list[Step]:
        """EAPOL-Logoff, which anybody can send: the node is asked, and if it says nothing it is gone.

        Who is taking part in a conversation has shown that it is here, and has its usual time.
        """
        if not self.authenticated:
            return [Ignored("logoff-of-nobody")]
        self._leaving = True
        return [] if self.is_conversing else self.begin(now, "eapol-logoff")

    # What the node says

    def answer(self, octets: bytes, now: Now) -> list[Step]:
        """An EAP packet from the node. WireError: it is none."""
        response = Eap.decode(octets)
        if response.code is not EapCode.RESPONSE:
            return [Ignored("eap-not-a-response", f"a node may not send EAP {response.code.name.title()}")]
        if self.phase is Phase.HELD:
            return [Ignored("held")]
        if self.phase not in (Phase.IDENTIFYING, Phase.CHALLENGED) or response.identifier != self.identifier:
            return [Ignored("eap-unexpected", "a duplicate, or an answer to no Request that is outstanding")]
        if response.size > MAX_RESPONSE:
            return [Ignored("eap-too-long", f"{response.size} octets: AAA can be asked about {MAX_RESPONSE}")]
        if self.phase is Phase.IDENTIFYING:
            if response.kind != IDENTITY or len(response.data) > MAX_IDENTITY:
                return [Ignored("eap-no-identity", f"no identity of at most {MAX_IDENTITY} octets")]
            self.identity = response.data
        octets = octets[: response.size]  # a server would miss what padding says that there is (RFC 3748 4.1)
        self.rounds += 1
        self.answered, self._leaving = True, False
        passed = self._passed("eap-response", response, octets)
        if self.rounds > MAX_ROUNDS or now.monotonic > self.began_at + MAX_SECONDS:
            cause = self._endless(self.rounds - 1, now)
            return [passed, *self._failed(b"", Outcome.ENDLESS, cause, now)]
        self.phase = Phase.ASKING
        self.questions += 1
        self._wait(self._times.server_timeout, now)
        return [passed, AskServer(self.identity, octets, self._conversation)]

    # What AAA says to the last AskServer

    def challenged(self, message: bytes, conversation: object, timeout: float, now: Now) -> list[Step]:
        """AAA asks the node something. ``timeout``: after which to ask again, 0: as usual (RFC 3580 3.17)."""
        try:
            request = Eap.decode(message)
        except WireError as error:
            return self.unavailable(f"the Challenge has no EAP packet: {error}", now)
        if request.code is not EapCode.REQUEST:
            return self.unavailable("the Challenge holds no EAP Request", now)
        if request.kind > NAK:
            self.method = method_name(request.kind)
        self.phase, self.identifier = Phase.CHALLENGED, request.identifier
        self._conversation = conversation
        passed = self._passed("eap-request", request, message)
        return [passed, *self._ask(message, timeout or self._times.tx_period, now)]

    def accepted(self, message: bytes, now: Now) -> list[Step]:
        """The verdict counts, whatever the EAP packet in it says (RFC 3579 2.6.3)."""
        self.authenticated = True
        self._rest(now)
        return [Tell(self._result(EapCode.SUCCESS, message))]

    def rejected(self, message: bytes, cause: str, now: Now) -> list[Step]:
        return self._failed(message, Outcome.REJECTED, cause, now)

    def unavailable(self, cause: str, now: Now) -> list[Step]:
        """No verdict: who is authenticated stays so, and is asked again by the caller; others are in a moment."""
        ended = Ended(Outcome.UNAVAILABLE, cause)
        failure = Tell(self._result(EapCode.FAILURE, b""))
        if self.authenticated:
            # Told of a failure, a supplicant may take itself off the network, where it is served on.
            self._rest(now)
            return [ended]
        self.hold(UNAVAILABLE_PAUSE, now)
        return [failure, ended]

    def due(self, now: Now) -> list[Step]:
        """Time has passed."""
        if self.deadline is None or self.deadline > now.monotonic:
            return []
        if self._restarts and self.began_at + RESTART_AFTER <= now.monotonic:
            return self.begin(now, "eapol-start")
        if self.phase is Phase.HELD:
            return self.begin(now, "quiet-period-over")
        if self.phase is Phase.ASKING:
            cause = f"AAA has said nothing for {self._times.server_timeout:g} s"
            return self.unavailable(cause, now)
        if self.phase is Phase.IDLE:
            self.deadline = None
            return []
        if self.phase is Phase.CHALLENGED and self.began_at + MAX_SECONDS <= now.monotonic:
            return self._failed(b"", Outcome.ENDLESS, self._endless(self.rounds, now), now)
        if self._may_ask_again(now):
            return self._transmit(now)
        if self._leaving:
            return self._failed(b"", Outcome.LOGGED_OFF, "it has logged off", now)
        return self._failed(b"", Outcome.SILENT, self._silence(), now)

    def _may_ask_again(self, now: Now) -> bool:
        if self._patience is not None and self.phase is Phase.IDENTIFYING:
            return now.monotonic < self.began_at + self._patience
        most = LOGOFF_TRIES if self._is_leaving else self._times.max_tries
        return self._tries < most

    @property
    def _patience(self) -> float | None:
        """Nothing else counts instead for who is authenticated already."""
        return None if self.authenticated else self._times.patience

    @property
    def _is_leaving(self) -> bool:
        """It has logged off, as somebody says, and has not said a word to the contrary."""
        return self._leaving and not self.answered

    def _endless(self, rounds: int, now: Now) -> str:
        return f"it did not end after {rounds} rounds in {now.monotonic - self.began_at:.0f} s"

    def _silence(self) -> str:
        what = "its identity" if self.phase is Phase.IDENTIFYING else f"EAP {self.method}"
        return f"its supplicant says nothing to {self._tries} Requests for {what}"

    def _failed(self, message: bytes, outcome: Outcome, cause: str, now: Now) -> list[Step]:
        """It is not, or no longer, authenticated. Who said nothing is not held off: it may be here at any moment."""
        told = [] if self._unheard else [Tell(self._result(EapCode.FAILURE, message))]
        self.authenticated = False
        if outcome in (Outcome.REJECTED, Outcome.ENDLESS):
            self.hold(self._times.quiet_period, now)
        else:
            self._rest(now)
        return [*told, Ended(outcome, cause)]

    @property
    def _unheard(self) -> bool:
        """There may be no supplicant at all, to which a Failure would say something."""
        return self.phase is Phase.IDENTIFYING and not self.authenticated

    def _result(self, code: EapCode, message: bytes) -> bytes:
        """What AAA gave if it is what it should be, else one of ours, to the last Response (RFC 3748 4.2)."""
        with suppress(WireError):
            if Eap.decode(message).code is code:
                return message
        return Eap(code=code, identifier=self.identifier).encode()

    def _rest(self, now: Now) -> None:
        """Nothing is under way, and soon there is nothing to be remembered."""
        self.phase = Phase.IDLE
        self._leaving = self._restarts = False
        self._conversation, self._request = None, b""
        again_at = self.began_at + RESTART_AFTER
        self.deadline = again_at if again_at > now.monotonic else None

    def _ask(self, request: bytes, period: float, now: Now) -> list[Step]:
        self._request, self._period, self._tries = request, period, 0
        return self._transmit(now)

    def _transmit(self, now: Now) -> list[Step]:
        """The first time, or once more the same octets (RFC 3748 4.3)."""
        self._tries += 1
        self._asked_at = now.monotonic
        self._wait(min(self._period, LOGOFF_PERIOD) if self._is_leaving else self._period, now)
        return [Tell(self._request, widely=self.phase is Phase.IDENTIFYING and self._tries > 1)]

    def _wait(self, seconds: float, now: Now) -> None:
        self.deadline = now.monotonic + seconds
        if self._patience is not None and self.phase is Phase.IDENTIFYING:
            self.deadline = min(self.deadline, self.began_at + self._patience)
        if self.phase is Phase.CHALLENGED:
            # Whatever time AAA gives it: an answer would come too late.
            self.deadline = min(self.deadline, self.began_at + MAX_SECONDS)
        if self._restarts:
            self.deadline = min(self.deadline, self.began_at + RESTART_AFTER)

    @staticmethod
    def _passed(name: str, eap: Eap, octets: bytes) -> Passed:
        return Passed(name, eap.method, eap.identifier, len(octets))
