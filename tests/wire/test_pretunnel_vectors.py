"""The pre-tunnel messages of nat.json: decode, verify, re-encode to the same octets; whatever number they have."""

import pytest

from pmip_tw.addresses import ipv4, mac
from pmip_tw.errors import Malformed, Truncated, UnrecognizedNonSkippable
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_values import UdpTunnelReply, UdpTunnelRequest
from pmip_tw.wire.pretunnel import PreTunnelReply, PreTunnelRequest, ethernet_device
from tests.conformance import covers
from tests.vectors import vectors

VECTORS = {vector["name"]: vector for vector in vectors("nat") if vector["name"].startswith("pre-udp-tunnel")}
REQUEST = bytes.fromhex(VECTORS["pre-udp-tunnel-request"]["udp_payload_hex"])
REPLY = bytes.fromhex(VECTORS["pre-udp-tunnel-reply"]["udp_payload_hex"])
LEAF = mac("02:00:00:00:00:01")


@covers("N48")
@pytest.mark.parametrize("name", VECTORS)
def test_round_trip_and_signature(name: str) -> None:
    octets = bytes.fromhex(VECTORS[name]["udp_payload_hex"])
    codec = PreTunnelRequest if "request" in name else PreTunnelReply
    message = codec.decode(octets)
    assert message.encode() == octets
    [authentication] = VECTORS[name]["authentication"]
    keyed = SecurityAssociation(
        int(authentication["spi"], 16), Secret(bytes.fromhex(authentication["key_hex"]))
    )
    assert message.mn_ha is not None
    assert keyed.verify(octets[: message.mn_ha.covered], message.mn_ha.value)
    message.mn_ha = None
    assert message.encode(mn_ha=keyed) == octets


def test_what_they_say() -> None:
    request = PreTunnelRequest.decode(REQUEST)
    assert (request.home_agent, request.care_of_address) == (ipv4("192.0.2.1"), ipv4("10.9.8.7"))
    assert request.udp_tunnel == UdpTunnelRequest(dhcp_only=True) and request.nai == b"mn1@example.net"
    reply = PreTunnelReply.decode(REPLY)
    assert (reply.status, reply.care_of_address) == (0, ipv4("203.0.113.77"))
    assert reply.udp_tunnel == UdpTunnelReply(keepalive_interval=110)
    assert reply.identification == request.identification


@covers("N51")
def test_the_node_is_named_by_the_first_ethernet_device() -> None:
    request = PreTunnelRequest.decode(REQUEST)
    assert request.mac is None
    for others in [(1, b"\1" + LEAF), (2, b"\2" + LEAF), (2, b"\1" + LEAF + b"\0"), (2, b""), (3, b"\1")]:
        request.identifiers = (others,)
        assert request.mac is None
        request.identifiers = (others, ethernet_device(LEAF), ethernet_device(mac("02:00:00:00:00:02")))
        assert request.mac == LEAF
    assert b"\x93\x08\x02\x01" + LEAF in request.encode()


@covers("N56")
def test_their_numbers_are_the_operators() -> None:
    request, reply = PreTunnelRequest.decode(REQUEST), PreTunnelReply.decode(REPLY)
    assert PreTunnelRequest.decode(request.encode(120), 120) == request
    assert PreTunnelReply.decode(reply.encode(121), 121) == reply
    with pytest.raises(Malformed, match="message type 250 is no pre-tunnel request"):
        PreTunnelRequest.decode(REQUEST, 120)
    with pytest.raises(Malformed, match="message type 251 is no pre-tunnel reply"):
        PreTunnelReply.decode(REPLY, 121)


def test_what_belongs_into_the_other_one_discards_it() -> None:
    with pytest.raises(UnrecognizedNonSkippable, match="44 belongs into the other message"):
        PreTunnelRequest.decode(REQUEST[:20] + UdpTunnelReply().encode())
    for codec, octets in ((PreTunnelRequest, REQUEST), (PreTunnelReply, REPLY)):
        with pytest.raises(Truncated):
            codec.decode(octets[:19])
