"""The LMA as relay: DHCP out of pre-tunnels to servers and back; what lies is dropped and counted (N52, N53, D32)."""

import attrs
import pytest

from pmip_tw.addresses import ALL_ONES, ipv4
from pmip_tw.lma.registration.commitment import Expect, Forget
from pmip_tw.wire.dhcp import BOOTREPLY, BROADCAST_FLAG, MessageType, OptionCode
from pmip_tw.wire.pretunnel import ethernet_device
from pmip_tw.wire.relay_information import RelayInformation
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG2, nai
from tests.lma.dhcp_anchor import (
    DIRECT,
    EVERYTHING,
    HOME,
    LEASE,
    PORT,
    PUBLIC,
    SERVER,
    THROUGH_NAT,
    DhcpAnchor,
    answer,
    message,
    station,
)

PRIVATE = ipv4("10.9.8.7")
GIADDR = ipv4("10.1.0.1")


@covers("N53", "P64", "D32", "N54")
def test_figure_3_from_the_lmas_side() -> None:
    """DISCOVER, OFFER, REQUEST, ACK through the pre-tunnel; then the registration takes its place."""
    anchor = DhcpAnchor()
    anchor.open(1, PRIVATE, source=PUBLIC, port=PORT)
    anchor.up(message(MessageType.DISCOVER), THROUGH_NAT)
    [discover] = anchor.relayed()
    assert (discover.giaddr, discover.hops, discover.chaddr) == (LMA, 1, station(1))
    assert discover.option(OptionCode.RELAY_AGENT_INFORMATION) is None  # D1: off by default
    anchor.server_says(answer(MessageType.OFFER, discover))
    [(tunnel, packet, offer)] = anchor.told()
    assert tunnel == THROUGH_NAT
    assert (packet.source, packet.destination, packet.ttl) == (LMA, HOME, 64)
    assert (offer.message_type, offer.yiaddr) == (MessageType.OFFER, HOME)
    assert anchor.leased() is None and anchor.journal[1:] == []
    anchor.up(message(MessageType.REQUEST, requested=HOME, server=SERVER), THROUGH_NAT)
    [request] = anchor.relayed()
    anchor.server_says(answer(MessageType.ACK, request))
    [(_, _, ack)] = anchor.told()
    assert (ack.message_type, ack.lease_time) == (MessageType.ACK, LEASE)
    assert anchor.leased().home_address == HOME
    reply = anchor.accept(
        1,
        PRIVATE,
        source=PUBLIC,
        port=PORT,
        home_address=HOME,
        udp_tunnel=anchor.pre_tunnel_request().udp_tunnel,
    )
    assert reply.home_address == HOME
    names = [note.name for note in anchor.notes if note.nai == "mn1@example.net"]
    assert names == [
        "pre-tunnel-opened",
        "dhcp-forwarded",
        "dhcp-offer",
        "dhcp-forwarded",
        "dhcp-ack",
        "lease-recorded",
        "binding-created",
        "pre-tunnel-closed",
    ]


@covers("D12", "D13", "D14", "D32")
def test_what_servers_are_told_of_the_place() -> None:
    anchor = DhcpAnchor(option_82=EVERYTHING, giaddr=GIADDR)
    anchor.open(1, PRIVATE, source=PUBLIC, port=PORT)
    anchor.up(message(MessageType.DISCOVER), THROUGH_NAT)
    [discover] = anchor.relayed()
    assert discover.giaddr == GIADDR
    assert discover.options[-1][0] == OptionCode.RELAY_AGENT_INFORMATION
    told = dict(RelayInformation.decode(discover.options[-1][1]).sub_options)
    assert told == {
        1: b"10.9.8.7:203.0.113.77",
        2: station(1),
        6: nai(1),
        5: ipv4("10.1.0.0").to_bytes(4, "big"),
        10: b"\0",
        11: GIADDR.to_bytes(4, "big"),
    }
    anchor.server_says(answer(MessageType.OFFER, discover))
    [(_, packet, offer)] = anchor.told()
    assert packet.source == GIADDR
    assert offer.option(OptionCode.RELAY_AGENT_INFORMATION) is None


@covers("N53")
@pytest.mark.parametrize(
    ("kind", "flags", "destination"),
    [
        (MessageType.OFFER, 0, HOME),
        (MessageType.OFFER, BROADCAST_FLAG, ALL_ONES),
        (MessageType.ACK, BROADCAST_FLAG, ALL_ONES),
        (MessageType.NAK, 0, ALL_ONES),
    ],
)
def test_where_an_answer_goes(kind, flags, destination) -> None:
    anchor = DhcpAnchor()
    anchor.open()
    asks = MessageType.DISCOVER if kind is MessageType.OFFER else MessageType.REQUEST
    anchor.up(message(asks, requested=HOME, flags=flags))
    [asked] = anchor.relayed()
    anchor.server_says(answer(kind, asked))
    [(_, packet, told)] = anchor.told()
    assert (packet.destination, told.message_type) == (destination, kind)


