"""An LMA's engine with a packet plane that is a dictionary: what an agent does, without one."""

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from pmip_tw.aaa.node_keys import KeyAnswer, KeyQuestion
from pmip_tw.addresses import Endpoint, Ipv4, ipv4, prefix
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.journal.records import LMA_JOURNAL
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.lma.mags import KnownMag, KnownMags
from pmip_tw.lma.observed import renewals
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.registration.commitment import (
    AskTraffic,
    Commit,
    DhcpEffect,
    Effect,
    Fetch,
    Grant,
    Save,
    SessionOver,
)
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.associations import AssociationTable, SecurityAssociation
from pmip_tw.mobility.effects import Install, Observe, ObserveAlike, Remove, Send
from pmip_tw.mobility.mn_aaa import AaaTable
from pmip_tw.mobility.observations import Observation
from pmip_tw.mobility.records import Record
from pmip_tw.mobility.replay import ntp_timestamp
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey
from pmip_tw.secret import Secret
from pmip_tw.store.rows import RowCodec
from pmip_tw.testing.clock import FakeClock
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation

LMA = ipv4("192.0.2.1")
MAG1, MAG2, MAG3 = (ipv4(f"198.51.100.{number}") for number in (1, 2, 3))
NAT = ipv4("203.0.113.77")
FIRST_ADDRESS = ipv4("10.1.0.2")


BLUE = 50
"""Nodes from this one on are of another realm."""


def nai(node: int) -> bytes:
    return b"mn%d@%s" % (node, b"blue.example" if node >= BLUE else b"example.net")


def association(node: int) -> SecurityAssociation:
    return SecurityAssociation(4096 + node, Secret(b"key of mobile node %02d" % node))


