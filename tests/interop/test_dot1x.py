"""An unmodified wpa_supplicant proves itself to an unmodified FreeRADIUS through us, and moves.

Methods with TLS take five rounds and more, in fragments; EAP-MD5 begins with a NAK, for TTLS is offered first.
"""

from typing import Any

import pytest

from pmip_tw.lab.freeradius import PROGRAM
from pmip_tw.lab.supplicant import ANONYMOUS
from tests.conformance import covers
from tests.interop.private_story import seen_of
from tests.programs import require

pytestmark = covers("X1", "X2", "X3", "X6", "X7")

NAI = "mn1@lab.example"
TUNNELED = ("ttls", "peap")
LONGEST_GAP = 0.3
"""Seconds; what the project promises, with a whole examination in it."""


@pytest.fixture(scope="module", params=["md5", "ttls", "peap", "tls"])
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, Any]]:
    """A method, and one run with it for all tests that look at it."""
    require(PROGRAM, "wpa_supplicant", "dhclient", "ip", "nft", "ping")
    directory = tmp_path_factory.mktemp(request.param)
    return request.param, seen_of("tests.interop.dot1x", directory, 300, request.param)


def test_a_host_without_a_supplicant_gets_nothing(run: tuple[str, dict[str, Any]]) -> None:
    _, seen = run
    assert seen["before"] == {"bindings": [], "addresses": [], "states": ["authenticating"]}


def test_who_has_proven_itself_is_registered_by_its_inner_identity(run: tuple[str, dict[str, Any]]) -> None:
    method, seen = run
    [visitor] = seen["visitors"]
    assert (visitor["nai"], visitor["state"], visitor["method"]) == (NAI, "registered", f"eap-{method}")
    assert visitor["identity"] == (ANONYMOUS if method in TUNNELED else NAI)


def test_the_trace_tells_the_conversation(run: tuple[str, dict[str, Any]]) -> None:
    method, seen = run
    trace = [tuple(row) for row in seen["trace"]]
    assert ("eap-response", "identity") in trace and ("eap-request", method) in trace
    names = [name for name, _ in trace]
    order = ["attached", "eap-started", "eap-succeeded", "access-accepted", "registration-accepted"]
    assert [name for name in names if name in order] == order


def test_a_logoff_that_somebody_else_has_sent_ends_nothing(run: tuple[str, dict[str, Any]]) -> None:
    _, seen = run
    assert seen["forged"] == {"reauthorized": 1, "left": 0, "states": ["registered"]}


def test_a_moved_supplicant_is_asked_at_once(run: tuple[str, dict[str, Any]]) -> None:
    """It does not know that it has moved; its pings hardly notice."""
    method, seen = run
    [visitor], [binding] = seen["moved"]["visitors"], seen["moved"]["bindings"]
    assert (visitor["state"], visitor["method"]) == ("registered", f"eap-{method}")
    assert binding["home_address"] == visitor["home_address"] == seen["address"]
    assert seen["moved"]["addresses"] == [seen["address"]]
    assert seen["gap"] <= LONGEST_GAP


def test_a_logoff_that_nobody_contradicts_ends_the_visit(run: tuple[str, dict[str, Any]]) -> None:
    _, seen = run
    assert seen["gone"] and seen["farewell"] == ["it has logged off"]
    assert seen["tracebacks"] == []
