"""Requests for dynamic authorization: who is heard, when, how often, and how it is answered (RFC 5176, AA14, AA19).

client                            server                      sessions
  | Disconnect-Request(mn1) -------> |  authentic, new, in time   |
  |                                  | -- disconnect(mn1) ------> |
  |                                  | <---------------- Done ----|
  | <------------- Disconnect-ACK ---|                            |
"""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import AttributeType, Code, number, text
from tests.conformance import covers

from .desk import (
    CLIENT,
    NAS,
    OTHER_CLIENT,
    OTHER_SECRET,
    SECRET,
    STRANGER,
    WHO,
    Desk,
    authenticated,
    error_cause,
    proxy_state,
    state,
)

UNTOUCHED = {"mn1", "mn2"}


@covers("AA14", "AA17")
def test_a_disconnect_is_done_and_acknowledged() -> None:
    desk = Desk()
    code, attributes = desk.ask(desk.disconnect(WHO))
    assert code is Code.DISCONNECT_ACK
    assert attributes.pairs == (number(AttributeType.ACCT_TERMINATE_CAUSE, 6),)
    assert set(desk.sessions.sessions) == {"mn2"}
    assert desk.sent[0][1] == CLIENT
    done = desk.observations[-1]
    assert (done.name, done.nai, done.details["sessions"]) == (
        "dynamic-authorization-done",
        "mn1@example.net",
        1,
    )


@covers("AA14")
def test_who_is_heard_first_in_a_flood_has_proven_that_he_is_a_client_just_now() -> None:
    desk = Desk()
    request = desk.disconnect(WHO)
    for payload, proven in (
        (request, True),
        (request, False),
        (desk.disconnect(WHO, secret=OTHER_SECRET), False),
        (desk.disconnect(WHO, at=-400), False),
    ):
        desk.hear(payload)
        assert desk.proven is proven


@covers("AA14")
def test_the_answer_waits_for_what_it_says() -> None:
    desk = Desk(held=True)
    request = desk.disconnect(WHO)
    assert desk.hear(request) is None
    assert desk.hear(request) is None, "the same once more, while it is being done"
    desk.sessions.release()
    assert len(desk.sent) == 1


@covers("AA5")
def test_answers_carry_a_message_authenticator_first() -> None:
    desk = Desk()
    request = desk.disconnect(WHO)
    answer = desk.hear(request)
    assert answer is not None
    assert answer[20:22] == bytes((AttributeType.MESSAGE_AUTHENTICATOR, 18))
    assert desk.read(answer, request).signed


@covers("AA14")
def test_a_stranger_is_not_heard() -> None:
    """Not even one who knows a client's secret."""
    desk = Desk()
    assert desk.hear(desk.disconnect(WHO), STRANGER) is None
    assert desk.reasons() == ["unknown-client"]
    assert "198.51.100.66" in desk.observations[0].cause
    assert desk.observations[0].details == {"source": "198.51.100.66:40001"}
    assert set(desk.sessions.sessions) == UNTOUCHED


@covers("AA14")
def test_each_client_has_a_secret_of_its_own() -> None:
    desk = Desk()
    assert desk.hear(desk.disconnect(WHO, secret=OTHER_SECRET), CLIENT) is None
    assert desk.reasons() == ["bad-authenticator"]
    assert set(desk.sessions.sessions) == UNTOUCHED
    code, _ = desk.ask(desk.disconnect(WHO, secret=OTHER_SECRET), OTHER_CLIENT, OTHER_SECRET)
    assert code is Code.DISCONNECT_ACK


@covers("AA14")
@given(at=st.integers(0, 10_000), to=st.integers(1, 255))
def test_a_changed_octet_changes_nothing(at: int, to: int) -> None:
    desk = Desk()
    request = bytearray(desk.disconnect(WHO))
    request[at % len(request)] ^= to
    assert desk.hear(bytes(request)) is None
    assert set(desk.sessions.sessions) == UNTOUCHED
    assert len(desk.observations) == 1


@covers("AA14")
@given(octets=st.binary(max_size=200), code=st.sampled_from([40, 43]))
def test_noise_is_never_answered(octets: bytes, code: int) -> None:
    desk = Desk()
    assert desk.hear(octets) is None
    assert desk.hear(struct.pack("!BBH", code, 1, 20 + len(octets)) + bytes(16) + octets) is None
    assert set(desk.sessions.sessions) == UNTOUCHED