class Anchor:
    """``accept`` and ``deny`` assert what the LMA says; ``hear`` gives whatever it sends.

    ``broken``: the cause for which the packet plane takes nothing, "" while it works. ``waiting``: what is not durable:
    everything is at once, unless ``slow`` is true; then ``flush`` makes it durable, and ``lose`` says that it cannot
    be, but for what cannot be refused, which waits on. ``journal``: what is durable, the rows of a store. ``dhcp``:
    what it wants of tunnels and DHCP servers. ``questions``: what it asks AAA. ``made``: what it is made of; ``pools``
    may be what makes them.
    """

    def __init__(
        self,
        *,
        home: str = "10.1.0.0/29",
        address_hold: float = 3600.0,
        nodes: int = 9,
        pools: Pools | Callable[[], Pools] | None = None,
        mags: Iterable[KnownMag] = (),
        aaa: AaaTable | None = None,
        dhcp_relay: RelayPolicy | None = None,
        keys: KeyPolicy | None = None,
        **policy: object,
    ) -> None:
        self.over: list[SessionOver] = []
        self.clock = FakeClock()
        self.policy = LmaPolicy(address=LMA, **policy)
        self.made: dict[str, Any] = {
            "home": home,
            "address_hold": address_hold,
            "nodes": nodes,
            "pools": pools,
            "mags": tuple(mags),
            "aaa": aaa,
            "dhcp_relay": dhcp_relay,
            "keys": keys,
        }
        self.engine = self._new_engine()
        self.installed: dict[AnchorKey, AnchorEntry] = {}
        self.broken = ""
        self.slow = False
        self.waiting: list[Commit | Save] = []
        self.journal: list[bytes] = []
        self.notes: list[Observation] = []
        self.sent: list[Send] = []
        self.dhcp: list[DhcpEffect] = []
        self.questions: list[KeyQuestion] = []
        self.moved = 0
        self._asked = 0

    def _new_engine(self) -> LmaEngine:
        made = self.made
        return LmaEngine(
            self.policy,
            AssociationTable(
                (nai(node).decode(), association(node))
                for node in (*range(1, made["nodes"] + 1), *range(BLUE, BLUE + 3))
            ),
            (made["pools"] if not callable(made["pools"]) else made["pools"]())
            or Pools([(AddressPool(prefix(made["home"]), hold=made["address_hold"]), [])]),
            mags=KnownMags(made["mags"]) if made["mags"] else None,
            aaa=made["aaa"],
            dhcp_relay=made["dhcp_relay"],
            keys=made["keys"],
        )

    def restart(
        self, *, downtime: float = 0.0, reboot: bool = False, one_row: bool = False, **changes: object
    ) -> None:
        """The process ends where it stands, and another one begins; the machine too if ``reboot``.

        ``one_row``: all that was saved so far was saved at once.
        ``changes`` of the configuration: ``policy``, or what an Anchor is made of.
        """
        self.clock.advance(downtime)
        shift = 0.0
        if reboot:
            shift = 5.0 - self.clock.monotonic
            self.clock.monotonic = 5.0
        self.policy = attrs.evolve(self.policy, **changes.pop("policy", {}))  # type: ignore[arg-type]
        self.made |= changes
        self.engine = self._new_engine()
        self.waiting.clear()
        codec = RowCodec(LMA_JOURNAL)
        if one_row:
            self.journal = [codec.encode([record for row in self.journal for record in codec.decode(row)])]
        rows = (
            (shift, codec.decode(row))
            for row in reversed(self.journal)
            if not codec.is_superseded(row, self.engine.knows_all)
        )
        self._run(self.engine.restore(rows, self.clock.now()))
        self.installed = {bound.key: bound.entry for bound in self.engine.bindings}

    def request(
        self, node: int = 1, mag: Ipv4 = MAG1, *, skew: float = 0.0, **fields: object
    ) -> RegistrationRequest:
        """A request of ``node`` by ``mag`` with a clock ``skew`` seconds ahead; the Identification is new."""
        self._asked += 1
        values: dict[str, object] = {
            "flags": REVERSE_TUNNEL | COLOCATED,
            "nai": nai(node),
            "lifetime": 600,
            "home_agent": LMA,
            "care_of_address": mag,
            "identification": ntp_timestamp(self.clock.wall + skew) + self._asked,
        }
        return RegistrationRequest(**(values | fields))

    def datagram(self, node: int = 1, mag: Ipv4 = MAG1, **fields: object) -> bytes:
        return self.request(node, mag, **fields).encode(mn_ha=association(node))

    def hear(self, payload: bytes, source: Ipv4 = MAG1, port: int = 434, local: Ipv4 = LMA) -> list[Send]:
        """``payload`` arrives; everything that is sent at once."""
        before = len(self.sent)
        now, origin = self.clock.now(), Endpoint(source, port)
        decided = self.engine.recognize(payload, origin, local, now)
        if decided is None:
            decided = self.engine.receive(payload, origin, local, now)
        self._run([decided] if isinstance(decided, Commit) else decided)
        return self.sent[before:]

    def ask(
        self,
        node: int = 1,
        mag: Ipv4 = MAG1,
        *,
        source: Ipv4 | None = None,
        port: int = 434,
        **fields: object,
    ) -> RegistrationReply:
        """The reply to a request of ``node`` by ``mag``: to its source, from the address asked, authentic."""
        asked = self.request(node, mag, **fields)
        sender = mag if source is None else source
        answer = self.hear(asked.encode(mn_ha=association(node)), sender, port)[0]
        assert (answer.source, answer.destination) == (LMA, Endpoint(sender, port))
        reply = reply_in(answer, node)
        assert reply.identification & 0xFFFFFFFF == asked.identification & 0xFFFFFFFF  # I1
        return reply

    def accept(self, node: int = 1, mag: Ipv4 = MAG1, **fields: object) -> RegistrationReply:
        reply = self.ask(node, mag, **fields)
        assert reply.code == self.policy.accepting, self.notes[-1]
        return reply

    def deny(self, code: int, node: int = 1, mag: Ipv4 = MAG1, **fields: object) -> Observation:
        """The request is refused with ``code`` and nothing changes; what the observers hear."""
        before = self.state()
        reply = self.ask(node, mag, **fields)
        assert (reply.code, reply.lifetime) == (code, 0)
        assert self.state() == before
        note = self.notes[-1]
        assert (note.name, note.reason) == ("registration-refused", str(code))
        assert note.cause.startswith(f"{code} ")
        return note

    def release(self, node: int = 1, mag: Ipv4 = MAG1, **fields: object) -> RegistrationReply:
        reply = self.accept(node, mag, **({"lifetime": 0} | fields))
        assert reply.lifetime == 0
        return reply

    def ignore(self, reason: str, payload: bytes, source: Ipv4 = MAG1) -> Observation:
        """``payload`` has no answer and no effect and is counted by ``reason``."""
        before = self.state()
        deadline = self.engine.next_deadline()
        assert self.hear(payload, source) == []
        assert (self.state(), self.engine.next_deadline()) == (before, deadline)
        note = self.notes[-1]
        assert (note.name, note.reason) == ("message-discarded", reason)
        assert note.cause
        return note

    def revoke(self, node: int = 1) -> list[Send]:
        """The operator ends what ``node`` has; what is sent at once."""
        before = len(self.sent)
        self._run(self.engine.revoke(nai(node), self.clock.now()))
        return self.sent[before:]

    def lease_ends(self, home_address: AnchorKey) -> list[Send]:
        """A DHCP server has ``home_address`` back; what is sent at once."""
        before = len(self.sent)
        self._run(self.engine.lease_ended(home_address, self.clock.now()))
        return self.sent[before:]

    def aaa_says(self, answer: KeyAnswer, question: KeyQuestion | None = None) -> list[Send]:
        """``answer`` to ``question``, else to the oldest one; what is sent at once."""
        before = len(self.sent)
        if question is None:
            question = self.questions.pop(0)
        self._run(self.engine.key_answered(question, answer, self.clock.now()))
        return self.sent[before:]

    def binding(self, node: int = 1) -> Binding | None:
        return self.engine.bindings.get(nai(node))

    def state(self) -> tuple[object, ...]:
        """Everything that a refused or discarded message must leave as it was."""
        return (list(self.engine.bindings), dict(self.installed))

    def names(self) -> list[str]:
        """The names of all observations since last asked."""
        names = [note.name for note in self.notes]
        self.notes.clear()
        return names

    def pass_time(self, seconds: float) -> list[Send]:
        """Time passes and the engine wakes when it asked to; what it sends."""
        before, end = len(self.sent), self.clock.monotonic + seconds
        while (deadline := self.engine.next_deadline()) is not None and deadline <= end:
            self.clock.advance(max(0.0, deadline - self.clock.monotonic))
            self.wake()
        self.clock.advance(end - self.clock.monotonic)
        return self.sent[before:]

    def wake(self) -> list[Effect]:
        """All that is due now; what it causes."""
        effects = [effect for due in self.engine.wake(self.clock.now()) for effect in due.act()]
        self._run(effects)
        return effects

    def _run(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self.sent.append(effect)
            elif isinstance(effect, Observe | ObserveAlike):
                self.notes += (
                    effect.observations if isinstance(effect, ObserveAlike) else (effect.observation,)
                )
            elif isinstance(effect, Remove):
                self.installed.pop(effect.key, None)
            elif isinstance(effect, Install):
                self.installed[effect.entry.key] = effect.entry
            elif isinstance(effect, SessionOver):
                assert effect.key in self.installed or self.slow
                self.over.append(effect)
            elif isinstance(effect, Fetch):
                self.questions.append(effect.question)
            elif isinstance(effect, AskTraffic):
                self._run(self.engine.traffic(effect, self.moved, self.clock.now()))
            elif isinstance(effect, Grant):
                self.sent.append(effect.answer)
            elif isinstance(effect, DhcpEffect):
                self.dhcp.append(effect)
            elif self.slow:
                self.waiting.append(effect)
            else:
                self._saved(effect)

    def flush(self) -> list[Send]:
        """What waits is durable; what is sent then."""
        before = len(self.sent)
        waiting, self.waiting = self.waiting, []
        for effect in waiting:
            self._saved(effect)
        return self.sent[before:]

    def lose(self, cause: str = "the disk is full") -> list[Send]:
        """What waits cannot be saved; what is sent then. What cannot be refused waits on."""
        before = len(self.sent)
        waiting, self.waiting = self.waiting, []
        self.waiting += (effect for effect in waiting if isinstance(effect, Save))
        for commit in reversed(waiting):
            if isinstance(commit, Commit):
                refused = self.engine.failed(commit, Refusal(130, cause), self.clock.now(), saved=False)
                self._run(refused)
        return self.sent[before:]

    def _save(self, *records: Record) -> None:
        self.journal.append(RowCodec(LMA_JOURNAL).encode(records))

    def _saved(self, commit: Commit | Save) -> None:
        now = self.clock.now()
        if isinstance(commit, Save):
            self._save(commit.record)
            if commit.then is not None:
                self._run(self.engine.saved([commit.then], now))
            return
        self._save(*commit.saves())
        renewed = self.engine.renewed(commit)
        if renewed is not None:
            self.sent.append(Send(commit.answer, renewed.source, self.engine.address))
            self.notes += renewals([renewed])
            return
        if not self.engine.stands(commit):
            self._run(self.engine.superseded(commit))
            return
        for change in commit.to_carry:
            if isinstance(change, Remove):
                self.installed.pop(change.key, None)
            elif self.broken:
                self._run(self.engine.failed(commit, Refusal(130, self.broken), now))
                return
            else:
                self.installed[change.entry.key] = change.entry
        self._run(self.engine.committed(commit, now))


def reply_in(answer: Send, node: int) -> RegistrationReply:
    """The registration reply in ``answer``, authenticated with the key of ``node``."""
    reply = RegistrationReply.decode(answer.datagram)
    assert reply.mn_ha is not None and reply.mn_ha.spi == association(node).spi
    assert association(node).verify(answer.datagram[: reply.mn_ha.covered], reply.mn_ha.value)
    assert reply.nai == nai(node)
    return reply


def revocations(sent: Iterable[Send]) -> list[Revocation]:
    """The revocations among what was sent."""
    return [Revocation.decode(send.datagram) for send in sent if send.datagram[0] == MessageType.REVOCATION]


def places(anchor: Anchor, node: int = 1) -> list[Ipv4]:
    """Where ``node`` is registered, the newest first."""
    binding = anchor.binding(node)
    return [] if binding is None else [one.care_of_address for one in binding.all]


def bound(anchor: Anchor) -> dict[bytes, tuple[Ipv4, Ipv4]]:
    """(home address, care-of address) by NAI."""
    return {one.nai: (one.home_address, one.care_of_address) for one in anchor.engine.bindings}
