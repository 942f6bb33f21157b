"""What requests demand: every attribute is understood, or nothing is done (RFC 5176 3, AA15, AA16, AA18)."""

import struct

import attrs
import pytest

from pmip_tw.aaa.accounting.request import VIRTUAL
from pmip_tw.aaa.dynamic_authorization import Change
from pmip_tw.wire.radius import Attribute, AttributeType, Code, number, text, vendor_specific
from tests.conformance import covers

from .desk import MN1, WHO, Desk, error_cause, state

UNTOUCHED = {"mn1", "mn2"}
WIMAX, THREE_GPP2 = 24757, 5535

TIMEOUT = number(AttributeType.SESSION_TIMEOUT, 600)


def refusal(desk: Desk, request: bytes) -> int:
    """The Error-Cause of a NAK; nothing has happened."""
    code, attributes = desk.ask(request)
    assert code in (Code.DISCONNECT_NAK, Code.COA_NAK)
    assert set(desk.sessions.sessions) == UNTOUCHED
    assert all(changes == [] for changes in desk.sessions.changes.values())
    assert desk.observations[-1].name == "dynamic-authorization-refused"
    return error_cause(attributes)


@covers("AA15")
@pytest.mark.parametrize(
    ("pair", "cause"),
    [
        (text(AttributeType.NAS_IDENTIFIER, "mag1.example.net"), 0),
        (text(AttributeType.NAS_IDENTIFIER, "mag2.example.net"), 403),
        (text(AttributeType.NAS_IDENTIFIER, ""), 403),
        ((4, bytes((198, 51, 100, 10))), 0),
        ((4, bytes((198, 51, 100, 11))), 403),
        ((4, b"\xc6\x33"), 403),
        ((95, bytes(16)), 403),
    ],
    ids=str,
)
def test_another_nas_is_meant(pair: Attribute, cause: int) -> None:
    desk = Desk()
    code, attributes = desk.ask(desk.disconnect(WHO, pair))
    assert error_cause(attributes) == cause
    assert code is (Code.DISCONNECT_NAK if cause else Code.DISCONNECT_ACK)


@covers("AA15")
@pytest.mark.parametrize(
    "pairs",
    [
        [text(AttributeType.CALLING_STATION_ID, "02-00-00-00-00-01")],
        [text(AttributeType.ACCT_SESSION_ID, "5f01")],
        [number(AttributeType.FRAMED_IP_ADDRESS, 0x0A010002), text(AttributeType.NAS_PORT_ID, "acc0")],
        [WHO, number(AttributeType.NAS_PORT_TYPE, 15)],
    ],
    ids=str,
)
def test_a_session_is_named_in_many_ways(pairs: list[Attribute]) -> None:
    desk = Desk()
    assert desk.ask(desk.disconnect(*pairs))[0] is Code.DISCONNECT_ACK
    assert set(desk.sessions.sessions) == {"mn2"}


@covers("AA15")
@pytest.mark.parametrize(
    "pairs",
    [
        [text(AttributeType.USER_NAME, "mn3@example.net")],
        [WHO, text(AttributeType.CALLING_STATION_ID, "02-00-00-00-00-02")],
        [WHO, number(AttributeType.NAS_PORT, 3)],
        [number(AttributeType.NAS_PORT, 3)],
        [WHO, number(AttributeType.NAS_PORT_TYPE, 19)],
        [WHO, (96, bytes(8))],
        [WHO, (97, bytes(18))],
    ],
    ids=str,
)
def test_no_session_is_all_of_that(pairs: list[Attribute]) -> None:
    desk = Desk()
    assert refusal(desk, desk.disconnect(*pairs)) == 503


@covers("AA15")
@pytest.mark.parametrize(("port_type", "cause"), [(VIRTUAL, 0), (15, 503)])
def test_an_lma_has_no_ports(port_type: int, cause: int) -> None:
    """Whoever gives back what the LMA's accounting has told means its sessions."""
    desk = Desk(port_type=VIRTUAL)
    _, attributes = desk.ask(desk.disconnect(WHO, number(AttributeType.NAS_PORT_TYPE, port_type)))
    assert error_cause(attributes) == cause


@covers("AA15")
def test_several_sessions_are_meant() -> None:
    desk = Desk()
    code, _ = desk.ask(desk.disconnect(text(AttributeType.NAS_PORT_ID, "acc0")))
    assert code is Code.DISCONNECT_ACK
    assert desk.sessions.sessions == {}
    assert desk.observations[-1].details["sessions"] == 2


@covers("AA15")
def test_wimax_and_3gpp2_names() -> None:
    session = vendor_specific(WIMAX, 4, b"\0session-of-aaa")
    correlation = vendor_specific(THREE_GPP2, 44, b"c-77")
    desk = Desk()
    desk.sessions.sessions["mn1"] = attrs.evolve(MN1, aaa_session=b"session-of-aaa", correlation=b"c-77")
    assert desk.ask(desk.disconnect(session, correlation))[0] is Code.DISCONNECT_ACK
    assert set(desk.sessions.sessions) == {"mn2"}


