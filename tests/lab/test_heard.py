"""What a capture heard, from frames made here."""

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.lab.heard import Heard, Listener
from pmip_tw.lab.messages import Kind
from pmip_tw.lab.pcapng import Packet
from pmip_tw.lab.sites import HOME as HOME_PREFIX
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.pretunnel import PreTunnelReply, PreTunnelRequest
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation
from pmip_tw.wire.udp import udp_packet
from tests.lab.frames import HOME, LMA, MAG1, MAG2, NODE, echo, heard, segment, signalling, tunnelled

LISTENER = Listener(
    access_taps=frozenset({"mag1-access", "mag2-access"}),
    core_taps=frozenset({"mag1-core", "mag2-core"}),
    home=HOME_PREFIX,
    nodes=frozenset({NODE}),
)

REQUEST = RegistrationRequest(
    lifetime=1800, home_agent=LMA, care_of_address=MAG1, identification=1, nai=b"mn1@lab.example"
).encode()


def _hear(*packets: Packet) -> Heard:
    return LISTENER.hear(packets)


def test_a_request_and_its_refusal_are_named_with_what_matters() -> None:
    refusal = RegistrationReply(
        code=133, lifetime=0, home_address=HOME, home_agent=LMA, identification=1
    ).encode()
    found = _hear(
        heard("mag1-core", 2, signalling(refusal, LMA, MAG1)),
        heard("mag1-core", 1, signalling(REQUEST, MAG1, LMA), inbound=False),
    ).messages
    assert [(message.name, message.label, message.note) for message in found] == [
        ("request", "PRRQ 1800 s", "mn1@lab.example"),
        ("reply", "PRRP code 133", "registration identification mismatch"),
    ]


def test_a_revocation_is_heard_at_the_old_mag() -> None:
    revocation = Revocation(
        home_address=HOME, home_domain=LMA, foreign_domain=MAG2, identifier=7, from_home_agent=True
    ).encode()
    (found,) = _hear(heard("mag2-core", 1, signalling(revocation, LMA, MAG2))).messages
    assert (found.kind, found.source.address, found.destination.address) == (Kind.REVOCATION, LMA, MAG2)


def test_a_damaged_message_is_heard_as_undecodable() -> None:
    (found,) = _hear(heard("mag1-core", 1, signalling(REQUEST[:20], MAG1, LMA))).messages
    assert found.kind is Kind.UNDECODABLE
    assert found.note


def test_echoes_are_found_inside_and_outside_the_tunnel() -> None:
    found = _hear(
        heard("mn", 1, echo(5), inbound=False, source=NODE),
        heard("mag1-core", 2, tunnelled(echo(5)), inbound=False),
        heard("mn", 3, echo(5, reply=True)),
    ).echoes
    assert [(one.tap, one.request, one.tunnelled, one.inbound) for one in found] == [
        ("mn", True, False, False),
        ("mag1-core", True, True, False),
        ("mn", False, False, True),
    ]
    assert {one.number for one in found} == {(77, 5)}


def test_a_packet_of_the_node_beside_the_tunnel_is_a_stray() -> None:
    assert not _hear(heard("mag1-core", 1, tunnelled(echo(1)), inbound=False)).strays
    (stray,) = _hear(heard("mag1-core", 1, echo(1), inbound=False)).strays
    assert "10.1.0.2" in stray.text


def test_a_frame_with_the_nodes_own_mac_on_the_core_is_a_stray() -> None:
    assert _hear(heard("mag1-core", 1, tunnelled(echo(1)), source=NODE)).strays


def test_segments_tell_their_payload_although_they_were_cut() -> None:
    whole = heard("mn", 1, segment(1000), inbound=False, source=NODE)
    cut = Packet(
        tap="mn",
        time_ns=1,
        direction=whole.direction,
        octets=whole.octets[:94],
        original_length=whole.original_length,
    )
    (found,) = _hear(cut).segments
    assert found.octets == 1000


BEHIND_NAT = Listener(
    access_taps=frozenset({"mag1-access"}),
    core_taps=frozenset({"mag1-core", "mag1-nat"}),
    signalling_taps=frozenset({"mag1-nat"}),
    server_taps=frozenset({"dhcp"}),
    home=HOME_PREFIX,
    nodes=frozenset({NODE}),
)
OUTSIDE, PRIVATE = ipv4("198.51.100.21"), ipv4("192.168.1.10")
DISCOVER = DhcpMessage(op=1, xid=1, chaddr=NODE, options=((53, b"\1"),)).encode()
CLIENT, SERVER = Endpoint(ipv4("0.0.0.0"), 68), Endpoint(ipv4("255.255.255.255"), 67)


def test_dhcp_is_heard_inside_the_tunnel_and_at_the_server_each_once() -> None:
    inner = udp_packet(CLIENT, SERVER, DISCOVER)
    data = b"\4\4\0\0" + inner
    relayed = udp_packet(Endpoint(LMA, 67), Endpoint(ipv4("192.0.2.67"), 67), DISCOVER)
    packets = [
        heard("mag1-access", 1, inner, source=NODE),
        heard("mag1-core", 2, udp_packet(Endpoint(PRIVATE, 434), Endpoint(LMA, 434), data), inbound=False),
        heard("mag1-nat", 3, udp_packet(Endpoint(OUTSIDE, 30000), Endpoint(LMA, 434), data), inbound=False),
        heard("dhcp", 4, relayed),
    ]
    found = BEHIND_NAT.hear(packets)
    assert [(one.tap, one.name, one.tunnelled) for one in found.messages] == [
        ("mag1-access", "dhcp-discover", False),
        ("mag1-nat", "dhcp-discover", True),
        ("dhcp", "dhcp-discover", False),
    ]
    assert found.messages[1].source == Endpoint(OUTSIDE, 30000)
    assert not found.strays
    assert found.in_udp == {"mag1-core": 1, "mag1-nat": 1}


def test_dhcp_in_the_core_without_a_tunnel_is_a_stray() -> None:
    lost = udp_packet(Endpoint(PRIVATE, 67), Endpoint(ipv4("192.0.2.67"), 67), DISCOVER)
    found = BEHIND_NAT.hear([heard("mag1-core", 1, lost, inbound=False)])
    assert [stray.text for stray in found.strays] == ["DHCP that no tunnel carries"]
    assert not found.messages


def test_a_pre_tunnel_is_named_with_what_the_nat_made_of_the_mag() -> None:
    request = PreTunnelRequest(
        home_agent=LMA, care_of_address=PRIVATE, identification=1, nai=b"mn1@lab.example"
    )
    granted = PreTunnelReply(status=0, home_agent=LMA, care_of_address=OUTSIDE, identification=1)
    refused = PreTunnelReply(status=133, home_agent=LMA, care_of_address=OUTSIDE, identification=1)
    found = BEHIND_NAT.hear(
        [
            heard("mag1-nat", 1, signalling(request.encode(), OUTSIDE, LMA), inbound=False),
            heard("mag1-nat", 2, signalling(refused.encode(), LMA, OUTSIDE)),
            heard("mag1-nat", 3, signalling(granted.encode(), LMA, OUTSIDE)),
        ]
    ).messages
    assert [(one.kind, one.label, one.note) for one in found] == [
        (Kind.PRE_TUNNEL, "Pre-Tunnel Req", "mn1@lab.example"),
        (Kind.PRE_TUNNEL, "Pre-Tunnel 133", "registration identification mismatch"),
        (Kind.PRE_TUNNEL, "Pre-Tunnel 0", "seen as 198.51.100.21"),
    ]
