"""The authenticator of IEEE 802.1X, between a node that may say anything and an AAA that decides.

``Line`` is one node's line: its left end is the node, its right end AAA; what comes out is written as a diagram.
"""

from contextlib import suppress

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pmip_tw.access.authenticator import (
    MAX_ROUNDS,
    MAX_SECONDS,
    UNAVAILABLE_PAUSE,
    Authenticator,
    EapTimes,
    Phase,
)
from pmip_tw.access.eap_steps import AskServer, Ended, Ignored, Outcome, Passed, Step, Tell
from pmip_tw.errors import WireError
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.eap import Eap, EapCode
from tests.conformance import covers

TIMES = EapTimes(tx_period=3.0, max_tries=5, quiet_period=30.0, server_timeout=20.0)
MD5, TTLS = 4, 21


class Line:
    """Instants begin at 1000. ``said``: everything since last asked, as words."""

    def __init__(self, *, authenticated: bool = False, patience: float | None = None) -> None:
        times = attrs.evolve(TIMES, patience=patience)
        self.machine = Authenticator(times, 6, authenticated=authenticated)
        self.at = 1000.0
        self.steps: list[Step] = []

    @property
    def now(self) -> Now:
        return Now(self.at, 0.0, bytes)

    @property
    def said(self) -> list[str]:
        told, self.steps = self.steps, []
        return [word for step in told if (word := _word(step))]

    def begin(self) -> None:
        self.steps += self.machine.begin(self.now, "packet")

    def start(self) -> None:
        self.steps += self.machine.started(self.now)

    def logoff(self) -> None:
        self.steps += self.machine.logged_off(self.now)

    def response(
        self, kind: int = 1, data: bytes = b"mn1@example.net", identifier: int | None = None
    ) -> None:
        identifier = self.machine.identifier if identifier is None else identifier
        packet = Eap(code=EapCode.RESPONSE, identifier=identifier, kind=kind, data=data)
        self.steps += self.machine.answer(packet.encode(), self.now)

    def challenge(
        self, identifier: int, kind: int = TTLS, state: object = "state", timeout: float = 0
    ) -> None:
        request = Eap(code=EapCode.REQUEST, identifier=identifier, kind=kind, data=b"a challenge")
        self.steps += self.machine.challenged(request.encode(), state, timeout, self.now)

    def accept(self, message: bytes = b"") -> None:
        self.steps += self.machine.accepted(message, self.now)

    def reject(self, message: bytes = b"") -> None:
        self.steps += self.machine.rejected(message, "no such user", self.now)

    def unavailable(self) -> None:
        self.steps += self.machine.unavailable("all servers are silent", self.now)

    def wait(self, seconds: float) -> None:
        """Wake-ups happen when they are asked for."""
        end = self.at + seconds
        while self.machine.deadline is not None and self.machine.deadline <= end:
            self.at = max(self.at, self.machine.deadline)
            self.steps += self.machine.due(self.now)
        self.at = end
        assert self.machine.due(self.now) == []

    def authenticate(self) -> None:
        self.begin()
        self.response()
        self.challenge(50)
        self.response(TTLS)
        self.accept()
        assert self.said[-1] == "-> Success 50"


def _word(step: Step) -> str:
    if isinstance(step, Tell):
        eap = Eap.decode(step.eap)
        return f"-> {eap.code.name.title()} {eap.identifier} {eap.method}".rstrip()
    if isinstance(step, AskServer):
        eap = Eap.decode(step.message)
        return f"AAA {eap.method} {step.conversation or ''}".rstrip()
    if isinstance(step, Ended):
        return f"ended: {step.outcome.value}"
    return f"ignored: {step.reason}" if isinstance(step, Ignored) else ""


def test_a_conversation() -> None:
    line = Line()
    line.begin()
    assert line.said == ["-> Request 7 identity"]
    line.response()
    assert line.said == ["AAA identity"]
    line.challenge(201, state="A")
    assert line.said == ["-> Request 201 ttls"]
    line.response(TTLS, b"hello")
    assert line.said == ["AAA ttls A"]
    line.challenge(202, state="B")
    line.response(TTLS, b"again")
    assert line.said == ["-> Request 202 ttls", "AAA ttls B"]
    line.accept(bytes.fromhex("03ca0004"))
    assert line.said == ["-> Success 202"]
    assert line.machine.authenticated and line.machine.phase is Phase.IDLE
    line.wait(1)
    assert line.said == [] and line.machine.deadline is None, "there is nothing to be remembered"
    assert (line.machine.identity, line.machine.method, line.machine.rounds) == (
        b"mn1@example.net",
        "ttls",
        3,
    )