@covers("AA5")
def test_a_wrong_message_authenticator_is_no_request() -> None:
    """Its own authenticator was made right again by somebody who knows the secret, and not what he signs."""
    desk = Desk()
    request = bytearray(desk.disconnect(WHO))
    request[30] ^= 1
    assert desk.hear(authenticated(bytes(request), SECRET)) is None
    assert desk.reasons() == ["bad-authenticator"]


@covers("AA5")
def test_a_message_authenticator_can_be_demanded() -> None:
    desk = Desk()
    code, _ = desk.ask(desk.disconnect(WHO, signed=False))
    assert code is Code.DISCONNECT_ACK
    strict = Desk(require_message_authenticator=True)
    assert strict.hear(strict.disconnect(WHO, signed=False)) is None
    assert strict.reasons() == ["unsigned"]
    assert "require_message_authenticator" in strict.observations[0].cause
    assert strict.hear(strict.disconnect(WHO)) is not None


@covers("AA14")
@pytest.mark.parametrize("code", [Code.ACCESS_REQUEST, Code.ACCOUNTING_REQUEST, Code.STATUS_SERVER])
def test_other_requests_are_for_other_ports(code: Code) -> None:
    desk = Desk()
    assert desk.hear(desk.written(code, WHO)) is None
    assert desk.reasons() == ["not-dynamic-authorization"]


class TestTime:
    """Event-Timestamp (RFC 5176 6.3)."""

    @covers("AA14")
    @pytest.mark.parametrize(("at", "heard"), [(-300, True), (-301, False), (5, True), (6, False)])
    def test_the_window(self, at: float, heard: bool) -> None:
        desk = Desk()
        desk.time += 1000
        assert (desk.hear(desk.disconnect(WHO, at=at)) is not None) == heard
        assert desk.reasons() == ([] if heard else ["event-timestamp"])

    @covers("AA14")
    def test_the_window_is_the_operators(self) -> None:
        desk = Desk(window=10)
        desk.time += 1000
        assert desk.hear(desk.disconnect(WHO, at=-11)) is None
        assert "11 s behind ours" in desk.observations[0].cause
        assert Desk(window=2).hear(Desk(window=2).disconnect(WHO, at=3)) is None
        lax = Desk(ahead=60)
        assert lax.hear(lax.disconnect(WHO, at=61)) is None
        assert "61 s ahead of ours" in lax.observations[0].cause
        assert lax.hear(lax.disconnect(WHO, at=60)) is not None

    @covers("AA14")
    def test_a_time_is_demanded(self) -> None:
        desk = Desk()
        assert desk.hear(desk.disconnect(WHO, at=None)) is None
        assert desk.reasons() == ["no-event-timestamp"]
        assert "require_event_timestamp" in desk.observations[0].cause
        lax = Desk(require_event_timestamp=False)
        assert lax.hear(lax.disconnect(WHO, at=None)) is not None

    @covers("AA14")
    def test_a_time_of_another_size_is_none(self) -> None:
        desk = Desk()
        assert desk.hear(desk.disconnect(WHO, (AttributeType.EVENT_TIMESTAMP.value, b"now"), at=None)) is None
        assert desk.reasons() == ["event-timestamp"]

    @covers("AA14")
    def test_what_is_older_than_the_process_may_have_been_done_by_the_last_one(self) -> None:
        """Nobody replays, right after a restart, what was captured right before."""
        before = Desk()
        captured = before.disconnect(WHO, at=-1)
        after = Desk()
        assert after.hear(captured) is None
        assert after.reasons() == ["before-start"]

    @covers("AA14")
    @pytest.mark.parametrize("ahead", [0, 5, 60])
    def test_nor_if_the_clients_clock_is_ahead_of_ours(self, ahead: int) -> None:
        """The most that is believed, made the moment before the restart, and repeated for an hour."""
        before = Desk(ahead=float(ahead))
        captured = before.disconnect(WHO, at=ahead)
        assert before.hear(captured) is not None
        restarted = before.time + 1
        after = Desk(ahead=float(ahead))
        after.time = restarted
        after.server = type(after.server)(after.policy, after.now())
        for _ in range(3600):
            assert after.hear(captured) is None
            after.time += 1
        assert set(after.reasons()) == {"before-start", "event-timestamp"}

    @covers("AA14")
    def test_who_asks_soon_after_the_start_is_heard_the_next_time(self) -> None:
        desk = Desk()
        desk.server = type(desk.server)(desk.policy, desk.now())
        assert desk.hear(desk.disconnect(WHO)) is None
        assert "within 5 s after it" in desk.observations[0].cause
        desk.time += 5
        assert desk.hear(desk.disconnect(WHO)) is not None

    @covers("AA14")
    def test_a_clock_that_was_wrong_at_the_start_and_is_set_back_locks_nobody_out(self) -> None:
        desk = Desk()
        desk.wall_offset -= 7200
        desk.time += 601
        assert desk.hear(desk.disconnect(WHO)) is not None
        assert desk.reasons() == []


