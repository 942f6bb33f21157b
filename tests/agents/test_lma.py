"""The LMA's loop: what it does with the engine's effects when an edge fails."""

from collections.abc import Sequence

import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.agents.lma import Lma
from pmip_tw.errors import ForwardingError, PmipError
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram
from pmip_tw.lma.mags import KnownMag
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.tunnels import AlikeEntries, AnchorKey, Counters, Entry
from pmip_tw.store.unsaved import Unsaved
from pmip_tw.testing.ipsec_policies import FakePolicies
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.wire.extension_fields import BY_IPSEC
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, SIMULTANEOUS, RegistrationReply
from tests.agents.world import LMA, World
from tests.conformance import covers
from tests.lma.anchor import MAG1, MAG2, Anchor
from tests.observers import Notes


class FailingPlane(MemoryPlane):
    """Takes ``room`` entries and then no more."""

    room = 0

    def install(self, entry: Entry) -> None:
        if self.room == 0:
            raise ForwardingError("install", str(entry.key), "no room is left")
        self.room -= 1
        super().install(entry)

    def install_alike(self, entries: AlikeEntries) -> Sequence[Ipv4]:
        return entries.home_addresses


class Bench:
    """An agent around the engine of an Anchor, which only makes the requests."""

    def __init__(self, **settings: object) -> None:
        self.anchor = Anchor(**settings)
        self.network = FakeNetwork()
        self.plane = FailingPlane(monotonic=lambda: self.anchor.clock.monotonic, local=LMA)
        self.agent = Lma(
            self.anchor.engine,
            clock=self.anchor.clock,
            signalling=FakeSignalling(self.network, (LMA,)),
            forwarding=self.plane,
            store=Unsaved(),
        )
        self.agent.start()
        self.answers: list[bytes] = []
        for mag in (MAG1, MAG2):
            FakeSignalling(self.network, (mag,)).start(self, None)

    def datagrams_received(self, batch: list[Datagram]) -> None:
        self.answers += [datagram.payload for datagram in batch]

    def codes(self) -> list[int]:
        """Those of the replies since last asked."""
        self.network.deliver()
        codes = [RegistrationReply.decode(payload).code for payload in self.answers]
        self.answers.clear()
        return codes

    def arrive(self, mag, *payloads: bytes) -> None:
        source = Endpoint(mag, 434)
        self.agent.datagrams_received([Datagram(payload, source, LMA) for payload in payloads])


@covers("H14")
def test_the_packet_plane_decides_what_is_promised() -> None:
    bench = Bench()
    bench.arrive(MAG1, bench.anchor.datagram(1))
    assert bench.codes() == [130]
    assert len(bench.anchor.engine.bindings) == 0
    bench.plane.room = 1
    bench.arrive(MAG1, bench.anchor.datagram(1))
    assert bench.codes() == [1]
    held = bench.plane.snapshot()
    bench.arrive(MAG2, bench.anchor.datagram(1, MAG2))
    assert bench.codes() == [130]
    assert bench.plane.snapshot() == held
    bench.arrive(MAG1, bench.anchor.datagram(1, lifetime=0))
    assert bench.codes() == [1]
    assert bench.plane.snapshot() == ()


@covers("L6")
def test_bindings_end_while_nothing_is_heard() -> None:
    bench = Bench()
    bench.plane.room = 2
    bench.arrive(MAG1, bench.anchor.datagram(1, lifetime=5), bench.anchor.datagram(2, lifetime=60))
    bench.anchor.clock.advance(10)
    assert len(bench.plane.snapshot()) == 1
    bench.anchor.clock.advance(60)
    assert bench.plane.snapshot() == ()