def test_observers_hear_of_methods_and_of_nothing_else() -> None:
    line = Line()
    line.begin()
    line.response()
    line.challenge(201)
    line.response(TTLS, b"open sesame")
    passed = [step for step in line.steps if isinstance(step, Passed)]
    assert [(step.name, step.method) for step in passed] == [
        ("eap-response", "identity"),
        ("eap-request", "ttls"),
        ("eap-response", "ttls"),
    ]
    assert "sesame" not in repr(line.steps) and "mn1" not in repr(line.steps)


def test_a_method_that_the_node_does_not_like_is_between_it_and_aaa() -> None:
    """The NAK goes to AAA, which offers another (RFC 3748 5.3.1)."""
    line = Line()
    line.begin()
    line.response()
    line.challenge(8, MD5)
    line.response(3, b"\x15")
    line.challenge(9, TTLS)
    assert line.said[-3:] == ["-> Request 8 md5", "AAA nak state", "-> Request 9 ttls"]
    assert line.machine.method == "ttls"


def test_a_silent_node_is_asked_five_times_the_same() -> None:
    line = Line()
    line.begin()
    line.wait(14.9)
    requests = [step for step in line.steps if isinstance(step, Tell)]
    assert len({request.eap for request in requests}) == 1
    assert [request.widely for request in requests] == [False, *4 * [True]], "it may listen to the group only"
    assert line.said == 5 * ["-> Request 7 identity"]
    line.wait(0.1)
    assert line.said == ["ended: supplicant-silent"], "there may be nobody whom a Failure could tell anything"
    assert line.machine.deadline is None


def test_where_there_is_another_way_nobody_waits_for_long() -> None:
    """A printer without a supplicant is authenticated by its MAC, after so many seconds."""
    line = Line(patience=4.0)
    line.begin()
    line.wait(3.9)
    assert line.said == 3 * ["-> Request 7 identity"], "one, or two, may be lost"
    line.wait(0.2)
    assert line.said == ["ended: supplicant-silent"]
    line = Line(patience=4.0)
    line.begin()
    line.response()
    line.challenge(201)
    line.wait(14.9)
    assert line.said == ["-> Request 7 identity", "AAA identity", *5 * ["-> Request 201 ttls"]]


def test_who_falls_silent_in_the_middle_is_told_that_it_is_over() -> None:
    line = Line()
    line.begin()
    line.response()
    line.challenge(201)
    assert line.said[-1] == "-> Request 201 ttls"
    line.wait(15.1)
    assert line.said == [*4 * ["-> Request 201 ttls"], "-> Failure 201", "ended: supplicant-silent"]


def test_aaa_says_how_long_the_node_may_take() -> None:
    """Somebody may have to look for a password (RFC 3580 3.17)."""
    line = Line()
    line.begin()
    line.response()
    line.challenge(201, timeout=60)
    assert line.said[-1] == "-> Request 201 ttls"
    line.wait(59)
    assert line.said == []
    line.wait(2)
    assert line.said == ["-> Request 201 ttls"]


@covers("X4")
def test_duplicates_and_other_identifiers_change_nothing() -> None:
    """RFC 3748 4.1: one Request is outstanding, and one Response to it counts."""
    line = Line()
    line.begin()
    line.response(identifier=6)
    line.response()
    line.response()
    assert line.said == [
        "-> Request 7 identity",
        "ignored: eap-unexpected",
        "AAA identity",
        "ignored: eap-unexpected",
    ]
    line.challenge(201)
    line.response()
    line.response(TTLS, identifier=7)
    line.response(TTLS, identifier=201)
    assert line.said == [
        "-> Request 201 ttls",
        "AAA identity state",
        "ignored: eap-unexpected",
        "ignored: eap-unexpected",
    ]


@pytest.mark.parametrize(
    "octets", ["03070004", "04070004", "0107000501"], ids=["success", "failure", "request"]
)
def test_a_node_decides_nothing(octets: str) -> None:
    """What only an authenticator may say is heard from nobody else (RFC 3748 2, 4.2)."""
    for phase in ("identifying", "asking", "challenged", "idle"):
        line = Line()
        line.begin()
        if phase != "identifying":
            line.response()
        if phase == "challenged":
            line.challenge(7)
        if phase == "idle":
            line.accept()
        before = line.machine.phase, line.machine.authenticated
        _ = line.said
        line.steps += line.machine.answer(bytes.fromhex(octets), line.now)
        assert line.said == ["ignored: eap-not-a-response"]
        assert (line.machine.phase, line.machine.authenticated) == before


