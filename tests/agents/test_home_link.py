"""The imitated home link as a node meets it at two MAGs: ARP, pings of its gateway, and what liars get (P53-P59)."""

import pytest

from pmip_tw.addresses import BROADCAST_MAC, UNSPECIFIED, Endpoint, Ipv4, Mac, ipv4
from pmip_tw.forwarding import drops
from pmip_tw.wire.arp import REPLY, Arp
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, EthernetFrame, ethernet_frame
from pmip_tw.wire.icmp import ECHO_REPLY, ECHO_REQUEST, TIME_EXCEEDED, IcmpMessage
from pmip_tw.wire.ipv4 import PROTOCOL_ICMP, Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import CORRESPONDENT, GATEWAY, GATEWAY_MAC, MagNode, Station, World
from tests.conformance import covers

NEIGHBOR = ipv4("10.1.0.77")


def ping(station: Station, source: Ipv4, destination: Ipv4 = GATEWAY, ttl: int = 1) -> bytes:
    echo = IcmpMessage(type=ECHO_REQUEST, code=0, rest=0x00070001, payload=b"are you there")
    packet = Ipv4Packet(
        source=source, destination=destination, protocol=PROTOCOL_ICMP, ttl=ttl, payload=echo.encode()
    )
    return ethernet_frame(GATEWAY_MAC, station.mac, ETHERTYPE_IPV4, packet.encode())


def sent(node: MagNode) -> list[EthernetFrame]:
    """What the MAG sent to its access links since last asked."""
    frames = [EthernetFrame.decode(octets) for _, octets in node.plane.transmitted]
    node.plane.transmitted.clear()
    return frames


def resolved(world: World, node: MagNode, station: Station, home: Ipv4, target: Ipv4) -> Mac | None:
    """The MAC that ``station`` learns for ``target``, None if nobody answers."""
    sent(node)
    world.hear(node, station.arp(home, target))
    answers = [Arp.decode(frame.payload) for frame in sent(node) if frame.ethertype == ETHERTYPE_ARP]
    if not answers:
        return None
    [answer] = answers
    assert (answer.operation, answer.sender_address, answer.target_mac) == (REPLY, target, station.mac)
    return answer.sender_mac


def icmp(node: MagNode) -> list[tuple[int, Ipv4]]:
    """Type and sender of each ICMP message that the MAG sent to its nodes."""
    packets = [Ipv4Packet.decode(frame.payload) for frame in sent(node) if frame.ethertype == ETHERTYPE_IPV4]
    return [
        (IcmpMessage.decode(packet).type, packet.source)
        for packet in packets
        if packet.protocol == PROTOCOL_ICMP
    ]


@covers("P53", "P54", "P55")
def test_what_arp_told_at_one_mag_is_true_at_the_next() -> None:
    """One MAC for the whole link, which both listen to: the node's ARP cache survives its move."""
    world = World()
    [station, _] = world.stations
    first, second = world.mags
    home = world.attach(station, first)
    learned = {resolved(world, first, station, home, target) for target in (GATEWAY, NEIGHBOR)}
    assert learned == {GATEWAY_MAC}
    world.advance(2)
    world.hear(second, station.data(home))  # to the MAC that it knows
    assert second.states == {station.nai: "registered"}
    before = len(world.plane.delivered)
    world.hear(second, station.data(home, b"after the move"))
    assert len(world.plane.delivered) == before + 1
    assert resolved(world, second, station, home, NEIGHBOR) == GATEWAY_MAC


@covers("P53", "P56")
def test_only_who_is_served_is_answered_and_only_about_others() -> None:
    """Not itself, nor what no host can have, nor while it is finding out whether an address is free."""
    world = World()
    [station, _] = world.stations
    node = world.mags[0]
    home = world.attach(station, node)
    for target in (home, UNSPECIFIED, ipv4("10.1.0.255"), ipv4("192.0.2.7")):
        assert resolved(world, node, station, home, target) is None
    for target in (home, NEIGHBOR, GATEWAY):
        assert resolved(world, node, station, UNSPECIFIED, target) is None  # duplicate address detection
    world.lma.stop()
    node.agent.detach(station.nai)
    sent(node)
    node.plane.forward("acc0", station.arp(home, GATEWAY))  # attaches anew, and waits for the LMA
    assert sent(node) == []


@covers("P53")
def test_a_question_during_a_handover_is_answered_when_it_is_over() -> None:
    world = World()
    [station, _] = world.stations
    first, second = world.mags
    home = world.attach(station, first)
    world.advance(2)
    world.hear(second, station.arp(home, GATEWAY))
    [answer] = [Arp.decode(frame.payload) for frame in sent(second) if frame.ethertype == ETHERTYPE_ARP]
    assert answer.sender_mac == GATEWAY_MAC


