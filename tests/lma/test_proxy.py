"""A request of a MAG is judged as one of the node itself, and needs nothing that tells them apart."""

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.wire.registration import COLOCATED, GRE, REVERSE_TUNNEL, RegistrationReply
from tests.conformance import covers
from tests.lma.anchor import NAT, Anchor

PROXY = {"access_technology": 2, "identifiers": ((1, b"acc0"), (2, b"\x01\x02\0\0\0\0\1"))}
"""What only a MAG sends: 147/4 and two of 147/1-3."""


@covers("P24")
def test_the_reply_is_the_same() -> None:
    """As are the binding and its way, whether the request says that it is a MAG's or not."""
    one, other = Anchor(), Anchor()
    plain, proxy = one.accept(), other.accept(**PROXY)
    for field in ("code", "lifetime", "home_address", "home_agent", "nai", "revocation", "udp_tunnel"):
        assert getattr(proxy, field) == getattr(plain, field), field
    assert one.installed == other.installed


@covers("P25")
def test_nothing_of_147_is_echoed() -> None:
    anchor = Anchor()
    anchor.accept(**PROXY)
    answered = RegistrationReply.decode(anchor.sent[-1].datagram)
    assert answered.unknown == () and b"acc0" not in anchor.sent[-1].datagram


@covers("P22")
@pytest.mark.parametrize(
    ("code", "fields"),
    [
        (129, {"home_address": ipv4("172.16.0.1")}),
        (129, {"source": NAT}),
        (133, {"skew": 60.0}),
        (136, {"home_agent": ipv4("192.0.2.2")}),
        (138, {"flags": COLOCATED}),
        (139, {"flags": COLOCATED | REVERSE_TUNNEL | GRE}),
        (140, {"unknown": (bytes((38, 0, 0, 8)) + bytes(8),)}),
    ],
)
def test_every_rule_of_a_home_agent_holds(code: int, fields: dict[str, object]) -> None:
    Anchor(encapsulations=frozenset({Encapsulation.IP_IN_IP})).deny(code, **PROXY, **fields)
