"""The world around the workers: MAGs whose nodes come, stay, move and leave, somebody who kills, and what must hold."""

import hmac
import random
from collections.abc import Callable
from functools import partial
from itertools import count

import attrs
from twisted.logger import globalLogPublisher

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import Datagram, Unreachable
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.mobility.replay import ntp_timestamp
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey
from pmip_tw.testing.accounting import FakeLedger
from pmip_tw.testing.clock import FakeClock
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.testing.store import FakeDisk
from pmip_tw.wire.codes import accepts
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.lma.anchor import LMA, MAG1, MAG2, association, nai
from tests.workers.accounts import Broken, require_true_accounts
from tests.workers.crew import Other, Port, Process, Zero

LIFETIMES = (4, 20, 60)
AGAIN = 1.0
"""Seconds until a MAG repeats a request that has no answer."""

BUSY = 8.0
"""Seconds of coming and going; then it is calm."""

CALM = 12.0

_OWN_HALF = 0xFFFFFFFF


@attrs.define(slots=True)
class Node:
    """``home``: given to it last, 0 for nothing. ``certain``: it is bound with that, at ``mag``, until ``ends_at``."""

    number: int
    worker: int
    home: Ipv4 = Ipv4(0)
    mag: Ipv4 = MAG1
    ends_at: float = 0.0
    certain: bool = False
    asked: RegistrationRequest | None = None
    octets: bytes = b""
    asked_at: float = 0.0
    accepted: int = 0

    @property
    def nai(self) -> bytes:
        return nai(self.number)


