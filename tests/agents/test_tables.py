"""What operators see of a packet plane."""

from pmip_tw.addresses import ipv4
from pmip_tw.agents.rows.tunnels import tunnel_rows
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.mobility.tunnels import AnchorEntry, Encapsulation, Tunnel
from tests.agents.test_behind_nat import Operator
from tests.agents.world import World
from tests.conformance import covers

LMA, MAG, OTHER = ipv4("192.0.2.1"), ipv4("192.0.2.10"), ipv4("192.0.2.11")


@covers("L3", "P42")
def test_tunnels_show_their_encapsulation_and_every_node_that_may_use_them() -> None:
    plane = MemoryPlane(monotonic=lambda: 0.0, local=LMA)
    shared = Tunnel(local=LMA, remote=MAG)
    keyed = Tunnel(local=LMA, remote=OTHER, encapsulation=Encapsulation.GRE, key_in=7, key_out=9)
    in_udp = Tunnel(local=LMA, remote=OTHER, encapsulation=Encapsulation.MINIMAL, remote_port=434)
    plane.install(AnchorEntry(home_address=ipv4("10.1.0.2"), tunnel=shared))
    plane.install(AnchorEntry(home_address=ipv4("10.1.0.3"), tunnel=keyed, copies=(shared, in_udp)))
    rows = [
        (row["remote"], row["encapsulation"], row["nodes"]) for row in tunnel_rows(plane, 0.0, lambda *_: {})
    ]
    assert sorted(rows) == [
        ("192.0.2.10", "ip-in-ip", 2),
        ("192.0.2.11", "gre key 9", 1),
        ("192.0.2.11:434", "minimal in udp", 1),
    ]


def shown(world: Operator) -> tuple[dict[str, object], dict[str, object]]:
    """The only tunnel, as MAG and LMA show it."""
    [at_mag], [at_lma] = (agent.tables()["tunnels"]() for agent in (world.mags[0].agent, world.lma))
    return at_mag, at_lma


class TestTunnels:
    @covers("N38", "N41")
    def test_through_a_nat(self) -> None:
        """Which forgets after 20 s; the LMA asks for 25."""
        world = Operator(nodes=3, lma_settings={"keepalive_interval": 25}, timeout=20.0)
        station, node = world.stations[0], world.mags[0]
        address, *_ = [world.attach(one, node) for one in world.stations]
        at_mag, at_lma = shown(world)
        assert at_mag == {
            "local": "10.0.0.2",
            "remote": "192.0.2.1:434",
            "encapsulation": "ip-in-ip in udp",
            "nodes": 3,
            "since_heard": None,
            "since_sent": None,
            "way": "nat",
            "keepalive_interval": 25.0,
            "keepalive_asked": 25.0,
            "mappings_lost": 0,
            "mapping_survived": None,
            "mapping_expired": None,
        }
        world.advance(70)
        world.up(node, station, address)
        world.down(node, station, address)
        world.advance(2)
        at_mag, at_lma = shown(world)
        kept = (
            "since_heard",
            "since_sent",
            "keepalive_interval",
            "mappings_lost",
            "mapping_survived",
            "mapping_expired",
        )
        assert [at_mag[name] for name in kept] == [2.0, 2.0, 12.5, 1, 12.5, 25.0]
        seen = world.seen(world.nats[0])
        assert at_lma == {
            "local": "192.0.2.1",
            "remote": str(seen),
            "encapsulation": "ip-in-ip in udp",
            "nodes": 3,
            "since_heard": 2.0,
            "since_sent": 2.0,
            "mag": "10.0.0.2",
            "way": "nat",
            "keepalive_interval": 25,
        }

    def test_in_udp_without_one(self) -> None:
        world = World(mag_settings={"nat_traversal": "force"})
        world.attach(world.stations[0], world.mags[0])
        at_mag, at_lma = shown(world)
        assert (at_mag["way"], at_lma["way"], at_lma["mag"]) == ("udp", "udp", "198.51.100.10")

    def test_over_ip_there_are_no_keepalives(self) -> None:
        world = World()
        world.attach(world.stations[0], world.mags[0])
        at_mag, at_lma = shown(world)
        assert (at_mag["way"], at_lma["way"]) == ("direct", "direct")
        assert not {
            name for row in (at_mag, at_lma) for name in row if name.startswith(("keepalive", "mapping"))
        }
