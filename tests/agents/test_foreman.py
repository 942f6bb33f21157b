"""Worker 0's dealings with the others, over twins of the pipes."""

from msgspec import Struct

from pmip_tw.addresses import ALL_ONES, Endpoint, Ipv4, ipv4, prefix
from pmip_tw.agents.dhcp_edge import DhcpEdge
from pmip_tw.agents.workers.foreman import Foreman, SharedSignalling
from pmip_tw.agents.workers.messages import Carried, Carry, Change, Passed, Serving
from pmip_tw.agents.workers.routing import Routing
from pmip_tw.agents.workers.shared_plane import SharedPlane
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram
from pmip_tw.lma.workers.lender import Lender
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.mobility.effects import Install
from pmip_tw.mobility.tunnels import AnchorEntry, Tunnel
from pmip_tw.testing.clock import FakeClock
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.testing.pipe import FakePipe, fake_pipe
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.revocation import RevocationAck
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import LMA
from tests.lma.anchor import MAG1
from tests.lma.dhcp_anchor import message, station

NODE = next(nai for nai in (b"mn%d@example.net" % n for n in range(9)) if worker_of_nai(nai, 2) == 1)
ENTRY = AnchorEntry(home_address=ipv4("10.1.0.2"), tunnel=Tunnel(local=LMA, remote=MAG1))


class Office:
    """Worker 0 of two; ``told``: what the other hears, one list for each of its lives."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.plane = MemoryPlane(monotonic=lambda: self.clock.monotonic, local=LMA)
        self.dhcp = DhcpEdge(self.plane, {}, {}, lambda payload, to, source: None)
        self.foreman = Foreman(
            2,
            routing=Routing(2, LMA, None, lambda address: []),
            plane=SharedPlane(self.plane),
            lender=Lender([prefix("10.1.0.0/24")], 2),
            later=lambda call: self.clock.wake_at(self.clock.monotonic, call),
            dhcp=self.dhcp,
        )
        self.told: list[list[Struct]] = []

    def begin(self) -> FakePipe:
        """A process for worker 1; its end of the pipe."""
        ours, theirs = fake_pipe(self.clock, lambda: 0.01)
        told: list[Struct] = []
        self.told.append(told)
        self.foreman.connected(1, ours)
        theirs.start(told.append, lambda: None)
        return theirs


def acknowledgment() -> Datagram:
    """Of a node of worker 1, which is not steered by the kernel; nobody has looked whether it is genuine."""
    ack = RevocationAck(home_address=Ipv4(1), identifier=1, nai=NODE)
    return Datagram(ack.encode(), Endpoint(MAG1, 434), LMA)


def test_dhcp_that_a_worker_has_no_time_for_is_dropped_and_counted() -> None:
    """Whoever can send from a MAG's address makes as much of it as he likes."""
    office = Office()
    other = office.begin()
    office.dhcp.expect(1, ENTRY.tunnel, station(1))
    other.stall(True)
    discover = udp_packet(
        Endpoint(Ipv4(0), 68), Endpoint(ALL_ONES, 67), message(MessageType.DISCOVER).encode()
    )
    for _ in range(1000):
        office.dhcp.dhcp_tunneled(ENTRY.tunnel, discover)
        office.clock.advance(0.1)
    other.stall(False)
    office.clock.advance(1.0)
    [told] = office.told
    assert 0 < len(told) < 500 and len(told) + office.foreman.overload == 1000


def test_what_a_worker_has_no_time_for_is_dropped_and_counted() -> None:
    """Or a flood would fill the memory of worker 0 while another is being started."""
    office = Office()
    other = office.begin()
    other.stall(True)
    flood = [acknowledgment()] * 100
    for _ in range(50):
        assert office.foreman.pass_on(flood) == []
        office.clock.advance(0.1)
    signalling = SharedSignalling(FakeSignalling(FakeNetwork(), (LMA,)), office.foreman)
    dropped = signalling.drops()["overload"]
    other.stall(False)
    office.clock.advance(1.0)
    assert 0 < len(office.told[0]) < 2000
    assert len(office.told[0]) + dropped == 5000
    office.foreman.pass_on(flood)
    office.clock.advance(1.0)
    assert office.told[0][-100:] == [Passed(acknowledgment())] * 100


def test_the_last_words_of_a_process_are_not_taken_for_its_successors() -> None:
    """Both begin to count their orders anew: an answer to one would be believed by the other."""
    office = Office()
    first = office.begin()
    first.send(Carry(1, [Change.of(Install(ENTRY))]))
    office.begin()
    office.clock.advance(1.0)
    assert office.told[1] == [] and office.plane.snapshot() == ()


def test_what_a_process_had_installed_stays_until_its_successor_serves_without_it() -> None:
    office = Office()
    first = office.begin()
    first.send(Carry(1, [Change.of(Install(ENTRY))]))
    office.clock.advance(1.0)
    assert office.told[0] == [Carried(1)]
    first.crash()
    office.clock.advance(1.0)
    second = office.begin()
    office.clock.advance(1.0)
    assert office.plane.snapshot() == (ENTRY,)
    second.send(Serving())
    office.clock.advance(1.0)
    assert office.plane.snapshot() == ()
