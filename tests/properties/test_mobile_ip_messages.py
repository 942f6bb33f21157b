"""The law of the wire: any octets give a value or a WireError, and what was encoded decodes to the same value."""

from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import WireError
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_values import (
    DynamicHomeAgent,
    RevocationSupport,
    UdpTunnelReply,
    UdpTunnelRequest,
)
from pmip_tw.wire.pretunnel import PreTunnelReply, PreTunnelRequest
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.conformance import covers

addresses = st.integers(0, 0xFFFFFFFF).map(Ipv4)
words = st.integers(0, 0xFFFFFFFF)
bits = st.booleans()
revocation_support = st.builds(RevocationSupport, words, bits)
nais = st.binary(min_size=1, max_size=255)
skippable = st.tuples(st.integers(155, 255), st.binary(max_size=20)).map(
    lambda extension: bytes((extension[0], len(extension[1]))) + extension[1]
)
pads = st.integers(1, 3).map(bytes)
unknown = st.lists(skippable, max_size=3).map(tuple) | st.tuples(skippable, pads, skippable) | st.tuples(pads)
extensions = {
    "nai": nais,
    "per_node": st.none()
    | st.tuples(st.just(1), st.binary(min_size=1, max_size=1))
    | st.tuples(st.integers(2, 255), st.binary(max_size=4)),
    "gre_key": st.none() | words,
    "revocation": st.none() | revocation_support,
    "unknown": unknown,
}
requests = st.builds(
    RegistrationRequest,
    flags=st.integers(0, 255),
    lifetime=st.integers(0, 65535),
    home_address=addresses,
    home_agent=addresses,
    care_of_address=addresses,
    identification=st.integers(0, 2**64 - 1),
    identifiers=st.lists(st.tuples(st.integers(1, 3), st.binary(min_size=1, max_size=20)), max_size=3).map(
        tuple
    ),
    access_technology=st.none() | st.integers(0, 255),
    dynamic_home_agent=st.none() | st.builds(DynamicHomeAgent, st.integers(1, 2), addresses, bits),
    udp_tunnel=st.none() | st.builds(UdpTunnelRequest, bits, bits, bits, st.integers(0, 255)),
    **extensions,
)
replies = st.builds(
    RegistrationReply,
    code=st.integers(0, 255),
    lifetime=st.integers(0, 65535),
    home_address=addresses,
    home_agent=addresses,
    identification=st.integers(0, 2**64 - 1),
    udp_tunnel=st.none() | st.builds(UdpTunnelReply, st.integers(0, 255), bits, st.integers(0, 65535)),
    **extensions,
)
associations = st.builds(
    SecurityAssociation,
    st.integers(256, 0xFFFFFFFF),
    st.binary(min_size=1, max_size=80).map(Secret),
    st.sampled_from(Algorithm),
)
message_types = st.integers(28, 254)
messages = st.sampled_from(
    [
        RegistrationRequest,
        RegistrationReply,
        Revocation,
        RevocationAck,
        PreTunnelRequest,
        PreTunnelReply,
    ]
)
firsts = st.sampled_from([b"\x01", b"\x03", b"\x07", b"\x0f", b"\xfa", b"\xfb", b""])


@covers("E4")
@given(messages, st.binary(max_size=120), firsts)
def test_any_octets_give_a_value_or_a_wire_error(message, octets, first) -> None:
    try:
        found = message.decode(first + octets)
    except WireError as error:
        assert error.offset >= 0
    else:
        assert message.decode(found.encode()) == found or found.repeated or found.trailing


@given(requests, associations, st.frozensets(st.sampled_from([48, 137, 144])))
def test_requests_survive_the_wire(request, association, agent_part) -> None:
    present = {48: request.gre_key, 137: request.revocation, 144: request.udp_tunnel}
    request.agent_part = frozenset(kind for kind in agent_part if present[kind] is not None)
    octets = request.encode(mn_ha=association, fa_ha=association)
    found = RegistrationRequest.decode(octets)
    for authenticator in (found.mn_ha, found.fa_ha):
        assert authenticator is not None
        assert association.verify(octets[: authenticator.covered], authenticator.value)
    found.mn_ha = found.fa_ha = None
    assert found == request


@given(replies, associations)
def test_replies_survive_the_wire(reply, association) -> None:
    octets = reply.encode(mn_ha=association)
    found = RegistrationReply.decode(octets)
    assert found.mn_ha is not None
    assert association.verify(octets[: found.mn_ha.covered], found.mn_ha.value)
    found.mn_ha = None
    assert found == reply


@given(
    st.builds(
        Revocation,
        from_home_agent=bits,
        inform=bits,
        home_address=addresses,
        home_domain=addresses,
        foreign_domain=addresses,
        identifier=words,
        nai=nais,
        unknown=unknown,
    )
)
def test_revocations_survive_the_wire(revocation) -> None:
    assert Revocation.decode(revocation.encode()) == revocation


@given(
    st.builds(RevocationAck, inform=bits, home_address=addresses, identifier=words, nai=nais, unknown=unknown)
)
def test_acknowledgments_survive_the_wire(ack) -> None:
    assert RevocationAck.decode(ack.encode()) == ack


@given(
    st.builds(
        PreTunnelRequest,
        home_agent=addresses,
        care_of_address=addresses,
        identification=st.integers(0, 2**64 - 1),
        udp_tunnel=st.none() | st.builds(UdpTunnelRequest, bits, bits, bits, st.integers(0, 255)),
        **extensions,
    ),
    associations,
    message_types,
)
def test_pre_tunnel_requests_survive_the_wire(request, association, kind) -> None:
    octets = request.encode(kind, mn_ha=association, fa_ha=association)
    found = PreTunnelRequest.decode(octets, kind)
    for authenticator in (found.mn_ha, found.fa_ha):
        assert association.verify(octets[: authenticator.covered], authenticator.value)
    found.mn_ha = found.fa_ha = None
    assert found == request


@given(
    st.builds(
        PreTunnelReply,
        status=st.integers(0, 255),
        home_agent=addresses,
        care_of_address=addresses,
        identification=st.integers(0, 2**64 - 1),
        udp_tunnel=st.none() | st.builds(UdpTunnelReply, st.integers(0, 255), bits, st.integers(0, 65535)),
        **extensions,
    ),
    associations,
    message_types,
)
def test_pre_tunnel_replies_survive_the_wire(reply, association, kind) -> None:
    octets = reply.encode(kind, mn_ha=association)
    found = PreTunnelReply.decode(octets, kind)
    assert association.verify(octets[: found.mn_ha.covered], found.mn_ha.value)
    found.mn_ha = None
    assert found == reply