@covers("N51")
def test_an_unknown_client_is_that_of_the_oldest_pre_tunnel() -> None:
    anchor = DhcpAnchor()
    for node in (1, 2):
        anchor.open(node, identifiers=())
    assert anchor.wanted() == [Expect(DIRECT, None), Expect(DIRECT, None)]
    anchor.up(message(MessageType.RELEASE, 9, ciaddr=HOME))
    assert anchor.relayed() == []
    anchor.up(message(MessageType.DISCOVER, 9))
    anchor.up(message(MessageType.DISCOVER, 8))
    assert [asked.chaddr for asked in anchor.relayed()] == [station(9), station(8)]
    assert anchor.wanted() == [
        Expect(DIRECT, station(9)),
        Forget(DIRECT, None),
        Expect(DIRECT, station(8)),
        Forget(DIRECT, None),
    ]
    anchor.lease(9)
    assert anchor.leased(1).home_address == HOME
    anchor.open(1, identifiers=())  # asked for again, it stays this client's
    anchor.up(message(MessageType.DISCOVER, 9, xid=77))
    assert len(anchor.relayed()) == 1


def dropped(anchor: DhcpAnchor, reason: str) -> None:
    """The last packet went nowhere, and is counted."""
    assert anchor.relayed() == [] and anchor.told() == []
    note = anchor.notes[-1]
    assert (note.name, note.reason) == ("message-discarded", reason)
    assert note.cause


@covers("N52", "D3", "D4", "D7", "D35")
@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("dhcp-no-pre-tunnel", message(MessageType.DISCOVER, 2)),
        ("dhcp-not-a-request", message(MessageType.OFFER, op=BOOTREPLY)),
        ("dhcp-relayed", message(MessageType.DISCOVER, giaddr=ipv4("10.1.0.9"))),
        ("dhcp-relayed", message(MessageType.DISCOVER, giaddr=LMA)),
        ("dhcp-untrusted-circuit", message(MessageType.DISCOVER, options=((82, b"\1\1x"),))),
        ("dhcp-too-many-hops", message(MessageType.DISCOVER, hops=5)),
        ("dhcp-ignored", message(MessageType.LEASEQUERY)),
        ("dhcp-others-lease", message(MessageType.RELEASE, ciaddr=HOME)),
        ("dhcp-others-lease", message(MessageType.DECLINE, requested=HOME)),
    ],
)
def test_dhcp_that_lies(reason, said) -> None:
    anchor = DhcpAnchor()
    anchor.open()
    anchor.up(said)
    dropped(anchor, reason)


@covers("N52")
def test_what_comes_from_elsewhere_than_it_says() -> None:
    anchor = DhcpAnchor()
    anchor.open()
    anchor.up(message(MessageType.REQUEST, ciaddr=HOME), source=ipv4("10.1.0.7"))
    dropped(anchor, "dhcp-spoofed-source")
    anchor.up(message(MessageType.DISCOVER), source=HOME)
    dropped(anchor, "dhcp-spoofed-source")


@covers("N52", "N29")
def test_another_tunnel_than_the_nodes() -> None:
    anchor = DhcpAnchor()
    anchor.open(1)
    anchor.open(2, MAG2)
    anchor.up(message(MessageType.DISCOVER, 2), DIRECT)
    dropped(anchor, "dhcp-no-pre-tunnel")


@covers("N52")
def test_what_cannot_be_read() -> None:
    anchor = DhcpAnchor()
    anchor.open()
    anchor.up_packet(b"\x45" + bytes(27))
    dropped(anchor, "malformed")
    anchor.up(
        message(MessageType.DISCOVER, options=((52, b"\7"),)) if False else message(MessageType.DISCOVER)
    )
    assert len(anchor.relayed()) == 1


@covers("N52")
def test_not_more_than_ten_in_a_second() -> None:
    anchor = DhcpAnchor()
    anchor.open()
    for number in range(30):
        anchor.up(message(MessageType.DISCOVER, xid=number))
    assert len(anchor.relayed()) <= 10
    dropped(anchor, "dhcp-too-often")
    assert anchor.notes[-1].nai == "mn1@example.net"
    anchor.pass_time(1.1)
    anchor.up(message(MessageType.DISCOVER, xid=99))
    assert len(anchor.relayed()) == 1