@covers("L3", "L6")
def test_of_several_bindings_one_ends() -> None:
    """The packet plane has one tunnel less. What cannot be taken from it is tried again."""
    bench = Bench(max_bindings=2)
    bench.plane.room = 3
    beside = {"flags": REVERSE_TUNNEL | COLOCATED | SIMULTANEOUS}
    for mag in (MAG1, MAG2):
        bench.arrive(mag, bench.anchor.datagram(1, mag, lifetime=5 if mag == MAG1 else 60, **beside))
    assert bench.codes() == [0, 0]
    [entry] = bench.plane.snapshot()
    assert (entry.tunnel.remote, [copy.remote for copy in entry.copies]) == (MAG2, [MAG1])
    bench.anchor.clock.advance(10)
    assert bench.plane.snapshot()[0].copies == ()
    bench.plane.room = 1
    bench.arrive(MAG1, bench.anchor.datagram(1, MAG1, lifetime=5, **beside))
    bench.anchor.clock.advance(10)
    assert len(bench.plane.snapshot()[0].copies) == 1
    bench.plane.room = 1
    bench.anchor.clock.advance(1)
    assert bench.plane.snapshot()[0].copies == ()


@covers("P12")
def test_what_operators_see_of_special_bindings() -> None:
    """One row for each MAG; identifiers in hexadecimal, and as text where they look like one."""
    bench = Bench(max_bindings=2)
    bench.plane.room = 2
    beside = {"flags": REVERSE_TUNNEL | COLOCATED | SIMULTANEOUS}
    identifiers = (
        (1, b"port 1"),
        (2, b"\1" + bytes.fromhex("020000000001")),
        (3, b"\x01001011234567890"),
    )
    bench.arrive(MAG1, bench.anchor.datagram(1, MAG1, identifiers=identifiers, access_technology=2, **beside))
    bench.arrive(MAG2, bench.anchor.datagram(1, MAG2, gre_key=7, **beside))
    newest, other = bench.agent.tables()["bindings"]()
    assert (newest["mag"], other["mag"]) == (ipv4_text(MAG2), ipv4_text(MAG1))
    assert newest["key_down"] == 7 and newest["key_up"] != 7
    assert (other["technology"], "technology" in newest) == ("802.11", False)
    assert other["interface_id"] == "706f72742031 (port 1)"
    assert other["device_id"] == "mac 020000000001"
    assert other["subscriber_id"] == "imsi 303031303131323334353637383930 (001011234567890)"
    assert "interface_id" not in newest


def test_a_defect_stops_neither_the_clock_nor_the_datagrams_behind_it() -> None:
    """Whatever one datagram sets off, what was bound before still ends, and what comes after is answered."""
    bench = Bench()
    bench.plane.room = 1

    def broken(entry: Entry) -> None:
        raise RuntimeError("a defect")

    good, bad = bench.anchor.datagram(1, lifetime=5), bench.anchor.datagram(2)
    room = bench.plane.install
    bench.plane.install = lambda entry: (room(entry), setattr(bench.plane, "install", broken))
    bench.arrive(MAG1, good, bad, b"\x01")
    assert len(bench.plane.snapshot()) == 1
    bench.anchor.clock.advance(10)
    assert bench.plane.snapshot() == ()


def test_what_the_packet_plane_fails_to_take_is_refused_whatever_the_failure() -> None:
    """The table holds no binding that has no entry, and the MAG is told at once."""
    bench = Bench()
    bench.plane.room = 1

    def broken(entry: Entry) -> None:
        raise RuntimeError("a defect")

    bench.plane.install = broken
    bench.arrive(MAG1, bench.anchor.datagram(1))
    assert len(bench.anchor.engine.bindings) == 0
    assert bench.codes() == [130]


def test_an_entry_that_cannot_be_removed_keeps_no_other() -> None:
    """Many bindings end in one wake-up: the table has forgotten all of them."""
    bench = Bench()
    bench.plane.room = 3
    bench.arrive(MAG1, *(bench.anchor.datagram(node, lifetime=5) for node in (1, 2, 3)))
    stuck = bench.plane.snapshot()[-1].key  # the first to end
    remove = bench.plane.remove

    def broken(key: AnchorKey) -> Counters:
        if key == stuck:
            raise RuntimeError("a defect")
        return remove(key)

    bench.plane.remove = broken
    bench.anchor.clock.advance(10)
    assert [entry.key for entry in bench.plane.snapshot()] == [stuck]


def test_who_cannot_bind_leaves_no_packet_plane_open() -> None:
    world = World(mags=0)
    plane = MemoryPlane(monotonic=lambda: 0.0, local=LMA)
    second = Lma(
        world.lma_engine,
        clock=world.clock,
        signalling=FakeSignalling(world.network, (LMA,)),
        forwarding=plane,
        store=Unsaved(),
    )
    with pytest.raises(PmipError, match="cannot be bound"):
        second.start()
    assert not plane.started


