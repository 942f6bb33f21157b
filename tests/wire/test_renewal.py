"""The form of a node's requests: what it knows as the same again, and that its replies are those of the codec."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelReply, UdpTunnelRequest
from pmip_tw.wire.registration import REVERSE_TUNNEL, RegistrationReply, RegistrationRequest
from pmip_tw.wire.renewal import RenewalForm, form_of, identification_of, leading_nai, said_of

KEY = SecurityAssociation(4096, Secret(b"key of a mobile node"))
LMA, HOME = ipv4("192.0.2.1"), ipv4("10.1.0.2")
VARIABLE_TAIL = KEY.digest_size


def request(**fields: object) -> RegistrationRequest:
    values: dict[str, object] = {
        "flags": REVERSE_TUNNEL,
        "nai": b"mn1@example.net",
        "lifetime": 600,
        "home_address": HOME,
        "home_agent": LMA,
        "care_of_address": ipv4("198.51.100.1"),
        "identification": 0x0123456789ABCDEF,
        "access_technology": 4,
        "revocation": RevocationSupport(77),
    }
    return RegistrationRequest(**(values | fields))


def form(octets: bytes) -> RenewalForm:
    made = form_of(octets)
    assert made is not None
    return made


@given(
    nai=st.binary(min_size=1, max_size=200),
    supports=st.booleans(),
    technology=st.sampled_from([None, 4]),
    identification=st.integers(0, 2**64 - 1),
    lifetime=st.integers(1, 65535),
    own=st.integers(0, 2**32 - 1),
    inform=st.booleans(),
    tunnel=st.sampled_from([None, UdpTunnelReply(64), UdpTunnelReply(0, True, 110)]),
)
def test_its_reply_is_that_of_the_codec(
    nai, supports, technology, identification, lifetime, own, inform, tunnel
):
    asked = request(
        nai=nai,
        revocation=RevocationSupport(5, inform=inform) if supports else None,
        access_technology=technology,
        udp_tunnel=None if tunnel is None else UdpTunnelRequest(forced=tunnel.forced),
        identification=identification,
    )
    octets = asked.encode(mn_ha=KEY)
    unsigned = form(octets).acceptance(
        octets,
        1,
        lifetime,
        Ipv4(HOME),
        LMA,
        said_of(tunnel, own if supports else None, inform),
    )
    expected = RegistrationReply(
        code=1,
        lifetime=lifetime,
        home_address=HOME,
        home_agent=LMA,
        identification=identification,
        nai=nai,
        udp_tunnel=tunnel,
        revocation=RevocationSupport(own, inform) if supports else None,
    )
    assert unsigned + KEY.sign(unsigned) == expected.encode(mn_ha=KEY)
    assert leading_nai(octets) == nai


@pytest.mark.parametrize("tunnel", [None, UdpTunnelRequest()])
@pytest.mark.parametrize("revocation", [None, RevocationSupport(77)])
def test_what_may_differ(revocation: RevocationSupport | None, tunnel: UdpTunnelRequest | None) -> None:
    """Identification, timestamp and authenticator, and no other octet."""
    former = request(revocation=revocation, udp_tunnel=tunnel).encode(mn_ha=KEY)
    known = form(former)
    for place in range(len(former)):
        changed = bytearray(former)
        changed[place] ^= 0xFF
        may = 16 <= place < 24 or place >= len(former) - VARIABLE_TAIL
        if revocation is not None:
            may = may or known.timestamp_at <= place < known.timestamp_at + 4
        assert (known.asked_again(former, bytes(changed), HOME) is not None) is may, place
    assert known.asked_again(former, former + b"\0", HOME) is None
    assert known.asked_again(former, former[:-1], HOME) is None


@pytest.mark.parametrize("other", [Ipv4(0), HOME, ipv4("10.1.0.3"), ipv4("255.255.255.255")])
@pytest.mark.parametrize("first", [Ipv4(0), HOME, ipv4("10.1.0.3")])
def test_any_home_address_is_the_one_that_it_has(first: Ipv4, other: Ipv4) -> None:
    former, later = (request(home_address=wanted).encode(mn_ha=KEY) for wanted in (first, other))
    same = first == other or {first, other} == {Ipv4(0), HOME}
    assert (form(former).asked_again(former, later, HOME) is not None) is same


@pytest.mark.parametrize("revocation", [None, RevocationSupport(0x01020304)])
def test_what_is_new(revocation: RevocationSupport | None) -> None:
    former = request(revocation=revocation and RevocationSupport(77)).encode(mn_ha=KEY)
    later = request(identification=99, revocation=revocation).encode(mn_ha=KEY)
    known = form(former)
    assert known.asked_again(former, later, HOME) == (0x0123456789ABCDEF, 99, later[-KEY.digest_size :])
    assert identification_of(later) == 99
    assert revocation is None or known.timestamp(later) == revocation.timestamp


@pytest.mark.parametrize(
    ("fields", "signed"),
    [
        ({"udp_tunnel": UdpTunnelRequest(), "agent_part": frozenset({144})}, {"mn_ha": KEY}),
        ({"gre_key": 7}, {"mn_ha": KEY}),
        ({"identifiers": ((1, b"\2"),)}, {"mn_ha": KEY}),
        ({"unknown": (bytes((200, 1, 0)),)}, {"mn_ha": KEY}),
        ({"challenge": b"challenge"}, {"mn_ha": KEY}),
        ({"per_node": (1, b"\1")}, {"fa_ha": KEY}),
        ({}, {"mn_ha": KEY, "fa_ha": KEY}),
        ({"trailing": (bytes((200, 1, 0)),)}, {"mn_ha": KEY}),
    ],
)
def test_what_has_none(fields: dict[str, object], signed: dict[str, SecurityAssociation]) -> None:
    """Anything out of the ordinary is read as a whole, each time."""
    octets = request(**fields).encode(**signed)
    assert form_of(octets) is None


def test_a_timestamp_that_nothing_covers() -> None:
    """137 behind MN-HA (RV4)."""
    octets = request(agent_part=frozenset({137})).encode(mn_ha=KEY)
    assert form_of(octets) is None


@pytest.mark.parametrize("octets", [b"", b"\1", bytes(26), b"\1" + bytes(23) + bytes((132, 3)) + b"abc"])
def test_no_leading_nai(octets: bytes) -> None:
    assert leading_nai(octets) == b""


def test_nodes_whose_requests_are_alike_share_one() -> None:
    one, other = (request(nai=name).encode(mn_ha=KEY) for name in (b"mn1@example.net", b"mn2@example.net"))
    assert form(one) is form(other)
