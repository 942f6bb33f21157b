"""Which sessions a request means (RFC 5176 3, AA15)."""

import pytest

from pmip_tw.aaa.dynamic_authorization import Selection, SessionIdentity
from pmip_tw.addresses import ipv4, mac
from tests.conformance import covers

SESSION = SessionIdentity(
    nai="mn1@example.net",
    mac=mac("02:00:00:00:00:01"),
    home_address=ipv4("10.1.0.2"),
    port="acc0",
    called_station="02-00-00-00-00-FE:campus",
    accounting_session="5f01",
    multi_session="aa17",
    chargeable_identity=b"\x01cui",
    aaa_session=b"\x00\x01",
    correlation=b"c-77",
)

FITTING = [
    {"user_name": "MN1@example.net"},
    {"user_name": "02:00:00:00:00:01"},
    {"calling_station": "02-00-00-00-00-01"},
    {"calling_station": "0200.0000.0001"},
    {"home_address": ipv4("10.1.0.2")},
    {"port": "acc0"},
    {"called_station": "02-00-00-00-00-FE:campus"},
    {"called_station": "02:00:00:00:00:fe:campus"},
    {"accounting_session": "5f01"},
    {"multi_session": "aa17"},
    {"chargeable_identity": b"\x01cui"},
    {"aaa_session": b"\x00\x01"},
    {"correlation": b"c-77"},
]

OTHERS = {
    "user_name": "mn2@example.net",
    "calling_station": "02-00-00-00-00-02",
    "home_address": ipv4("10.1.0.3"),
    "port": "acc1",
    "called_station": "02-00-00-00-00-FD",
    "accounting_session": "5f02",
    "multi_session": "aa18",
    "chargeable_identity": b"cui",
    "aaa_session": b"\x00\x02",
    "correlation": b"c-78",
}


@covers("AA15")
@pytest.mark.parametrize("said", FITTING, ids=str)
def test_one_name_is_enough(said: dict[str, object]) -> None:
    assert Selection(**said).includes(SESSION)  # type: ignore[arg-type]


@covers("AA15")
@pytest.mark.parametrize("field", OTHERS)
def test_all_that_is_said_must_apply(field: str) -> None:
    everything = {name: value for said in FITTING for name, value in said.items()}
    assert Selection(**everything).includes(SESSION)  # type: ignore[arg-type]
    assert not Selection(**{**everything, field: OTHERS[field]}).includes(SESSION)  # type: ignore[arg-type]


@covers("AA15")
def test_nobody_is_not_everybody() -> None:
    assert Selection().is_empty
    assert not Selection().includes(SESSION)


@pytest.mark.parametrize(
    "said",
    [
        {"user_name": ""},
        {"calling_station": ""},
        {"home_address": ipv4("0.0.0.0")},
        {"port": ""},
        {"called_station": ""},
        {"accounting_session": ""},
        {"chargeable_identity": b""},
        {"aaa_session": b""},
    ],
    ids=str,
)
def test_an_empty_name_is_no_sessions_name(said: dict[str, object]) -> None:
    """A session that has no address yet, or no accounting, is not found by saying nothing about that."""
    assert not Selection(**said).includes(SessionIdentity())  # type: ignore[arg-type]
    assert not Selection(**said).includes(SESSION)  # type: ignore[arg-type]
