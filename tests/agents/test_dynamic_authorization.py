"""AAA's requests at running agents: what is answered when, and that what follows really happens (AA17, AA18).

AAA            MAG                     disk            LMA
 | Disconnect -> | --- Departed -------> |               |
 |               |                       | (takes time)  |
 |               | <--- durable -------- |               |
 |               | --- lifetime 0 ---------------------> |
 | <------ ACK --|                                       |
"""

from twisted.internet.defer import Deferred

from pmip_tw.aaa.dynamic_authorization import Change, Done, ErrorCause, Outcome, Refused, Selection
from pmip_tw.mobility.filter_grammar import filter_rule
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import CORRESPONDENT, World
from tests.conformance import covers

WHO = Selection(user_name="mn1@example.net")
NO_MAIL = PacketFilter("no-mail", (filter_rule("deny both udp any port 25"),), permits_others=True)


def heard(answer: "Deferred[Outcome]") -> list[Outcome]:
    found: list[Outcome] = []
    answer.addCallback(found.append)
    return found


@covers("AA17")
def test_a_disconnected_node_is_gone_at_both_ends() -> None:
    world = World()
    [station, _], [node, _] = world.stations, world.mags
    world.attach(station, node)
    assert heard(node.agent.sessions.disconnect(WHO)) == [Done(1)]
    world.network.deliver()
    assert node.plane.snapshot() == ()
    assert world.plane.snapshot() == ()
    assert len(world.lma_engine.bindings) == 0
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    assert node.told() == [], "it is not asked about at once"
    world.advance(31)
    world.attach(station, node)


@covers("AA17")
def test_the_answer_comes_when_the_deregistration_was_sent() -> None:
    """And that when nothing can bring the visitor back."""
    world = World()
    [station, _], [node, _] = world.stations, world.mags
    node.kill()
    node.start(at_once=False)
    discover = station.dhcp(MessageType.DISCOVER)
    world.hear(node, discover)
    node.store.commit()
    [offer] = node.told()
    world.hear(
        node, station.dhcp(MessageType.REQUEST, requested=offer.yiaddr, server=offer.server_identifier)
    )
    node.store.commit()
    assert len(world.lma_engine.bindings) == 1
    answer = heard(node.agent.sessions.disconnect(WHO))
    world.network.deliver()
    assert (answer, len(world.lma_engine.bindings)) == ([], 1)
    node.store.commit()
    assert answer == [Done(1)]
    world.network.deliver()
    assert len(world.lma_engine.bindings) == 0


@covers("AA17")
def test_who_waits_when_the_mag_is_stopped_hears_so() -> None:
    world = World()
    [station, _], [node, _] = world.stations, world.mags
    world.attach(station, node)
    node.agent.stop()
    [outcome] = heard(node.agent.sessions.disconnect(WHO))
    assert isinstance(outcome, Refused) and outcome.cause is ErrorCause.RESOURCES_UNAVAILABLE
    assert len(world.lma_engine.bindings) == 1


@covers("AA18", "AA25")
def test_a_filter_is_enforced_from_the_answer_on() -> None:
    world = World(mag_settings={"filters": {"no-mail": NO_MAIL}})
    [station, _], [node, _] = world.stations, world.mags
    home = world.attach(station, node)

    def delivered(port: int) -> bool:
        before = len(world.plane.delivered)
        world.hear(node, station.data(home, port=port))
        return len(world.plane.delivered) > before

    assert delivered(25)
    assert heard(node.agent.sessions.change(WHO, Change(filter_ids=("no-mail",)))) == [Done(1)]
    assert not delivered(25)
    assert delivered(80)
    [row] = [row for row in node.agent.tables()["visitors"]() if row["nai"] == station.nai]
    assert (row["filters"], row["filtered"]) == ("no-mail", 1)
    assert {"name": "packet-dropped", "reason": "filtered-by no-mail", "count": 1} in node.agent.tables()[
        "drops"
    ]()


@covers("AA25")
def test_idleness_is_seen_by_what_the_packet_plane_carries() -> None:
    world = World(profile={"idle_timeout": 40})
    [station, _], [node, _] = world.stations, world.mags
    home = world.attach(station, node)
    for _ in range(10):
        world.advance(20)
        world.hear(node, station.data(home))
    assert node.states == {station.nai: "registered"}
    for _ in range(8):
        world.advance(5)
        world.hear(node, station.arp(home, CORRESPONDENT))
    assert node.states == {station.nai: "registered"}
    world.advance(6)
    assert node.states == {}
    assert len(world.lma_engine.bindings) == 0