def test_padding_is_not_for_aaa() -> None:
    """RFC 3748 4.1; some servers refuse a packet that says less than they got."""
    line = Line()
    line.begin()
    line.steps += line.machine.answer(bytes.fromhex("0207000601aa") + bytes(40), line.now)
    [asked] = [step for step in line.steps if isinstance(step, AskServer)]
    assert asked.message == bytes.fromhex("0207000601aa")


@pytest.mark.parametrize("octets", ["", "0207", "02070004", "020700ff01", "0907000501"])
def test_wrong_lengths_and_codes(octets: str) -> None:
    line = Line()
    line.begin()
    with pytest.raises(WireError):
        line.machine.answer(bytes.fromhex(octets), line.now)
    assert line.machine.phase is Phase.IDENTIFYING and line.machine.rounds == 0


def test_the_first_answer_is_an_identity_that_fits_into_a_user_name() -> None:
    line = Line()
    line.begin()
    line.response(3, b"\x15")
    line.response(1, b"x" * 254)
    assert line.said == ["-> Request 7 identity", *2 * ["ignored: eap-no-identity"]]
    line.response(1, b"x" * 253)
    assert line.said == ["AAA identity"]


def test_a_refusal_and_what_follows() -> None:
    """Nothing is heard of it for a while, then it is asked anew (IEEE 802.1X-2010 8.6)."""
    line = Line()
    line.begin()
    line.response()
    line.reject(bytes.fromhex("04070004"))
    assert line.said[-2:] == ["-> Failure 7", "ended: rejected"]
    line.start()
    line.response()
    assert line.said == ["ignored: held"] * 2
    line.wait(29.9)
    assert line.said == []
    line.wait(0.2)
    assert line.said == ["-> Request 8 identity"]


def test_a_verdict_counts_whatever_eap_says_in_it() -> None:
    """RFC 3579 2.6.3."""
    line = Line()
    line.begin()
    line.response()
    line.accept(bytes.fromhex("04070004"))
    assert line.said[-1] == "-> Success 7" and line.machine.authenticated
    line = Line()
    line.begin()
    line.response()
    line.accept(bytes.fromhex("03ffffff"))
    assert line.said[-1] == "-> Success 7", "what is broken is not passed on"
    line = Line()
    line.begin()
    line.response()
    line.reject(bytes.fromhex("03070004"))
    assert line.said[-2:] == ["-> Failure 7", "ended: rejected"] and not line.machine.authenticated


@pytest.mark.parametrize("message", ["", "0307", "03070004", "0207000501"])
def test_a_challenge_without_a_request_is_no_verdict(message: str) -> None:
    line = Line()
    line.begin()
    line.response()
    line.steps += line.machine.challenged(bytes.fromhex(message), "state", 0, line.now)
    assert line.said[-2:] == ["-> Failure 7", "ended: aaa-unavailable"]


def test_aaa_is_down_and_comes_back() -> None:
    """The node is asked by itself: its supplicant would wait for a minute."""
    line = Line()
    line.begin()
    line.response()
    line.unavailable()
    assert line.said[-2:] == ["-> Failure 7", "ended: aaa-unavailable"]
    line.wait(UNAVAILABLE_PAUSE)
    assert line.said == ["-> Request 8 identity"]
    line.response()
    line.wait(19.9)
    assert line.said == ["AAA identity"]
    line.wait(0.2)
    assert line.said == ["-> Failure 8", "ended: aaa-unavailable"], "not even the edge said a word"


