"""Named filters (AA25): which packets pass, with fragments and ICMP errors among them."""

import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.forwarding.fragments import fragment
from pmip_tw.mobility.filter_grammar import filter_rule
from pmip_tw.mobility.packet_filters import PacketFilter, chosen, objecting
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

NODE = ipv4("10.1.0.2")
DNS = ipv4("10.9.0.53")
WEB = ipv4("192.0.2.80")

WALLED = PacketFilter(
    "walled",
    (
        filter_rule("permit both udp 10.9.0.53 port 53"),
        filter_rule("deny both ip 192.0.2.0/25"),
        filter_rule("permit up icmp any"),
        filter_rule("permit both tcp 192.0.2.0/24 port 80,8000-8099"),
    ),
)


def udp(source: Ipv4, destination: Ipv4, port: int = 53, own: int = 40000, text: bytes = b"?") -> bytes:
    """``port`` is the correspondent's."""
    up = source == NODE
    return udp_packet(Endpoint(source, own if up else port), Endpoint(destination, port if up else own), text)


def tcp(source: Ipv4, destination: Ipv4, source_port: int, destination_port: int) -> bytes:
    segment = struct.pack("!HHIIBBHHH", source_port, destination_port, 1, 1, 0x50, 0x10, 8192, 0, 0)
    return Ipv4Packet(source=source, destination=destination, protocol=6, payload=segment).encode()


def icmp(source: Ipv4, destination: Ipv4, kind: int, about: bytes = b"") -> bytes:
    payload = bytes((kind, 4, 0, 0, 0, 0, 5, 120)) + about
    return Ipv4Packet(source=source, destination=destination, protocol=1, payload=payload).encode()


@covers("AA25")
def test_first_match_decides() -> None:
    assert WALLED.admits(udp(NODE, DNS), up=True)
    assert WALLED.admits(udp(DNS, NODE), up=False), "the answer comes from that port"
    assert not WALLED.admits(udp(NODE, DNS, port=54), up=True)
    assert WALLED.admits(tcp(NODE, ipv4("192.0.2.200"), 40000, 8042), up=True)
    assert not WALLED.admits(tcp(NODE, WEB, 40000, 80), up=True), "an earlier rule denies that half of it"
    assert not WALLED.admits(tcp(ipv4("192.0.2.200"), NODE, 22, 40000), up=False)


@covers("AA25")
def test_a_direction_is_one_way() -> None:
    assert WALLED.admits(icmp(NODE, ipv4("203.0.113.9"), 8), up=True)
    assert not WALLED.admits(icmp(ipv4("203.0.113.9"), NODE, 0), up=False)


@covers("AA25")
def test_what_no_rule_is_about_is_as_the_default_says() -> None:
    open_but_for = PacketFilter("x", (filter_rule("deny up tcp any port 25"),), permits_others=True)
    assert not open_but_for.admits(tcp(NODE, WEB, 40000, 25), up=True)
    assert open_but_for.admits(tcp(WEB, NODE, 25, 40000), up=False)
    assert open_but_for.admits(udp(NODE, WEB, port=25), up=True)
    assert not PacketFilter("y").admits(udp(NODE, WEB), up=True), "nothing passes a filter that says nothing"


def test_the_nodes_own_port() -> None:
    no_servers = PacketFilter("x", (filter_rule("deny down tcp any node-port 0-1023"),), permits_others=True)
    assert not no_servers.admits(tcp(WEB, NODE, 40000, 22), up=False)
    assert no_servers.admits(tcp(WEB, NODE, 22, 40000), up=False)
    assert no_servers.admits(tcp(NODE, WEB, 22, 40000), up=True)


@covers("AA25")
def test_an_icmp_error_goes_where_what_it_is_about_came_from() -> None:
    """A path MTU is found out through a filter; a forged error about what cannot have been sent is not let in."""
    allowed, forbidden = tcp(NODE, ipv4("192.0.2.200"), 40000, 80), tcp(NODE, WEB, 40000, 80)
    router = ipv4("203.0.113.1")
    assert WALLED.admits(icmp(router, NODE, 3, allowed[:28]), up=False)
    assert not WALLED.admits(icmp(router, NODE, 3, forbidden[:28]), up=False)
    assert not WALLED.admits(icmp(router, NODE, 3), up=False), "about nothing"
    assert not WALLED.admits(icmp(router, NODE, 5, allowed[:28]), up=False), "a redirect is no error"
    everything = PacketFilter("x", (filter_rule("permit up ip any"),))
    assert everything.admits(icmp(router, NODE, 3, allowed[:20]), up=False), "a header is enough for that"
    assert not everything.admits(icmp(router, NODE, 3, allowed[:19]), up=False)
    answered = PacketFilter("x", (filter_rule("permit both udp 10.9.0.53 port 53"),))
    assert answered.admits(icmp(NODE, DNS, 3, udp(DNS, NODE)[:28]), up=True), (
        "port unreachable, from the node"
    )