@covers("D9", "D10")
@pytest.mark.parametrize(
    ("reason", "changes", "server"),
    [
        ("dhcp-unknown-server", {}, ipv4("203.0.113.99")),
        ("dhcp-other-relay", {"giaddr": ipv4("192.0.2.7")}, SERVER),
        ("dhcp-unexpected-reply", {"xid": 1234}, SERVER),
        ("dhcp-unexpected-reply", {"chaddr": station(2)}, SERVER),
    ],
)
def test_answers_to_nobody(reason, changes, server) -> None:
    anchor = DhcpAnchor()
    anchor.open()
    anchor.up(message(MessageType.DISCOVER))
    [asked] = anchor.relayed()
    anchor.server_says(attrs.evolve(answer(MessageType.OFFER, asked), **changes), server)
    dropped(anchor, reason)


@covers("N54")
@pytest.mark.parametrize("kind", [MessageType.OFFER, MessageType.ACK])
@pytest.mark.parametrize("address", ["10.7.0.9", "10.2.0.9", "10.1.0.1"])
def test_a_server_with_an_address_of_elsewhere(kind, address) -> None:
    """In no pool that DHCP assigns for this realm, or the gateway's: the node never hears of it."""
    anchor = DhcpAnchor()
    anchor.open()
    asks = MessageType.DISCOVER if kind is MessageType.OFFER else MessageType.REQUEST
    anchor.up(message(asks, requested=ipv4(address)))
    [asked] = anchor.relayed()
    anchor.server_says(answer(kind, asked, ipv4(address)))
    dropped(anchor, "dhcp-unusable-address")
    assert anchor.leased() is None


def test_a_server_with_an_address_of_ours() -> None:
    """No node may have that where its renewals go."""
    anchor = DhcpAnchor(giaddr=ipv4("10.1.0.5"))
    anchor.open()
    anchor.up(message(MessageType.DISCOVER))
    [asked] = anchor.relayed()
    anchor.server_says(answer(MessageType.OFFER, asked, ipv4("10.1.0.5")))
    dropped(anchor, "dhcp-unusable-address")
    assert "an address of this LMA" in anchor.notes[-1].cause


def test_an_answer_after_the_pre_tunnel() -> None:
    anchor = DhcpAnchor()
    anchor.open()
    anchor.pass_time(59)
    anchor.up(message(MessageType.DISCOVER))
    [asked] = anchor.relayed()
    anchor.pass_time(3)
    anchor.server_says(answer(MessageType.OFFER, asked))
    dropped(anchor, "dhcp-unexpected-reply")


def test_silent_servers_are_told_once_each_outage() -> None:
    """The node waits; its trace says for what, and the operator hears of it once."""
    anchor = DhcpAnchor()
    anchor.open(1)
    anchor.open(2)
    anchor.names()
    for node in (1, 2, 1, 2):
        anchor.up(message(MessageType.DISCOVER, node))
        anchor.pass_time(5)
    asked = anchor.relayed()[-1]
    assert [note.name for note in anchor.notes].count("dhcp-unanswered") == 4
    assert [note.name for note in anchor.notes].count("dhcp-servers-silent") == 1
    assert "203.0.113.67" in anchor.last("dhcp-servers-silent").cause
    assert anchor.last("dhcp-unanswered").nai == "mn2@example.net"
    anchor.server_says(answer(MessageType.OFFER, asked))
    assert anchor.names()[-2:] == ["dhcp-servers-heard", "dhcp-offer"]
    anchor.pass_time(5)
    anchor.up(message(MessageType.DISCOVER))
    anchor.pass_time(5)
    assert anchor.names().count("dhcp-servers-silent") == 1


@covers("N29")
def test_after_another_mag_asked_the_answer_goes_there() -> None:
    anchor = DhcpAnchor()
    anchor.open(1)
    anchor.up(message(MessageType.DISCOVER))
    [asked] = anchor.relayed()
    anchor.open(1, MAG2)
    anchor.server_says(answer(MessageType.OFFER, asked))
    [(tunnel, _, _)] = anchor.told()
    assert tunnel.remote == MAG2


@covers("N52")
def test_what_is_not_relayed_counts_as_well() -> None:
    anchor = DhcpAnchor()
    anchor.open()
    for _ in range(12):
        anchor.up(message(MessageType.LEASEQUERY))
    reasons = [note.reason for note in anchor.notes if note.name == "message-discarded"]
    assert reasons == ["dhcp-ignored"] * 10 + ["dhcp-too-often"] * 2


@covers("N51", "N52")
def test_an_answer_is_for_the_mac_that_has_asked() -> None:
    """Meanwhile the MAG has asked for a tunnel for another MAC of the same node."""
    anchor = DhcpAnchor()
    anchor.open()
    anchor.up(message(MessageType.DISCOVER))
    [asked] = anchor.relayed()
    anchor.open(identifiers=(ethernet_device(station(9)),))
    anchor.server_says(answer(MessageType.OFFER, asked))
    dropped(anchor, "dhcp-unexpected-reply")