class TestReauthentication:
    def test_succeeds_without_anything_ending(self) -> None:
        line = Line()
        line.authenticate()
        line.at += 3600
        line.authenticate()
        assert line.machine.authenticated

    def test_refused(self) -> None:
        line = Line(authenticated=True)
        line.begin()
        line.response()
        assert line.machine.authenticated, "nothing has been decided"
        line.reject()
        assert line.said[-2:] == ["-> Failure 7", "ended: rejected"]
        assert not line.machine.authenticated

    def test_the_node_says_nothing(self) -> None:
        line = Line(authenticated=True)
        line.begin()
        line.wait(15.1)
        assert line.said[-2:] == ["-> Failure 7", "ended: supplicant-silent"]
        assert not line.machine.authenticated

    def test_aaa_says_nothing(self) -> None:
        """It is served on, and its supplicant is not told of a failure."""
        line = Line(authenticated=True)
        line.begin()
        line.response()
        line.unavailable()
        assert line.said[-1] == "ended: aaa-unavailable"
        assert line.machine.authenticated and not line.machine.is_conversing

    def test_begun_by_a_supplicant_that_was_restarted(self) -> None:
        line = Line()
        line.authenticate()
        line.at += 60
        line.start()
        assert line.said == ["-> Request 51 identity"]
        assert line.machine.authenticated

    def test_starts_without_end_begin_one_conversation_a_second(self) -> None:
        line = Line()
        line.authenticate()
        for _ in range(50):
            line.at += 0.01
            line.start()
        assert line.said == []
        line.wait(0.6)
        assert line.said == ["-> Request 51 identity"]
        line.response()
        for _ in range(20):
            line.start()
        line.challenge(99)
        line.response(TTLS)
        line.accept()
        line.wait(10)
        assert line.said == ["AAA identity", "-> Request 99 ttls", "AAA ttls state", "-> Success 99"]


class TestStart:
    def test_that_crosses_our_request_gets_the_same_one(self) -> None:
        line = Line()
        line.begin()
        line.start()
        assert line.said == 2 * ["-> Request 7 identity"]
        line.response()
        line.response()
        assert line.said == ["AAA identity", "ignored: eap-unexpected"]

    def test_in_the_middle_of_a_conversation_begins_anew(self) -> None:
        line = Line()
        line.begin()
        line.response()
        line.challenge(201)
        _ = line.said
        line.start()
        line.wait(0.9)
        assert line.said == []
        line.wait(0.2)
        assert line.said == ["-> Request 202 identity"]
        line.response()
        assert line.said == ["AAA identity"], "of the former conversation nothing is left"


@covers("X7")
class TestLogoff:
    def test_of_a_node_that_leaves(self) -> None:
        """Its supplicant says nothing more."""
        line = Line(authenticated=True)
        line.logoff()
        assert line.said == ["-> Request 7 identity"]
        line.wait(2.1)
        assert line.said == ["-> Request 7 identity", "-> Failure 7", "ended: logoff"]
        assert not line.machine.authenticated and line.machine.deadline is None

    def test_by_somebody_else(self) -> None:
        """Anybody can send it; the node says that it is here."""
        line = Line()
        line.authenticate()
        line.at += 10
        line.logoff()
        line.authenticate()
        line.wait(3600)
        assert line.said == [] and line.machine.authenticated

    def test_by_somebody_else_to_a_node_that_needs_its_time(self) -> None:
        line = Line()
        line.authenticate()
        line.at += 10
        line.logoff()
        line.response()
        line.challenge(99)
        line.wait(11.9)
        line.response(TTLS)
        line.accept()
        assert line.machine.authenticated
        assert line.said == [
            "-> Request 51 identity",
            "AAA identity",
            *4 * ["-> Request 99 ttls"],
            "AAA ttls state",
            "-> Success 99",
        ]

    def test_of_nobody(self) -> None:
        line = Line()
        line.logoff()
        assert line.said == ["ignored: logoff-of-nobody"]
        line.begin()
        line.response()
        line.logoff()
        line.accept()
        assert line.said[-2:] == ["ignored: logoff-of-nobody", "-> Success 7"]

    def test_during_a_reauthentication(self) -> None:
        line = Line(authenticated=True)
        line.begin()
        line.logoff()
        line.wait(3.1)
        assert line.said == ["-> Request 7 identity", "-> Request 7 identity"]
        line.wait(1.1)
        assert line.said[-1] == "ended: logoff"

    def test_by_somebody_else_while_the_node_takes_its_time(self) -> None:
        """It looks for a smart card; it has taken part, so that no Logoff hurries it."""
        line = Line()
        line.authenticate()
        line.at += 10
        line.start()
        line.response()
        line.logoff()
        line.challenge(99)
        line.logoff()
        line.wait(11.9)
        line.logoff()
        line.response(TTLS)
        line.accept()
        assert line.machine.authenticated and "ended: logoff" not in line.said

    def test_of_one_that_is_held(self) -> None:
        line = Line()
        line.authenticate()
        line.machine.hold(30.0, line.now)
        line.logoff()
        line.start()
        assert line.said == ["ignored: logoff-of-nobody", "ignored: held"]
        assert line.machine.phase is Phase.HELD and not line.machine.authenticated

    def test_taken_back(self) -> None:
        line = Line(authenticated=True)
        line.logoff()
        line.start()
        line.wait(2.5)
        assert line.said == 3 * ["-> Request 7 identity"]
        assert line.machine.authenticated