@covers("AA25")
def test_an_icmp_error_is_no_way_to_anybody_else() -> None:
    """Whatever a node writes into it as the packet that it is about: the error would carry that past every rule."""
    stranger = ipv4("203.0.113.9")
    answered = PacketFilter("x", (filter_rule("permit both udp 10.9.0.53 port 53"),))
    for kind in (3, 4, 11, 12):
        assert not answered.admits(icmp(NODE, stranger, kind, udp(DNS, NODE) + b"anything"), up=True)
        assert not answered.admits(icmp(stranger, NODE, kind, udp(ipv4("10.1.0.9"), DNS)), up=False)


@covers("AA25")
def test_fragments() -> None:
    """Later fragments show no ports: a rule that permits lets them pass, one that denies stops the first only."""
    permitted = fragment(udp(NODE, DNS, text=b"\0\x35" * 1500), 1400)  # what looks like a port is none
    assert [WALLED.admits(piece, up=True) for piece in permitted] == [True, True, True]
    elsewhere = fragment(udp(NODE, ipv4("10.9.0.54"), text=bytes(3000)), 1400)
    assert [WALLED.admits(piece, up=True) for piece in elsewhere] == [False, False, False]
    no_dns = PacketFilter("x", (filter_rule("deny up udp any port 53"),), permits_others=True)
    assert [no_dns.admits(piece, up=True) for piece in permitted] == [False, True, True]


def test_a_first_fragment_without_its_ports_passes_no_rule_about_ports() -> None:
    short = tcp(NODE, ipv4("192.0.2.200"), 40000, 80)[:22]
    assert not WALLED.admits(short, up=True)
    no_mail = PacketFilter("x", (filter_rule("deny up tcp any port 25"),), permits_others=True)
    assert not no_mail.admits(short, up=True)
    assert WALLED.admits(tcp(NODE, ipv4("192.0.2.200"), 40000, 80)[:24], up=True), "there they are"


def test_several_filters_must_all_admit() -> None:
    no_web = PacketFilter("no-web", (filter_rule("deny both tcp any port 80"),), permits_others=True)
    packet = tcp(NODE, ipv4("192.0.2.200"), 40000, 80)
    assert objecting((WALLED,), packet, up=True) is None
    assert objecting((WALLED, no_web), packet, up=True) is no_web
    assert objecting((), packet, up=True) is None


def test_filters_are_chosen_by_name() -> None:
    known = {"walled": WALLED}
    assert chosen(known, ("walled", "walled")) == ((WALLED,), ())
    assert chosen(known, ("guests", "walled")) == ((WALLED,), ("guests",))


@given(octets=st.binary(max_size=60), up=st.booleans())
def test_any_packet_with_a_header_is_decided_about(octets: bytes, up: bool) -> None:
    packet = bytes((0x45,)) + octets.ljust(19, b"\0")
    assert WALLED.admits(packet, up) in (True, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("permit up tcp", "is not ACTION DIRECTION PROTOCOL WHOM"),
        ("allow up tcp any", "begins with 'allow' instead of permit or deny"),
        ("permit in tcp any", "where up (from the mobile node), down (to it) or both must be"),
        ("permit up ospf any", "where ip, icmp, tcp, udp, sctp or a protocol number must be"),
        ("permit up 256 any", "where ip, icmp, tcp, udp, sctp or a protocol number must be"),
        ("permit up ip 10.1.0.1/24", "an address or a prefix"),
        ("permit up ip any port 80", "has ports, which 'ip' has not"),
        ("permit up tcp any port", "ends with port"),
        ("permit up tcp any ports 80", "goes on with 'ports'"),
        ("permit up tcp any port 80 port 81", "each once"),
        ("permit up tcp any port 80-", "has '80-' where a port"),
        ("permit up tcp any port 90-80", "has '90-80' where a port"),
        ("permit up tcp any port 65536", "has '65536' where a port"),
        ("permit up tcp any port 80,", "has '' where a port"),
    ],
)
def test_a_wrong_rule_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        filter_rule(text)


def test_the_grammar_is_read_as_it_is_written() -> None:
    rule = filter_rule("deny down 17 10.1.0.0/16 port 1,5-7 node-port 9")
    assert (rule.permits, rule.up, rule.down, rule.protocol) == (False, False, True, 17)
    assert (rule.network, rule.mask) == (ipv4("10.1.0.0"), 0xFFFF0000)
    assert (rule.ports, rule.node_ports) == (((1, 1), (5, 7)), ((9, 9),))
    everything = filter_rule("permit both ip any")
    assert (everything.protocol, everything.network, everything.mask, everything.ports) == (None, 0, 0, ())