class House:
    """``seed`` decides everything."""

    def __init__(
        self, seed: int, *, workers: int = 3, nodes: int = 20, pool: str = "10.1.0.0/27", kills: int = 3
    ) -> None:
        self.chance = random.Random(seed)
        self.clock = FakeClock(seed)
        self.network = FakeNetwork(
            seed, delay=(0.001, 0.02), reordering=0.05, loss=0.03, duplication=0.03, clock=self.clock
        )
        self.pool = pool
        self.dhcp_relay: RelayPolicy | None = None
        self.ledger = FakeLedger()
        self.nodes = nodes
        self.workers = workers
        self._nodes = {
            nai(number): Node(number, worker_of_nai(nai(number), workers)) for number in range(1, nodes + 1)
        }
        self._numbers = count(1)
        self._disks = [FakeDisk(f"journal {worker}") for worker in range(workers)]
        self.zero: Zero | None = None
        self.others: dict[int, Other] = {}
        self._former: list[Other] = []
        self._defects: list[str] = []
        self._broken: Broken | None = None
        self.kills = self.answered = 0
        self._calm = False
        for address in (MAG1, MAG2):
            FakeSignalling(self.network, (address,)).start(_Mag(self, address), None)
        self._start_all()
        for _ in range(kills):
            self._later(self.chance.uniform(1.0, BUSY), self._kill)
        self._later(0.0, self._live)

    # Time

    def run(self) -> None:
        """Broken: a promise that does not hold."""
        globalLogPublisher.addObserver(self._logged)
        try:
            self._run_for(BUSY)
            self._calm = True
            self.network.loss = self.network.duplication = self.network.reordering = 0.0
            self._run_for(CALM)
            self._at_rest()
        finally:
            globalLogPublisher.removeObserver(self._logged)

    def _run_for(self, seconds: float) -> None:
        end = self.clock.monotonic + seconds
        while self.clock.step(end):
            self._look()

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        # An object of its own each time: the clock knows one wake-up of each.
        self.clock.wake_at(self.clock.monotonic + seconds, partial(call))

    def _logged(self, event: dict[str, object]) -> None:
        failure = event.get("log_failure")
        if failure is not None:
            self._defects.append(failure.getTraceback())  # type: ignore[attr-defined]

    # Processes

    def _start_all(self) -> None:
        self._port = Port(self.workers)
        self.network.attach(Endpoint(LMA, 434), self._port)
        self.zero = Zero(self, self._port, self.workers, self._disks[0])
        for worker in range(1, self.workers):
            self._start(worker)

    def _start(self, worker: int) -> None:
        if self.zero is not None and worker not in self.others:
            self.others[worker] = Other(
                self, self._port, worker, self.workers, self._disks[worker], self.zero
            )

    def _kill(self) -> None:
        self.kills += 1
        worker = self.chance.randrange(self.workers)
        again = self.chance.choice((0.0, 0.01, 0.1, 1.0))
        if worker and worker in self.others:
            self._bury(self.others.pop(worker))
            self._later(again, lambda: self._start(worker))
        elif self.zero is not None:
            self.zero.crash()
            self.network.detach(Endpoint(LMA, 434))
            at_once = self.chance.random() < 0.5
            for other in self.others.values():
                other.zero_end.crash()
                if at_once:
                    self._bury(other)
            self.zero = None
            self._later(0.2 + again, self._restart)

    def _bury(self, other: Other) -> None:
        other.crash()
        self._former.append(other)

    def _restart(self) -> None:
        """As soon as nobody has the port."""
        self._former += self.others.values()
        self.others.clear()
        self._start_all()

    def process(self, worker: int) -> Process | None:
        return self.others.get(worker) if worker else self.zero

    # Nodes

    def _live(self) -> None:
        """Somebody does something, every now and then."""
        idle = [node for node in self._nodes.values() if node.asked is None]
        if self._calm:
            idle = [node for node in idle if not node.certain] or idle
        if idle:
            self._act(self.chance.choice(idle))
        self._later(self.chance.uniform(0.0, 0.5 if self._calm else 0.04), self._live)

    def _act(self, node: Node) -> None:
        chance, deed = self.chance, self.chance.random()
        bound = node.certain and node.ends_at > self.clock.monotonic
        if not bound:
            self._ask(node, chance.choice((MAG1, MAG2)), self._lifetime(), self._wish(node))
        elif deed < 0.4 or self._calm:
            self._ask(node, node.mag, self._lifetime(), Ipv4(0))
        elif deed < 0.7:
            self._ask(node, MAG1 if node.mag == MAG2 else MAG2, self._lifetime(), Ipv4(0))
        elif deed < 0.9:
            self._ask(node, node.mag, 0, Ipv4(0))
        else:
            self._lease_ends(node)

    def _lifetime(self) -> int:
        return 60 if self._calm else self.chance.choice(LIFETIMES)

    def _wish(self, node: Node) -> Ipv4:
        """Sometimes an address by name, which may be anybody's."""
        if self._calm or self.chance.random() < 0.6:
            return Ipv4(0)
        former = [other.home for other in self._nodes.values() if other.home]
        return self.chance.choice(former) if former else Ipv4(0)

    def _ask(self, node: Node, mag: Ipv4, lifetime: int, home: Ipv4) -> None:
        now = self.clock.now()
        node.asked = RegistrationRequest(
            flags=REVERSE_TUNNEL | COLOCATED,
            nai=node.nai,
            lifetime=lifetime,
            home_address=home,
            home_agent=LMA,
            care_of_address=mag,
            identification=ntp_timestamp(now.wall) & ~0xFFFF | next(self._numbers) & 0xFFFF,
            access_technology=1,
            revocation=RevocationSupport(int(now.wall)),
        )
        node.octets = node.asked.encode(mn_ha=association(node.number))
        if self.chance.random() < 0.1:
            node.octets = _with_nai_behind(node.asked, node.number)
        node.asked_at = now.monotonic
        node.certain = False
        self._repeat(node, node.asked)

    def _repeat(self, node: Node, asked: RegistrationRequest) -> None:
        if node.asked is asked:
            self.network.send(Endpoint(asked.care_of_address, 434), Endpoint(LMA, 434), node.octets)
            self._later(AGAIN, lambda: self._repeat(node, asked))

    def _lease_ends(self, node: Node) -> None:
        """A DHCP server has the address back, and gives it to another node, which is registered with it (P38, P62)."""
        process = self.process(node.worker)
        if process is None or not process.serves:
            return
        try:
            process.agent.revoke(ipv4_text(node.home))  # type: ignore[attr-defined]
        except PmipError as error:
            raise Broken("what was answered is there", f"{node.nai!r}: {error}") from None
        node.certain = False
        node.ends_at = 0.0
        free = [
            one for one in self._nodes.values() if one.asked is None and one.ends_at < self.clock.monotonic
        ]
        if free:
            self._ask(self.chance.choice(free), MAG1, 60, node.home)

    def heard(self, mag: Ipv4, payload: bytes) -> None:
        """A MAG has got it."""
        if payload[0] == 7:
            told = Revocation.decode(payload)
            named = told.nai if self.chance.random() < 0.7 else b""
            ack = RevocationAck(home_address=told.home_address, identifier=told.identifier, nai=named)
            node = self._nodes[told.nai]
            octets = ack.encode(mn_ha=association(node.number))
            self.network.send(Endpoint(mag, 434), Endpoint(LMA, 434), octets)
        elif payload[0] == 3:
            reply = RegistrationReply.decode(payload)
            node = self._nodes[reply.nai]
            # Of a refusal the first half may be the LMA's (I9).
            if node.asked is not None and not (node.asked.identification ^ reply.identification) & _OWN_HALF:
                node.asked = None

    # Promises

    def says(self, worker: int, payload: bytes) -> None:
        """A worker sends something: from now on it is promised."""
        try:
            self._said(worker, payload)
        except Broken as broken:
            self._broken = self._broken or broken  # not here: agents survive whatever happens while they send

    def _said(self, worker: int, payload: bytes) -> None:
        if payload[0] != 3:
            return
        reply = RegistrationReply.decode(payload)
        node, now = self._nodes[reply.nai], self.clock.monotonic
        if node.worker != worker:
            raise Broken("a node has one worker", f"{reply.nai!r} is answered by {worker}")
        asked = node.asked
        if not accepts(reply.code) or asked is None or asked.identification != reply.identification:
            return
        self.answered += 1
        node.accepted += 1
        node.home, node.mag = reply.home_address, asked.care_of_address
        node.certain = bool(reply.lifetime)
        node.ends_at = node.asked_at + reply.lifetime if reply.lifetime else 0.0
        if not reply.lifetime:
            return
        for other in self._nodes.values():
            if other is not node and other.certain and other.home == node.home and other.ends_at > now:
                raise Broken("an address is one node's", f"{node.nai!r} is given what {other.nai!r} has")
        if (
            self.zero is not None
        ):  # without it nothing is carried, and whoever it leaves behind will soon notice
            _require_carried(node, entries_of(self.zero))

    def _look(self) -> None:
        """After every event."""
        if self._broken is not None:
            raise self._broken
        if self._defects:
            raise Broken("no defect", self._defects[0])
        for other in (*self.others.values(), *self._former):
            if other.defects:
                raise Broken("no defect", f"at worker {other.number}: {other.defects[0]!r}")
        self._one_node_for_each_address()
        entries = {} if self.zero is None else entries_of(self.zero)
        for node in self._nodes.values():
            process = self.process(node.worker)
            if node.certain and node.ends_at > self.clock.monotonic and process and process.serves:
                _require_bound(node, process)
                if self.zero is not None:
                    _require_carried(node, entries)

    def _one_node_for_each_address(self) -> None:
        users: dict[AnchorKey, bytes] = {}
        for process in (self.zero, *self.others.values()):
            if process is None:
                continue
            for binding in bindings(process):
                if users.setdefault(binding.key, binding.nai) != binding.nai:
                    raise Broken("an address is one node's", f"{users[binding.key]!r} and {binding.nai!r}")

    def _at_rest(self) -> None:
        """Nothing goes wrong any more: everybody is answered, and the plane holds what workers say, no more."""
        assert self.zero is not None
        processes: list[Process] = [self.zero, *self.others.values()]
        if len(processes) != self.workers or not all(process.serves for process in processes):
            raise Broken("whoever was killed is back", f"{[one.number for one in processes if one.serves]}")
        for node in self._nodes.values():
            if not node.certain and (node.asked is None or self.clock.monotonic - node.asked_at > 5):
                raise Broken("everybody is answered", f"{node}")
        held = set(self.zero.plane.snapshot())
        wanted = {binding.entry for process in processes for binding in bindings(process)}
        if held != wanted:
            raise Broken("the plane holds what workers say", f"{held ^ wanted}")
        for process in processes:
            if process.engine.revoking:
                raise Broken("acknowledgments find their worker", f"worker {process.number}")
        require_true_accounts(
            self.ledger,
            {binding.home_address: binding for process in processes for binding in bindings(process)},
        )


