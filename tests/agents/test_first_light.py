"""An unmodified host is authenticated, registered, and keeps its session while it moves."""

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame
from pmip_tw.wire.icmp import TIME_EXCEEDED, IcmpMessage
from pmip_tw.wire.ipv4 import PROTOCOL_ICMP, Ipv4Packet
from pmip_tw.wire.registration import RegistrationRequest
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import CORRESPONDENT, GATEWAY, HOME, LMA, World
from tests.conformance import covers


@covers("DY1", "P60")
def test_attach_gives_the_home_address_by_dhcp() -> None:
    world = World()
    address = world.attach(world.stations[0], world.mags[0])
    assert address in HOME
    assert world.mags[0].states == {"mn1@example.net": "registered"}
    [binding] = world.lma_engine.bindings
    assert (binding.home_address, binding.care_of_address) == (address, world.mags[0].address)
    assert binding.revocation is not None


@covers("P40")
def test_data_flows_both_ways_and_only_through_the_tunnel() -> None:
    world = World()
    node, station = world.mags[0], world.stations[0]
    address = world.attach(station, node)
    world.hear(node, station.data(address, b"up"))
    assert len(world.plane.delivered) == 1
    assert world.plane.delivered[0].endswith(b"up")


@covers("P34", "P35", "P78")
def test_handover_keeps_the_address_and_revokes_the_old_mag() -> None:
    world = World()
    station, (first, second) = world.stations[0], world.mags
    address = world.attach(station, first)
    world.advance(2)
    world.hear(second, station.data(address, b"moved"))
    assert world.plane.delivered[-1].endswith(b"moved")  # the first frame was held, not lost
    assert second.states == {station.nai: "registered"}
    assert first.states == {}
    assert first.plane.snapshot() == ()
    assert [note.name for note in world.notes.all if note.name.startswith("revocation")] == [
        "revocation-sent",
        "revocation-acknowledged",
    ]
    [binding] = world.lma_engine.bindings
    assert (binding.home_address, binding.care_of_address) == (address, second.address)


@covers("P34", "RV26")
def test_five_moves_back_and_forth() -> None:
    world = World()
    station = world.stations[0]
    address = world.attach(station, world.mags[0])
    for move in range(1, 6):
        world.advance(1.5)
        here, there = world.mags[move % 2], world.mags[(move + 1) % 2]
        payload = b"move %d" % move
        world.hear(here, station.data(address, payload))
        assert world.plane.delivered[-1].endswith(payload)
        assert here.states == {station.nai: "registered"}
        assert there.states == {}


@covers("P21", "P60")
def test_release_leaves_nothing_on_either_side() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    address = world.attach(station, node)
    world.hear(node, station.dhcp(MessageType.RELEASE, ciaddr=address, server=GATEWAY))
    assert node.states == {}
    assert len(world.lma_engine.bindings) == 0
    assert node.plane.snapshot() == () and world.plane.snapshot() == ()


@covers("P20")
def test_renewal_at_half_the_lifetime_while_the_node_is_heard() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    address = world.attach(station, node)
    for _ in range(100):
        world.advance(20, step=5)
        world.hear(node, station.data(address))
    assert node.states == {station.nai: "registered"}
    assert len(world.notes.named("binding-renewed")) >= 2


@covers("P15", "P21")
def test_silence_ends_in_deregistration() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    world.attach(station, node)
    world.advance(1000, step=1)
    assert node.states == {}
    assert len(world.lma_engine.bindings) == 0
    [left] = node.notes.named("visitor-left")
    assert "silent" in left.cause and "3 ARP probes" in left.cause


@covers("P15")
def test_a_node_that_answers_arp_probes_stays() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    address = world.attach(station, node)
    for _ in range(1000):
        world.advance(1, step=1)
        if node.plane.transmitted:
            node.plane.transmitted.clear()
            world.hear(node, station.arp(address, GATEWAY))
    assert node.states == {station.nai: "registered"}
    assert node.notes.named("registration-renewed")


