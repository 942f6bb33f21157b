"""What nobody should send is wrong in just what it is to be turned away for."""

import pytest

from pmip_tw.addresses import ipv4, mac
from pmip_tw.dhcp.requests import Refusal, client_message
from pmip_tw.errors import Malformed, Truncated, WireError
from pmip_tw.lab import hostile
from pmip_tw.lab.scenarios.nat_intruders import OVERLOADED, UNFINISHED
from pmip_tw.wire.ethernet import EthernetFrame
from pmip_tw.wire.pretunnel import PreTunnelRequest

LIAR = mac("02:4e:41:54:11:02")


def test_dhcp_as_from_a_relay_is_refused_as_that() -> None:
    frames = list(hostile.relayed_dhcp(LIAR))
    assert len(frames) == 3
    said = [client_message(EthernetFrame.decode(frame), None) for frame in frames]
    assert said == [Refusal.RELAYED] * 3


def test_a_servers_message_is_refused_as_that() -> None:
    frame = EthernetFrame.decode(hostile.dhcp_offer(LIAR, ipv4("10.1.0.9")))
    assert client_message(frame, None) is Refusal.NOT_A_REQUEST


@pytest.mark.parametrize(("options", "error"), [(OVERLOADED, Malformed), (UNFINISHED, Truncated)])
def test_broken_options_are_broken(options: bytes, error: type[WireError]) -> None:
    with pytest.raises(error):
        client_message(EthernetFrame.decode(hostile.dhcp_with_options(LIAR, options)), None)


def test_a_forged_pre_tunnel_request_is_whole_and_for_the_node() -> None:
    octets = hostile.forged_pre_tunnel(
        nai="mn1@lab.example",
        spi=4096,
        mac=LIAR,
        home_agent=ipv4("198.51.100.1"),
        care_of_address=ipv4("192.168.1.10"),
        wall=1.8e9,
    )
    request = PreTunnelRequest.decode(octets)
    assert (request.nai, request.mac) == (b"mn1@lab.example", LIAR)
    assert request.mn_ha is not None
