"""Datagrams that no MAG believes: they change nothing, have no answer, and are counted by reason."""

import pytest

from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.wire.registration import RegistrationRequest
from tests.conformance import covers
from tests.mag.bench import Bench, note, notes, order, reply

UNKNOWN, SKIPPABLE, PAD = b"\x23\x02\x00\x00", b"\xfa\x02\x00\x00", b"\x00"


@pytest.fixture
def renewing() -> tuple[Bench, RegistrationRequest]:
    """A registered node whose renewal is out."""
    bench = Bench()
    bench.register()
    return bench, bench.renew()


def ignored(bench: Bench, payload: bytes) -> str:
    """The reason."""

    def state() -> tuple[object, ...]:
        visitor = bench.visitor
        assert visitor.exchange is not None
        return (visitor.state, visitor.grant, visitor.tunnel, tuple(visitor.exchange.identifications))

    before = state()
    effects = bench.arrive(payload)
    assert order(effects, Install, Remove, Send) == []
    assert state() == before
    [found] = notes(effects)
    assert found.name == "message-discarded" and found.cause
    return found.reason


def accepted(bench: Bench, payload: bytes) -> bool:
    grant = bench.visitor.grant
    bench.arrive(payload)
    return bench.visitor.grant is not grant


@covers("M1", "E4")
def test_every_truncation(renewing: tuple[Bench, RegistrationRequest]) -> None:
    """Each shorter one, then the whole, which is accepted: what came before did no harm."""
    bench, request = renewing
    whole = reply(request)
    reasons = {ignored(bench, whole[:length]) for length in range(1, len(whole))}
    assert reasons == {"truncated", "unexpected-reply", "no-authenticator"}
    assert accepted(bench, whole)


@covers("M1")
@pytest.mark.parametrize("kind", [0, 1, 2, 15, 16, 255])
def test_messages_that_are_for_others(renewing: tuple[Bench, RegistrationRequest], kind: int) -> None:
    bench, request = renewing
    assert ignored(bench, bytes((kind,)) + reply(request)[1:]) == "unknown-message-type"


@covers("M1")
def test_nothing_at_all(renewing: tuple[Bench, RegistrationRequest]) -> None:
    assert ignored(renewing[0], b"") == "unknown-message-type"


@covers("E1")
def test_an_unknown_extension_that_is_not_skippable(renewing: tuple[Bench, RegistrationRequest]) -> None:
    """However well it is signed."""
    bench, request = renewing
    assert ignored(bench, reply(request, unknown=(UNKNOWN,))) == "unrecognized-non-skippable"


@covers("E2", "E6")
def test_unknown_extensions_that_are_skippable(renewing: tuple[Bench, RegistrationRequest]) -> None:
    bench, request = renewing
    assert accepted(bench, reply(request, unknown=(SKIPPABLE, PAD)))


@covers("E5", "M3")
def test_two_authenticators(renewing: tuple[Bench, RegistrationRequest]) -> None:
    """The first is right; a second one, right or wrong, spoils it."""
    bench, request = renewing
    whole = reply(request)
    for second in (whole[-22:], b"\x20\x14" + bytes(20)):
        assert ignored(bench, whole + second)
    assert accepted(bench, whole)


@covers("M3")
def test_what_is_not_even_signed_does_not_explain_a_silence() -> None:
    bench = Bench()
    assert ignored(bench, reply(bench.begin())[:-22]) == "no-authenticator"
    assert "does not answer" in note("registration-unanswered", bench.wait(1.1)).cause