def test_after_stop_nothing_is_heard_or_woken() -> None:
    bench = Bench()
    bench.plane.room = 1
    bench.arrive(MAG1, bench.anchor.datagram(1, lifetime=5))
    bench.agent.stop()
    assert len(bench.anchor.engine.bindings) == 1
    bench.anchor.clock.advance(100)
    assert len(bench.anchor.engine.bindings) == 1


@covers("RV21", "RV27", "RV32")
def test_an_operator_revokes() -> None:
    """The entry goes, the MAG lets its visitor go, and the node is back with its next DISCOVER."""
    world = World()
    station, node = world.stations[0], world.mags[0]
    address = world.attach(station, node)
    world.advance(2)
    ended = world.lma.revoke("mn1@example.net")
    assert ended["home_address"] == ipv4_text(address) and ended["revocation"] is True
    assert world.plane.snapshot() == () and len(world.lma_engine.bindings) == 0
    world.network.deliver()
    assert node.states == {}
    assert world.attach(station, node) == address


def test_an_operator_revokes_nobody() -> None:
    with pytest.raises(PmipError, match=r"no binding is of 'mn9@example.net'"):
        World().lma.revoke("mn9@example.net")


@covers("P38")
def test_a_dhcp_server_revokes_by_address() -> None:
    """As often as it likes; the second time there is nobody."""
    world = World()
    address = ipv4_text(world.attach(world.stations[0], world.mags[0]))
    world.advance(2)
    with pytest.raises(PmipError, match=f"nobody is registered with {address} in blue"):
        world.lma.revoke(f"{address} in blue")
    ended = world.lma.revoke(address)
    assert (ended["nai"], ended["home_address"]) == (world.stations[0].nai, address)
    assert world.plane.snapshot() == () and len(world.lma_engine.bindings) == 0
    world.network.deliver()
    assert world.mags[0].states == {}
    with pytest.raises(PmipError, match=f"nobody is registered with {address}"):
        world.lma.revoke(address)


@covers("P74")
@pytest.mark.parametrize(
    ("policies", "told"),
    [
        (FakePolicies({(MAG1, LMA)}), []),
        (
            FakePolicies(),
            ["ip xfrm policy add src 198.51.100.1/32 dst 192.0.2.1/32 proto udp dport 434 dir in"],
        ),
        (None, ["does not look"]),
    ],
)
def test_ipsec_is_looked_for_at_the_start(policies: FakePolicies | None, told: list[str]) -> None:
    """What is missing is said once, with the command that adds it."""
    anchor = Anchor(mags=[KnownMag(address=MAG1, mode=AuthenticationMode.IPSEC)])
    notes = Notes()
    agent = Lma(
        anchor.engine,
        clock=anchor.clock,
        signalling=FakeSignalling(FakeNetwork(), (LMA,)),
        forwarding=MemoryPlane(monotonic=lambda: 0.0, local=LMA),
        store=Unsaved(),
        ipsec=policies,
        observers=[notes],
    )
    agent.start()
    assert [note.name for note in notes.all] == ["ipsec-policy-missing"] * len(told)
    assert all(text in note.cause for note, text in zip(notes.all, told, strict=True))
    asked = anchor.request(per_node=BY_IPSEC).encode()
    [answer, *_] = anchor.hear(asked)
    assert RegistrationReply.decode(answer.datagram).code == (149 if told else 1)


@covers("P74")
def test_policies_that_cannot_be_read_protect_nobody() -> None:
    anchor = Anchor(mags=[KnownMag(address=MAG1, mode=AuthenticationMode.IPSEC)])
    policies = FakePolicies({(MAG1, LMA)})
    policies.broken = "the kernel's IPsec policies cannot be read: Operation not permitted"
    notes = Notes()
    Lma(
        anchor.engine,
        clock=anchor.clock,
        signalling=FakeSignalling(FakeNetwork(), (LMA,)),
        forwarding=MemoryPlane(monotonic=lambda: 0.0, local=LMA),
        store=Unsaved(),
        ipsec=policies,
        observers=[notes],
    ).start()
    [note] = notes.all
    assert note.cause.startswith(policies.broken)
