"""Nodes that come to MAGs in one wake-up: the packet plane takes them together, and in its place among the rest."""

from collections.abc import Sequence

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.agents.lma import Lma
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram
from pmip_tw.mobility.tunnels import AlikeEntries, Counters, Entry, EntryKey
from pmip_tw.store.unsaved import Unsaved
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.registration import RegistrationReply
from pmip_tw.wire.revocation import Revocation
from tests.agents.world import LMA
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, MAG1, MAG2, Anchor, nai
from tests.observers import Notes

SUPPORT = RevocationSupport(5)


class PlaneThatTells(MemoryPlane):
    """What it is asked for; it has no room for the home addresses in ``full``, and a defect if it is ``broken``."""

    def __init__(self, **where: object) -> None:
        super().__init__(**where)  # type: ignore[arg-type]
        self.asked: list[str] = []
        self.full: set[Ipv4] = set()
        self.broken = False

    def install(self, entry: Entry) -> None:
        self.asked.append(f"install {entry.key} by {entry.tunnel.remote & 0xFF}")
        if entry.home_address in self.full:
            raise ForwardingError("install", str(entry.key), "no room is left")
        super().install(entry)

    def install_alike(self, entries: AlikeEntries) -> Sequence[Ipv4]:
        if self.broken:
            raise RuntimeError("a defect")
        self.asked.append(f"{len(entries.home_addresses)} by {entries.tunnel.remote & 0xFF}")
        wanted = [one for one in entries.home_addresses if one not in self.full]
        refused = super().install_alike(AlikeEntries(entries.tunnel, entries.domain, wanted))
        return [*refused, *(one for one in entries.home_addresses if one in self.full)]

    def remove(self, key: EntryKey) -> Counters:
        self.asked.append(f"remove {key}")
        return super().remove(key)


class Bench:
    """An LMA that both MAGs have asked for a node in the usual words."""

    def __init__(self, **settings: object) -> None:
        self.anchor = Anchor(**{"home": "10.1.0.0/28", "handover_min_interval": 0.0} | settings)
        self.plane = PlaneThatTells(monotonic=lambda: self.anchor.clock.monotonic, local=LMA)
        self.notes = Notes()
        self.network = FakeNetwork()
        self.agent = Lma(
            self.anchor.engine,
            clock=self.anchor.clock,
            signalling=FakeSignalling(self.network, (LMA,)),
            forwarding=self.plane,
            store=Unsaved(),
            observers=[self.notes],
        )
        self.agent.start()
        self.heard: list[bytes] = []
        for mag in (MAG1, MAG2):
            FakeSignalling(self.network, (mag,)).start(self, None)
        for mag in (MAG1, MAG2):
            self.ask(self.asking(9, mag))
        self.ask(self.asking(9, MAG2, lifetime=0))
        self.plane.asked.clear()
        self.notes.all.clear()

    def datagrams_received(self, batch: list[Datagram]) -> None:
        self.heard += [datagram.payload for datagram in batch]

    def asking(self, node: int, mag: Ipv4 = MAG1, **fields: object) -> Datagram:
        payload = self.anchor.datagram(node, mag, **({"revocation": SUPPORT} | fields))
        return Datagram(payload, Endpoint(mag, 434), LMA)

    def ask(self, *batch: Datagram) -> dict[bytes, int]:
        """All of it in one wake-up; the codes of the replies, by NAI."""
        self.heard.clear()
        self.agent.datagrams_received(batch)
        self.network.deliver()
        replies = [octets for octets in self.heard if octets[0] == MessageType.REGISTRATION_REPLY]
        return {reply.nai: reply.code for reply in map(RegistrationReply.decode, replies)}

    def revoked(self) -> list[bytes]:
        """Whose MAG was told so just now."""
        told = [octets for octets in self.heard if octets[0] == MessageType.REVOCATION]
        return [Revocation.decode(octets).nai for octets in told]

    def at(self) -> dict[Ipv4, Ipv4]:
        """Where the packet plane sends what is for a home address."""
        return {entry.home_address: entry.tunnel.remote for entry in self.plane.snapshot()}

    def home(self, node: int) -> Ipv4:
        binding = self.anchor.binding(node)
        assert binding is not None
        return binding.home_address


@covers("P34", "P35")
def test_they_are_carried_out_tunnel_by_tunnel() -> None:
    bench = Bench()
    codes = bench.ask(bench.asking(1), bench.asking(2, MAG2), bench.asking(3), bench.asking(4, MAG2))
    assert codes == {nai(node): 1 for node in (1, 2, 3, 4)} and bench.revoked() == []
    assert sorted(bench.plane.asked) == ["2 by 1", "2 by 2"]
    assert [note.name for note in bench.notes.all] == ["binding-created"] * 4
    # And on: two move, one comes, and one renews.
    bench.notes.all.clear()
    bench.plane.asked.clear()
    batch = [bench.asking(1, MAG2), bench.asking(5, MAG2), bench.asking(3), bench.asking(2)]
    assert bench.ask(*batch) == {nai(node): 1 for node in (1, 2, 3, 5)}
    assert sorted(bench.plane.asked) == ["1 by 1", "2 by 2"]
    assert sorted(bench.revoked()) == [nai(1), nai(2)]
    assert bench.at() == {
        bench.home(node): mag for node, mag in ((1, MAG2), (2, MAG1), (3, MAG1), (4, MAG2), (5, MAG2))
    }
    assert sorted([note.name for note in bench.notes.all]) == [
        *("binding-created", "binding-moved", "binding-moved", "binding-renewed"),
        *("revocation-sent", "revocation-sent"),
    ]


@covers("H14")
def test_whom_the_packet_plane_does_not_take_is_refused_alone() -> None:
    bench = Bench()
    bench.plane.full = {Ipv4(FIRST_ADDRESS + 2)}  # node 9 has had the first
    assert bench.ask(bench.asking(1), bench.asking(2), bench.asking(3)) == {nai(1): 1, nai(2): 130, nai(3): 1}
    assert bench.anchor.binding(2) is None and len(bench.at()) == 2


def test_a_defect_of_the_packet_plane_costs_nobody_his_registration() -> None:
    bench = Bench()
    bench.plane.broken = True
    assert bench.ask(bench.asking(1), bench.asking(2)) == {nai(1): 1, nai(2): 1}
    assert len(bench.at()) == 2


@covers("P80")
def test_an_address_that_goes_from_one_to_the_other_in_between() -> None:
    """Its former owner's entry goes before the other's comes, although that one could be carried out with many."""
    bench = Bench(home="10.1.0.0/30", address_hold=0.0)
    assert bench.ask(bench.asking(1)) == {nai(1): 1}
    home = bench.home(1)
    bench.plane.asked.clear()
    assert bench.ask(bench.asking(1, lifetime=0), bench.asking(2, MAG2)) == {nai(1): 1, nai(2): 1}
    assert bench.plane.asked[-1] == "1 by 2" and bench.at() == {home: MAG2}
    # And back, behind one that has come and gone meanwhile.
    assert bench.ask(bench.asking(2, MAG2, lifetime=0), bench.asking(1), bench.asking(1, lifetime=0)) == {
        nai(2): 1,
        nai(1): 1,
    }
    assert bench.at() == {}