class TestDuplicates:
    """What comes again is answered again, and not done again (RFC 5176 2.3)."""

    @covers("AA14")
    def test_the_answer_is_the_same_to_the_octet(self) -> None:
        desk = Desk()
        request = desk.disconnect(WHO)
        first = desk.hear(request)
        desk.sessions.sessions["mn1"] = desk.sessions.sessions["mn2"].__class__(nai="mn1@example.net")
        assert desk.hear(request) == first
        assert "mn1" in desk.sessions.sessions, "whoever came back meanwhile is not meant"
        assert desk.reasons() == ["duplicate-request"]

    @covers("AA14")
    def test_a_refusal_is_repeated_too(self) -> None:
        desk = Desk({})
        request = desk.disconnect(WHO)
        first = desk.hear(request)
        assert desk.hear(request) == first

    @covers("AA14")
    @pytest.mark.parametrize("source", [Endpoint(CLIENT.address, 999), OTHER_CLIENT])
    def test_from_elsewhere_it_is_still_the_same(self, source: Endpoint) -> None:
        """Even if two clients should have one secret: whoever heard it can send it from any of their addresses."""
        desk = Desk(clients={CLIENT.address: SECRET, OTHER_CLIENT.address: SECRET})
        request = desk.disconnect(WHO)
        first = desk.hear(request)
        desk.sessions.sessions["mn1"] = desk.sessions.sessions["mn2"].__class__(nai="mn1@example.net")
        assert desk.hear(request, source) == first
        assert desk.sent[-1][1] == source
        assert "mn1" in desk.sessions.sessions

    @covers("AA14")
    def test_it_is_known_for_as_long_as_it_would_be_believed(self) -> None:
        desk = Desk()
        request = desk.disconnect(WHO, at=5)
        desk.hear(request)
        desk.sessions.sessions["mn1"] = desk.sessions.sessions["mn2"].__class__(nai="mn1@example.net")
        for _ in range(304):
            desk.time += 1
            desk.hear(desk.disconnect(text(AttributeType.USER_NAME, "nobody")))
            desk.hear(request)
        assert "mn1" in desk.sessions.sessions
        desk.time += 2
        assert desk.hear(request) is None
        assert desk.reasons()[-1] == "event-timestamp"

    @covers("AA14")
    def test_it_is_known_even_if_our_clock_is_set_back(self) -> None:
        desk = Desk()
        request = desk.disconnect(WHO)
        desk.hear(request)
        desk.sessions.sessions["mn1"] = desk.sessions.sessions["mn2"].__class__(nai="mn1@example.net")
        for _ in range(290):
            desk.time += 1
            desk.hear(desk.disconnect(text(AttributeType.USER_NAME, "nobody")))
        desk.wall_offset -= 290
        for _ in range(300):
            desk.time += 1
            desk.hear(desk.disconnect(text(AttributeType.USER_NAME, "nobody")))
            desk.hear(request)
        assert "mn1" in desk.sessions.sessions

    def test_of_what_was_answered_only_the_answer_is_kept(self) -> None:
        """Of a hundred thousand, with 4 KiB each."""
        desk = Desk()
        desk.hear(desk.disconnect(WHO))
        [kept] = desk.server._remembered.values()
        assert kept.asked is None and len(kept.answer) < 100

    @covers("AA14")
    def test_without_a_time_the_port_tells_requests_apart(self) -> None:
        """Somebody's second radclient, with the same identifier by chance, means what it says."""
        desk = Desk(require_event_timestamp=False)
        request = desk.disconnect(WHO, at=None)
        desk.hear(request)
        desk.hear(request)
        assert desk.reasons() == ["duplicate-request"]
        answer = desk.hear(request, Endpoint(CLIENT.address, 40002))
        assert answer is not None
        assert error_cause(desk.read(answer, request).attributes) == 503

    def test_memory_is_bounded_by_time(self) -> None:
        desk = Desk()
        for _ in range(2000):
            desk.time += 1
            desk.hear(desk.disconnect(WHO))
        assert len(desk.server._remembered) < 1300

    def test_memory_is_bounded_by_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who may ask asks too much: nothing is done that could not be known again."""
        monkeypatch.setattr("pmip_tw.aaa.radius.authorization_server.MOST_REMEMBERED", 10)
        desk = Desk()
        nobody = text(AttributeType.USER_NAME, "nobody")
        for identifier in range(10):
            desk.hear(desk.disconnect(nobody, identifier=identifier))
        code, attributes = desk.ask(desk.disconnect(WHO, identifier=10))
        assert (code, error_cause(attributes)) == (Code.DISCONNECT_NAK, 506)
        assert set(desk.sessions.sessions) == UNTOUCHED
        desk.time += 601
        assert desk.ask(desk.disconnect(WHO, identifier=11))[0] is Code.DISCONNECT_ACK


class TestAnswers:
    """What is in them."""

    @covers("AA19")
    def test_proxy_state_comes_back_in_order(self) -> None:
        desk = Desk()
        states = [proxy_state(b"second"), proxy_state(b""), proxy_state(b"first")]
        for request in (
            desk.disconnect(states[0], WHO, *states[1:]),
            desk.disconnect(states[0], WHO, *states[1:], identifier=8),
        ):
            _, attributes = desk.ask(request)
            assert attributes.all(AttributeType.PROXY_STATE) == (b"second", b"", b"first")

    @covers("AA19")
    def test_more_of_it_than_an_answer_holds_is_not_answered(self) -> None:
        desk = Desk(require_event_timestamp=False)
        states = [proxy_state(bytes(253))] * 15 + [proxy_state(bytes(228))]
        request = desk.disconnect(text(AttributeType.NAS_PORT_ID, "x"), *states, at=None, signed=False)
        assert desk.hear(request) is None
        assert desk.hear(request) is None
        assert desk.reasons() == ["answer-too-long", "duplicate-request"]

    def test_a_change_gives_state_back(self) -> None:
        desk = Desk()
        code, attributes = desk.ask(desk.change(WHO, state(), number(AttributeType.SESSION_TIMEOUT, 600)))
        assert code is Code.COA_ACK
        assert attributes.all(AttributeType.STATE) == (b"\x00state",)

    def test_nothing_shows_a_secret(self) -> None:
        desk = Desk()
        desk.hear(desk.disconnect(WHO, secret=Secret(b"wrong")))
        desk.hear(desk.change(WHO, state(b"of the server"), number(AttributeType.SERVICE_TYPE, 17)))
        shown = repr((desk.policy, desk.server.__dict__, desk.observations))
        assert "AAA server knows" not in shown
        assert "of the server" not in shown

    def test_another_address_is_ours_from_now_on(self) -> None:
        """P82."""
        desk = Desk()
        address = (AttributeType.NAS_IP_ADDRESS.value, ipv4("203.0.113.9").to_bytes(4, "big"))
        assert error_cause(desk.ask(desk.disconnect(WHO, address))[1]) == 403
        desk.server.use_address(ipv4("203.0.113.9"))
        assert desk.ask(desk.disconnect(WHO, address, identifier=8))[0] is Code.DISCONNECT_ACK
        told = (AttributeType.NAS_IP_ADDRESS.value, NAS.address.to_bytes(4, "big"))
        _, answer = desk.ask(desk.disconnect(text(AttributeType.USER_NAME, "mn2@example.net"), told))
        assert error_cause(answer) == 0, "AAA knows it by no other"
        desk.server.use_address(ipv4("203.0.113.10"))
        timeout = number(AttributeType.SESSION_TIMEOUT, 600)
        code, _ = desk.ask(desk.change(WHO, address, timeout, identifier=9))
        assert code is Code.COA_NAK, "its session has ended, but it is still us"
        assert desk.reasons()[-1] == "session-context-not-found"
        assert NAS.address == ipv4("198.51.100.10")
