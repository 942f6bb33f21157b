"""What a client that knows the secret demands of sessions, with no good intentions (RFC 5176)."""

from collections.abc import Iterator

from pmip_tw.wire.radius import (
    Attributes,
    AttributeType,
    Code,
    Request,
    encode_request,
    number,
    text,
    vendor_specific,
)
from tests.aaa.desk import MN1, SECRET, WHO, Desk, authenticated, error_cause
from tests.fuzz.target import Target

_CODES = (Code.DISCONNECT_REQUEST, Code.COA_REQUEST)
_HAPPENED = frozenset({Code.DISCONNECT_ACK, Code.COA_ACK})


def check(octets: bytes) -> None:
    """The first octet says which request it is, and whether it has a time; the rest are its attributes."""
    if not octets:
        return
    kind, pairs = octets[0], tuple(_pairs(octets[1:]))
    desk = Desk(require_event_timestamp=False)
    desk.hear(octets)
    assert_untouched(desk)
    if kind & 2:
        pairs += (number(AttributeType.EVENT_TIMESTAMP, int(desk.now().wall)),)
    request = Request(code=_CODES[kind & 1], attributes=Attributes(pairs))
    try:
        asked = encode_request(request, identifier=7, authenticator=bytes(16), secret=SECRET)
    except ValueError:
        return  # longer than a packet
    forged = bytearray(asked)
    forged[4] ^= 1
    assert desk.hear(bytes(forged)) is None, "a forged request is answered"
    assert_untouched(desk)
    raw = authenticated(bytes((_CODES[kind & 1], 7, 0, 0)) + bytes(16) + octets[1:4076], SECRET)
    other = Desk(require_event_timestamp=False)
    other.hear(raw)  # also with attributes that do not end, or a Message-Authenticator that is none
    answer = desk.hear(asked)
    if answer is None:
        assert_untouched(desk)
        return
    read = desk.read(answer, asked)
    assert read.signed
    states = AttributeType.PROXY_STATE
    assert read.attributes.all(states) == request.attributes.all(states)
    if read.code in _HAPPENED:
        assert not error_cause(read.attributes)
    else:
        assert error_cause(read.attributes) in range(401, 508)
        assert_untouched(desk)
    desk.sessions.sessions["mn1"] = MN1
    assert desk.hear(asked) == answer, "the same request has another answer"
    assert desk.sessions.sessions["mn1"] is MN1, "the same request is done twice"


def assert_untouched(desk: Desk) -> None:
    assert set(desk.sessions.sessions) == {"mn1", "mn2"}
    assert not any(desk.sessions.changes.values())


def _pairs(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """As they stand in a packet, as far as they do."""
    while len(octets) >= 2 and 2 <= octets[1] <= len(octets):
        if octets[0] != AttributeType.MESSAGE_AUTHENTICATOR:
            yield octets[0], octets[2 : octets[1]]
        octets = octets[octets[1] :]


def seeds() -> Iterator[bytes]:
    timeout = number(AttributeType.SESSION_TIMEOUT, 600)
    state = (AttributeType.STATE.value, b"state")
    for kind, pairs in (
        (0, [WHO]),
        (2, [WHO, (AttributeType.PROXY_STATE.value, b"first"), (AttributeType.PROXY_STATE.value, b"")]),
        (0, [WHO, vendor_specific(24757, 60, bytes(5)), vendor_specific(5535, 44, b"c-77")]),
        (
            2,
            [
                number(AttributeType.FRAMED_IP_ADDRESS, MN1.home_address),
                text(AttributeType.NAS_PORT_ID, "acc0"),
            ],
        ),
        (1, [WHO, timeout, number(AttributeType.IDLE_TIMEOUT, 60), text(AttributeType.FILTER_ID, "guests")]),
        (3, [WHO, number(AttributeType.ACCT_INTERIM_INTERVAL, 60), state]),
        (1, [WHO, number(AttributeType.SERVICE_TYPE, 17), state]),
        (1, [text(AttributeType.NAS_IDENTIFIER, "mag1.example.net"), WHO, timeout, timeout]),
    ):
        yield bytes((kind,)) + b"".join(bytes((type_, 2 + len(value))) + value for type_, value in pairs)
    yield b"\0\x01\x00"
    yield b"\1" + bytes((80, 18)) + bytes(16)


TARGET = Target(
    name="dynamic-authorization",
    about="RADIUS requests for dynamic authorization, signed again",
    check=check,
    seeds=seeds,
    floors=("wire", "aaa"),
    longest=600,
)
