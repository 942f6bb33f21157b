"""Whatever arrives, nothing breaks, nothing unauthenticated counts, and no key is ever shown."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.manage.trace import Trace
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import GATEWAY, GATEWAY_MAC, LMA, PORT, Station, World
from tests.conformance import covers
from tests.mag.bench import LMA_CLOCK, Bench, reply, revocation

HOME_FRAMES = [
    Station(1).dhcp(MessageType.DISCOVER),
    Station(1).dhcp(MessageType.RELEASE, ciaddr=ipv4("10.1.0.200"), server=GATEWAY),
    Station(1).arp(ipv4("10.1.0.9"), GATEWAY),
    Station(1).data(ipv4("10.1.0.9"), ttl=1),
]


def damaged(valid: list[bytes]) -> st.SearchStrategy[bytes]:
    """Valid octets with some replaced, cut or added: they get past the first checks."""

    def damage(octets: bytes, places: list[tuple[int, int]], keep: int, more: bytes) -> bytes:
        changed = bytearray(octets)
        for place, value in places:
            changed[place % len(changed)] = value
        return bytes(changed[: len(changed) - keep]) + more

    place = st.tuples(st.integers(0, 500), st.integers(0, 255))
    return st.builds(
        damage,
        st.sampled_from(valid),
        st.lists(place, max_size=6),
        st.integers(0, 60),
        st.binary(max_size=20),
    )


def state_of(world: World) -> list[tuple[object, ...]]:
    return [
        (visitor.key, visitor.state, visitor.grant, visitor.home_address, visitor.tunnel)
        for visitor in world.mags[0].engine.visitors
    ]


WORLD = World()
ADDRESS = WORLD.attach(WORLD.stations[0], WORLD.mags[0])
VALID_DATAGRAMS = [
    reply(Bench().begin()),
    revocation(LMA_CLOCK + 5),
    reply(Bench().begin(), 133),
    revocation(LMA_CLOCK + 5, nai=b""),
]


@covers("M3", "RV9")
@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200) | damaged(VALID_DATAGRAMS))
def test_any_datagram_raises_nothing_and_changes_nothing_without_the_key(octets: bytes) -> None:
    """The valid ones are about another LMA's clock and identification, so that even they are refused."""
    before = state_of(WORLD), WORLD.mags[0].plane.snapshot()
    sent = len(WORLD.network.carried)
    WORLD.network.send(Endpoint(LMA, 434), Endpoint(WORLD.mags[0].address, 434), octets)
    WORLD.network.deliver()
    assert (state_of(WORLD), WORLD.mags[0].plane.snapshot()) == before
    assert len(WORLD.network.carried) <= sent + 1  # no answer to anybody


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=120) | damaged(HOME_FRAMES))
def test_any_frame_raises_nothing_and_serves_nobody_unknown(octets: bytes) -> None:
    world = World(mags=1)
    world.mags[0].agent.frame_received(PORT, octets)
    world.mags[0].agent.frame_received(PORT, octets)
    known = {station.mac for station in world.stations}
    assert {entry.mac for entry in world.mags[0].plane.snapshot()} <= known
    assert {visitor.mac for visitor in world.mags[0].engine.visitors} <= known


@settings(max_examples=300, deadline=None)
@given(damaged(HOME_FRAMES).map(lambda octets: GATEWAY_MAC + Station(1).mac + octets[12:]))
def test_any_frame_of_a_registered_node_raises_nothing_and_leaves_its_address(octets: bytes) -> None:
    WORLD.mags[0].agent.frame_received(PORT, octets)
    WORLD.network.deliver()
    [visitor] = WORLD.mags[0].engine.visitors
    assert visitor.home_address == ADDRESS


def test_keys_are_in_no_repr() -> None:
    bench = Bench()
    bench.register()
    bench.renew()
    shown = [repr(bench.visitor), repr(bench.visitor.profile), *map(repr, bench.effects)]
    asked = bench.attach(station=Station(2))
    shown += [repr(asked), repr(bench.engine.visitors), repr(list(bench.engine.visitors))]
    bench.arrive(revocation(LMA_CLOCK + 1000))
    shown += [repr(stone) for stone in bench.engine._revocations._tombstones.values()]
    assert len(shown) > 15
    key = b"key of mobile node 01"
    for text in shown:
        for form in (key.decode(), key.hex(), repr(key)[2:-1]):
            assert form not in text


def test_a_trace_is_found_by_nai_mac_and_home_address_and_shows_no_key() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    trace = Trace()
    address = world.attach(station, node)
    world.hear(node, station.dhcp(MessageType.RELEASE, ciaddr=address, server=GATEWAY))
    for note in node.notes.all:
        trace.observe(note, world.clock.now())
    by_nai = trace.find(station.nai)
    assert by_nai == trace.find("02:00:00:00:00:01") == trace.find("10.1.0.2")
    assert [row["name"] for row in by_nai][:2] == ["attached", "access-accepted"]
    assert by_nai[-1]["name"] == "deregistered"
    assert "key of mobile node" not in repr(by_nai)