@covers("P30")
def test_addresses_of_two_nodes_differ() -> None:
    world = World()
    one, two = (world.attach(station, world.mags[0]) for station in world.stations)
    assert one != two


@covers("P60")
def test_a_node_that_moved_while_it_slept_gets_its_address_acknowledged() -> None:
    """INIT-REBOOT at a MAG that knows nothing of it."""
    world = World()
    station, (first, second) = world.stations[0], world.mags
    address = world.attach(station, first)
    world.advance(5)
    world.hear(second, station.dhcp(MessageType.REQUEST, requested=address))
    [ack] = second.told()
    assert (ack.message_type, ack.yiaddr) == (MessageType.ACK, address)


@covers("P60")
def test_an_address_from_elsewhere_is_refused_and_a_fresh_one_offered() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    world.hear(node, station.dhcp(MessageType.REQUEST, requested=ipv4("192.168.1.7")))
    [nak] = node.told()
    assert nak.message_type is MessageType.NAK
    address = world.attach(station, node)
    assert address in HOME


@covers("AA2")
def test_nobody_is_registered_before_aaa_has_spoken() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    node.aaa.held = True
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    world.advance(3)
    assert world.network.carried == []
    node.aaa.release()
    world.network.deliver()
    [request, _] = world.network.carried
    assert RegistrationRequest.decode(request[2]).nai == station.nai.encode()


@covers("P1")
def test_nodes_hear_nothing_of_mobile_ip() -> None:
    """From attachment through renewal and presence probes to silence: no solicitation, no advertisement."""
    world = World(nodes=1)
    station, node = world.stations[0], world.mags[0]
    heard: list[bytes] = []
    transmit = node.plane.transmit
    node.plane.transmit = lambda port, frame: (heard.append(frame), transmit(port, frame))  # type: ignore[method-assign]
    address = world.attach(station, node)
    world.hear(node, station.arp(address, GATEWAY))
    world.hear(node, station.data(address, ttl=1))
    world.advance(1000, step=1)
    frames = [EthernetFrame.decode(octets) for octets in heard]
    assert {frame.ethertype for frame in frames} == {ETHERTYPE_ARP, ETHERTYPE_IPV4}
    assert {frame.destination for frame in frames} == {station.mac}
    packets = [Ipv4Packet.decode(frame.payload) for frame in frames if frame.ethertype == ETHERTYPE_IPV4]
    kinds = {IcmpMessage.decode(packet).type for packet in packets if packet.protocol == PROTOCOL_ICMP}
    assert kinds == {TIME_EXCEEDED}
    assert {destination.port for _, destination, _ in world.network.carried} == {434}


@covers("P42")
def test_two_nodes_share_one_tunnel() -> None:
    world = World()
    node = world.mags[0]
    addresses = [world.attach(station, node) for station in world.stations]
    assert len({entry.tunnel for entry in node.plane.snapshot()}) == 1
    assert len({entry.tunnel for entry in world.plane.snapshot()}) == 1
    for station, address in zip(world.stations, addresses, strict=True):
        world.hear(node, station.data(address, b"up " + station.mac))
        assert world.plane.delivered[-1].endswith(b"up " + station.mac)
        node.plane.transmitted.clear()
        world.plane.host_sends(udp_packet(Endpoint(CORRESPONDENT, 7), Endpoint(address, 5000), b"down"))
        [(_, frame)] = node.plane.transmitted
        assert EthernetFrame.decode(frame).destination == station.mac


@covers("RV42")
def test_revocations_leave_from_port_434_and_are_acknowledged_there() -> None:
    world = World()
    address = world.attach(world.stations[0], world.mags[0])
    world.advance(2)
    world.hear(world.mags[1], world.stations[0].data(address))
    ends = {payload[0]: (source, destination) for source, destination, payload in world.network.carried}
    assert ends[7] == (Endpoint(LMA, 434), Endpoint(world.mags[0].address, 434))
    assert ends[15] == (Endpoint(world.mags[0].address, 434), Endpoint(LMA, 434))