@covers("AA16")
@pytest.mark.parametrize(
    ("pair", "cause"),
    [
        (TIMEOUT, 401),
        (text(AttributeType.FILTER_ID, "guests"), 401),
        (number(AttributeType.SERVICE_TYPE, 17), 401),
        (text(AttributeType.REPLY_MESSAGE, "good bye"), 401),
        ((200, b"?"), 401),
        (vendor_specific(WIMAX, 60, b"\0" + struct.pack("!L", 0)), 0),
        (vendor_specific(WIMAX, 60, b"\0" + struct.pack("!L", 4)), 407),
        (vendor_specific(WIMAX, 60, b"\x80" + struct.pack("!L", 0)), 407),
        (vendor_specific(WIMAX, 23, b"\0" + struct.pack("!L", 2)), 401),
        (vendor_specific(9, 1, b"subscriber:command=bounce"), 401),
        ((26, b"\0\0"), 401),
        ((26, b"\0\0\x60\xb5\x04\x09\0"), 401),
        (state(), 0),
    ],
    ids=str,
)
def test_a_disconnect_says_whom_it_means_and_nothing_else(pair: Attribute, cause: int) -> None:
    desk = Desk()
    code, attributes = desk.ask(desk.disconnect(WHO, pair))
    assert error_cause(attributes) == cause
    assert set(desk.sessions.sessions) == (UNTOUCHED if cause else {"mn2"})
    assert code is (Code.DISCONNECT_NAK if cause else Code.DISCONNECT_ACK)


@covers("AA16", "AA18")
def test_a_change_is_made() -> None:
    desk = Desk()
    code, attributes = desk.ask(
        desk.change(
            WHO,
            TIMEOUT,
            number(AttributeType.IDLE_TIMEOUT, 0),
            number(AttributeType.ACCT_INTERIM_INTERVAL, 60),
            text(AttributeType.FILTER_ID, "guests"),
        )
    )
    assert (code, attributes.pairs) == (Code.COA_ACK, ())
    change = Change(session_timeout=600, idle_timeout=0, interim_interval=60, filter_ids=("guests",))
    assert desk.sessions.changes == {"mn1": [change], "mn2": []}


@covers("AA18")
def test_what_is_not_said_stays() -> None:
    desk = Desk()
    desk.ask(desk.change(WHO, number(AttributeType.IDLE_TIMEOUT, 300)))
    assert desk.sessions.changes["mn1"] == [Change(idle_timeout=300)]


@covers("AA16", "AA18", "AA25")
@pytest.mark.parametrize(
    ("pair", "cause"),
    [
        (text(AttributeType.FILTER_ID, "unheard-of"), 407),
        ((11, b"\xff\xfe"), 407),
        (text(AttributeType.FRAMED_POOL, "another"), 407),
        (number(AttributeType.FRAMED_IP_ADDRESS, 0xFFFFFFFE), 407),
        ((28, b"\0\0\x02"), 407),
        (number(AttributeType.ACCT_INTERIM_INTERVAL, 59), 407),
        (number(AttributeType.SESSION_TIMEOUT, 700), 404),
        (number(AttributeType.FRAMED_MTU, 1400), 401),
        (text(AttributeType.CLASS, "gold"), 401),
        (vendor_specific(WIMAX, 60, b"\0" + struct.pack("!L", 0)), 401),
        (number(AttributeType.SERVICE_TYPE, 2), 405),
        (number(AttributeType.SERVICE_TYPE, 17), 401),
    ],
    ids=str,
)
def test_a_change_is_made_whole_or_not_at_all(pair: Attribute, cause: int) -> None:
    """Beside a good one."""
    desk = Desk()
    assert refusal(desk, desk.change(WHO, TIMEOUT, pair)) == cause


@covers("AA16")
@pytest.mark.parametrize("order", [1, -1])
def test_an_attribute_twice_is_a_contradiction(order: int) -> None:
    desk = Desk()
    pairs = [WHO, text(AttributeType.USER_NAME, "mn2@example.net")][::order]
    assert refusal(desk, desk.disconnect(*pairs)) == 404
    assert refusal(desk, desk.change(WHO, TIMEOUT, state(), state())) == 404
    assert refusal(desk, desk.change(WHO, *[number(AttributeType.SERVICE_TYPE, 17)] * 2)) == 404


@covers("AA16")
def test_who_is_meant_must_be_said() -> None:
    """A request that names nobody does not mean everybody."""
    desk = Desk()
    assert refusal(desk, desk.disconnect()) == 402
    assert refusal(desk, desk.disconnect(text(AttributeType.NAS_IDENTIFIER, "mag1.example.net"))) == 402
    assert refusal(desk, desk.change(TIMEOUT)) == 402
    assert refusal(desk, desk.change(WHO)) == 402


class TestAuthorizeOnly:
    """RFC 5176 3.2: never an ACK."""

    SERVICE = number(AttributeType.SERVICE_TYPE, 17)

    @covers("AA16")
    def test_a_request_is_initiated(self) -> None:
        desk = Desk()
        code, attributes = desk.ask(desk.change(WHO, self.SERVICE, state()))
        assert (code, error_cause(attributes)) == (Code.COA_NAK, 507)
        assert attributes.first(AttributeType.SERVICE_TYPE) == (17).to_bytes(4, "big")
        assert desk.sessions.reauthorized == [("mn1", b"\x00state")]

    @covers("AA16")
    def test_without_state_it_is_not(self) -> None:
        desk = Desk()
        assert refusal(desk, desk.change(WHO, self.SERVICE)) == 402
        assert desk.sessions.reauthorized == []

    @covers("AA16")
    def test_nobody_is_there(self) -> None:
        desk = Desk({})
        _, attributes = desk.ask(desk.change(WHO, self.SERVICE, state()))
        assert error_cause(attributes) == 503