def entries_of(zero: Zero) -> dict[AnchorKey, AnchorEntry]:
    return {entry.key: entry for entry in zero.plane.snapshot() if isinstance(entry, AnchorEntry)}


def _require_carried(node: Node, entries: dict[AnchorKey, AnchorEntry]) -> None:
    entry = entries.get(AnchorKey(node.home))
    if entry is None or entry.tunnel.remote != node.mag:
        raise Broken("what was answered is carried", f"{node.nai!r}: {entry}")


def _require_bound(node: Node, process: Process) -> None:
    (binding,) = process.engine.bindings.of_nai(node.nai) or (None,)
    if binding is None or (binding.home_address, binding.care_of_address) != (node.home, node.mag):
        raise Broken("what was answered is there", f"{node.nai!r}: {binding}")


def bindings(process: Process) -> list[Binding]:
    """Those that are carried out."""
    underway, found = process.engine._underway, []
    for bound in process.engine.bindings:
        carried = underway.carried(bound.owner, bound)
        if carried is not None:
            found.append(carried)
    found += [commit.carried for commit in underway if commit.binding is None and commit.carried is not None]
    return found


def _with_nai_behind(request: RegistrationRequest, node: int) -> bytes:
    """Another extension stands before the NAI: the kernel does not find it there."""
    signer = association(node)
    octets = request.encode()
    octets = octets[:24] + b"\xc8\x02\0\0" + octets[24:] + b"\x20\x14" + signer.spi.to_bytes(4, "big")
    return octets + hmac.digest(b"key of mobile node %02d" % node, octets, "md5")


class _Mag:
    def __init__(self, house: House, address: Ipv4) -> None:
        self._house = house
        self._address = address

    def datagrams_received(self, batch: list[Datagram]) -> None:
        for datagram in batch:
            self._house.heard(self._address, datagram.payload)

    def peer_unreachable(self, report: Unreachable) -> None:
        """The LMA is being started: it is asked again."""