@covers("P56")
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "truncated"),
        (bytes(27), "truncated"),
        (bytes(28), "malformed"),
        (bytes.fromhex("0001080006040001"), "truncated"),
        (bytes.fromhex("000686dd06100001") + bytes(40), "malformed"),
    ],
)
def test_broken_arp_is_counted_and_not_answered(payload: bytes, reason: str) -> None:
    world = World()
    [station, _] = world.stations
    node = world.mags[0]
    world.attach(station, node)
    sent(node)
    world.hear(node, BROADCAST_MAC + station.mac + b"\x08\x06" + payload)
    assert sent(node) == []
    assert node.notes.named("frame-dropped")[-1].reason == reason


@covers("P58", "P71")
def test_the_gateway_answers_a_ping_that_goes_no_further_and_only_while_the_node_is_served() -> None:
    """With more time to live it is the tunnel's (P40), and the LMA answers."""
    world = World()
    [station, _] = world.stations
    node = world.mags[0]
    home = world.attach(station, node)
    sent(node)
    world.hear(node, ping(station, home))
    assert icmp(node) == [(ECHO_REPLY, GATEWAY)]
    before = len(node.plane.tunnelled)
    world.hear(node, ping(station, home, ttl=64))
    assert len(node.plane.tunnelled) == before + 1
    assert icmp(node) == [(ECHO_REPLY, GATEWAY)]
    node.agent.detach(station.nai)
    world.lma.stop()
    world.network.deliver()
    sent(node)
    world.hear(node, ping(station, home))
    assert icmp(node) == []


@covers("P59")
def test_the_gateway_is_the_first_hop_and_the_tunnel_is_none() -> None:
    world = World()
    [station, _] = world.stations
    node = world.mags[0]
    home = world.attach(station, node)
    sent(node)
    before = len(node.plane.tunnelled)
    world.hear(node, ping(station, home, CORRESPONDENT))
    world.hear(node, station.data(home, ttl=1))
    assert icmp(node) == [(TIME_EXCEEDED, GATEWAY)] * 2
    assert len(node.plane.tunnelled) == before


@covers("P48", "P58", "P59")
def test_a_liar_gets_no_answer_in_anybodys_name() -> None:
    """Nor does anybody else, whose address it uses."""
    world = World()
    liar, victim = world.stations
    node = world.mags[0]
    world.attach(liar, node)
    theirs = world.attach(victim, node)
    sent(node)
    for destination in (GATEWAY, CORRESPONDENT):
        world.hear(node, ping(liar, theirs, destination))
    world.hear(node, liar.arp(theirs, GATEWAY))
    assert sent(node) == []
    assert node.plane.drops()[drops.SPOOFED_SOURCE] == 2
    assert node.notes.named("frame-dropped")[-1].reason == "arp-spoofed-address"


@covers("P84")
def test_ipv6_is_dropped_from_everybody() -> None:
    """Neighbor discovery of a node that is served, of a stranger; it is no evidence either (P15)."""
    world = World()
    known, stranger = world.stations
    node = world.mags[0]
    world.attach(known, node)
    sent(node)
    before = len(node.plane.tunnelled)
    for station in (known, stranger):
        for destination in (GATEWAY_MAC, Mac(bytes.fromhex("333300000002"))):
            frame = ethernet_frame(destination, station.mac, ETHERTYPE_IPV6, b"\x60" + bytes(47))
            world.hear(node, frame)
    assert node.plane.drops()[drops.IPV6] == 4
    assert sent(node) == []
    assert len(node.plane.tunnelled) == before
    assert node.states == {known.nai: "registered"}


@covers("D10")
def test_a_node_that_plays_dhcp_server_reaches_nobody() -> None:
    """Its offers go to port 68: broadcast they end here, and through the tunnel they are its own packets (P48)."""
    world = World()
    rogue, victim = world.stations
    node = world.mags[0]
    home = world.attach(rogue, node)
    sent(node)
    offer = udp_packet(Endpoint(home, 67), Endpoint(ipv4("255.255.255.255"), 68), bytes(300))
    world.hear(node, ethernet_frame(BROADCAST_MAC, rogue.mac, ETHERTYPE_IPV4, offer))
    world.hear(node, ethernet_frame(victim.mac, rogue.mac, ETHERTYPE_IPV4, offer))
    assert sent(node) == []
    assert node.plane.drops()[drops.GROUP_DESTINATION] == 1
    assert node.plane.drops()[drops.NOT_FOR_GATEWAY] == 1