@covers("X5")
class TestEndless:
    def test_however_much_time_aaa_gives_the_node(self) -> None:
        line = Line()
        line.begin()
        line.response()
        line.challenge(201, timeout=0xFFFFFFFF)
        line.wait(MAX_SECONDS - 0.1)
        assert line.said[-1] == "-> Request 201 ttls"
        line.wait(0.2)
        assert line.said[-2:] == ["-> Failure 201", "ended: endless"]

    def test_rounds(self) -> None:
        line = Line()
        line.begin()
        line.response()
        for number in range(MAX_ROUNDS):
            line.challenge(number)
            line.response(TTLS)
        assert line.said[-2:] == [f"-> Failure {MAX_ROUNDS - 1}", "ended: endless"]
        assert line.machine.phase is Phase.HELD

    def test_seconds(self) -> None:
        line = Line()
        line.begin()
        line.response()
        number = 0
        while line.machine.phase is Phase.ASKING:
            line.challenge(number)
            line.wait(11)
            line.response(TTLS)
            number += 1
        assert "ended: endless" in line.said
        assert number < MAX_ROUNDS and line.at < 1000 + MAX_SECONDS + 12


class Anything(RuleBasedStateMachine):
    """A node that says anything, an AAA that decides anything: only AAA authenticates, and nothing is for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line()
        self.may_be_authenticated = False
        self.outstanding = False

    def heard(self) -> None:
        for step in self.line.steps:
            if isinstance(step, AskServer):
                assert not self.outstanding or self.line.machine.rounds >= 1
                self.outstanding = True
            if isinstance(step, Tell) and step.eap[0] == EapCode.SUCCESS:
                assert self.may_be_authenticated
            if isinstance(step, Ended):
                self.outstanding = False
                if step.outcome is not Outcome.UNAVAILABLE:
                    self.may_be_authenticated = False
        self.outstanding = self.line.machine.phase is Phase.ASKING
        self.line.steps = []

    @rule(again=st.booleans())
    def begins(self, again: bool) -> None:
        if again or not self.line.machine.is_conversing:
            self.line.begin()
            self.heard()

    @rule(octets=st.binary(max_size=12))
    def garbage(self, octets: bytes) -> None:
        with suppress(WireError):
            self.line.steps += self.line.machine.answer(octets, self.line.now)
        self.heard()

    @rule(code=st.sampled_from(list(EapCode)), kind=st.sampled_from([1, 3, TTLS]), stale=st.booleans())
    def speaks(self, code: EapCode, kind: int, stale: bool) -> None:
        identifier = (self.line.machine.identifier + stale) % 256
        if code in (EapCode.SUCCESS, EapCode.FAILURE):
            kind = 0
        packet = Eap(code=code, identifier=identifier, kind=kind)
        self.line.steps += self.line.machine.answer(packet.encode(), self.line.now)
        self.heard()

    @rule()
    def starts(self) -> None:
        self.line.start()
        self.heard()

    @rule()
    def logs_off(self) -> None:
        self.line.logoff()
        self.heard()

    @precondition(lambda self: self.outstanding)
    @rule(identifier=st.integers(0, 255))
    def challenges(self, identifier: int) -> None:
        self.line.challenge(identifier)
        self.heard()

    @precondition(lambda self: self.outstanding)
    @rule()
    def accepts(self) -> None:
        self.may_be_authenticated = True
        self.line.accept()
        self.heard()

    @precondition(lambda self: self.outstanding)
    @rule()
    def rejects(self) -> None:
        self.line.reject()
        self.heard()

    @precondition(lambda self: self.outstanding)
    @rule()
    def is_down(self) -> None:
        self.line.unavailable()
        self.heard()

    @rule(seconds=st.floats(0.01, 40))
    def time_passes(self, seconds: float) -> None:
        self.line.wait(seconds)
        self.heard()

    @invariant()
    def only_aaa_authenticates(self) -> None:
        assert self.line.machine.authenticated <= self.may_be_authenticated

    @invariant()
    def nothing_waits_for_ever(self) -> None:
        machine = self.line.machine
        assert (machine.deadline is not None) or machine.phase is Phase.IDLE
        assert machine.rounds <= MAX_ROUNDS + 1


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
