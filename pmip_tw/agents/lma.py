"""The LMA's loop: datagrams and time into the engine, its effects out through the interfaces."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.agents.accounting_at_lma import AccountingAtLma
from pmip_tw.agents.carrying import AtOnce, ICarrier
from pmip_tw.agents.dhcp_at_lma import DhcpAtLma, IDhcpRoads
from pmip_tw.agents.ipsec_at_lma import look_for_ipsec
from pmip_tw.agents.keys_at_lma import KeysAtLma
from pmip_tw.agents.lma_operations import end, tables_of
from pmip_tw.agents.observers import Telling
from pmip_tw.agents.returning import Returning
from pmip_tw.agents.rows.bindings import ended_row
from pmip_tw.agents.rows.tables import Row
from pmip_tw.agents.saving import Saving
from pmip_tw.agents.sessions_at_lma import SessionsAtLma
from pmip_tw.agents.settling import Settling
from pmip_tw.agents.taking_turns import TakingTurns
from pmip_tw.agents.too_big import TooBig
from pmip_tw.agents.workers.supply import Supply
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import (
    Datagram,
    IBindingStore,
    IClock,
    IForwardingPlane,
    IIpsecPolicies,
    INodeKeys,
    IObserver,
    ISessions,
    ISignalling,
    ISignallingReceiver,
    ITunnelDataReceiver,
    Unreachable,
)
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.observed import not_saved, renewals
from pmip_tw.lma.registration.commitment import (
    AskTraffic,
    Commit,
    Effect,
    Fetch,
    Grant,
    Save,
    SessionOver,
    Wait,
    Waiting,
)
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.lma.workers.leases import Ask
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Install, Observe, ObserveAlike, Remove, Send
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey
from pmip_tw.wire.codes import Code

TRY_AGAIN = 1.0
"""Seconds until what the store or the packet plane did not take is offered once more."""


@implementer(ISignallingReceiver)
class Lma:
    """A running LMA. ``store``: what outlives it; nothing is answered before that has it. ``tunnel_data``: who takes
    UDP tunnel data off port 434, usually the packet plane.

    ``ipsec``: where it looks whether MAGs that are proven by IPsec really are. ``carrier``: who carries out what is
    saved, if not ``forwarding`` at once; ``supply``: where home addresses come from, if there are several workers.
    ``dhcp``: the way to DHCP clients and servers, if the engine relays. ``node_keys``: AAA, if the engine asks it;
    ``accounting``: if AAA is to know of sessions.
    """

    _log = Logger(namespace="pmip.lma")

    def __init__(
        self,
        engine: LmaEngine,
        *,
        clock: IClock,
        signalling: ISignalling,
        forwarding: IForwardingPlane,
        store: IBindingStore,
        tunnel_data: ITunnelDataReceiver | None = None,
        ipsec: IIpsecPolicies | None = None,
        observers: Sequence[IObserver] = (),
        carrier: ICarrier | None = None,
        supply: Supply | None = None,
        dhcp: IDhcpRoads | None = None,
        node_keys: INodeKeys | None = None,
        accounting: AccountingAtLma | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._signalling = signalling
        self._forwarding = forwarding
        self._accounting = accounting
        removed = None if accounting is None else accounting.removed
        self._carrier = AtOnce(forwarding, removed) if carrier is None else carrier
        self._supply = supply
        self._tunnel_data = tunnel_data
        self._ipsec = ipsec
        self._telling = Telling(observers)
        self._store = store
        self._turns = TakingTurns[Effect](self._log)
        self._saving = Saving(store, saved=self._saved, failed=self._not_saved)
        self._settling = Settling(
            engine,
            self._carrier,
            forwarding,
            clock,
            run=self._run,
            finish=self._finish,
            accounting=accounting,
        )
        self._returning = Returning(
            engine, self._carrier, forwarding, clock, run=self._run, back=self._all_back
        )
        self._dhcp = DhcpAtLma(engine.dhcp, dhcp, clock, run=self._run, finish=self._finish)
        self.keys = KeysAtLma(engine, node_keys, clock, accounting, run=self._run, finish=self._finish)
        self.sessions: ISessions = SessionsAtLma(
            engine, clock, run=self._run, finish=self._finish, when_saved=self._saving.when_saved
        )
        self._stopping = False
        self._too_big = TooBig(engine, forwarding)
        # Of this wake-up: whose datagrams were authentic; and what is said from which of our addresses.
        self._authentic: list[Endpoint] = []
        self._said: defaultdict[Ipv4, list[tuple[bytes, Endpoint]]] = defaultdict(list)

    def start(self) -> None:
        """Bring back what was saved, open the packet plane, then the signalling.

        PmipError: what could not be opened; nothing is left open.
        """
        for note in look_for_ipsec(self._engine, self._ipsec):
            self._telling.observe(note, self._clock.now())
        self._store.start()
        try:
            self._forwarding.start(self._dhcp.receiver)
            try:
                self._dhcp.start()
                now = self._clock.now()
                effects = self._restore(now)
                if self._returning.is_over:
                    self._hear()
            except BaseException:
                self._dhcp.stop()
                self._forwarding.stop()
                raise
        except BaseException:
            self._store.stop()
            if self._accounting is not None:
                self._accounting.stop(survive=True)
            raise
        self._run(effects, now)
        now = self._clock.now()  # reading takes its time: what ended meanwhile is over before anybody asks
        self._run(self._turns.take(self._engine.expire_all(now), now.monotonic), now)
        if self._accounting is not None:
            self._accounting.begun()
        self._finish(now)

    def _restore(self, now: Now) -> list[Effect]:
        """Live bindings forward before anything is heard. What is to be told of it when somebody can be told."""
        if self._accounting is not None:
            self._accounting.start()
        effects: list[Effect] = [*self._engine.restore(self._store.load(self._engine.knows_all), now)]
        if self._supply is not None:
            self._supply.start(self)
        return effects + self._returning.bring_back(now)

    def _hear(self) -> None:
        self._signalling.start(self, self._tunnel_data)

    def _all_back(self, now: Now) -> None:
        if not self._stopping:
            self._hear()
            self._finish(now)

    def stop(self, *, carried: bool = True) -> "Deferred[None] | None":
        """Save and answer what is under way, then close everything. Idempotent.

        Not ``carried``: a packet plane in another process is gone with it, and what waits for that is not answered.
        """
        if not self._stopping:
            self._saving.append()  # what has failed before is tried once more
        self._stopping = True
        self._dhcp.hear_no_more()
        self.keys.stop()
        self._clock.wake_at(None, self._wake)
        if not carried:
            self._settling.give_up()
        saved = self._store.stop()
        if saved is None and self._settling.wait_until_idle() is None:
            return self._close()
        return Deferred.fromCoroutine(self._close_after(saved))

    async def _close_after(self, saved: "Deferred[None] | None") -> None:
        try:
            if saved is not None:
                await saved
            settled = self._settling.wait_until_idle()
            if settled is not None:
                await settled
        finally:
            told = self._close()
        if told is not None:
            await told

    def _close(self) -> "Deferred[None] | None":
        told = None if self._accounting is None else self._accounting.stop(survive=self._store.keeps)
        self._signalling.stop()
        self._dhcp.stop()
        self._forwarding.stop()
        return told

    def datagrams_received(self, batch: Sequence[Datagram]) -> None:
        if self._stopping:
            return
        now = self._clock.now()
        recognize, receive = self._engine.recognize, self._engine.receive
        for datagram in batch:
            payload, source, local = datagram.payload, datagram.source, datagram.local
            try:
                decided = recognize(payload, source, local, now)
                if isinstance(decided, Commit):
                    self._authentic.append(source)
                    self._saving.commit(decided)
                else:
                    self._run(receive(payload, source, local, now) if decided is None else decided, now)
            except Exception:
                # A defect of ours costs one datagram, not those behind it.
                self._log.failure("a datagram from {source} met a defect", source=str(datagram.source))
        if self._authentic:
            self._signalling.authenticated(self._authentic)
            self._authentic = []
        self._finish(now)

    def peer_unreachable(self, report: Unreachable) -> None:
        """A MAG that cannot be reached keeps its bindings: they end by lifetime, never by ICMP."""

    def unsettled(self) -> Collection[AnchorKey]:
        """See Supply's Worker."""
        return self._engine.unsettled()

    def lent(self, ask: Ask) -> None:
        """See Supply's Worker."""
        self._dhcp.lent(ask)

    def given_up(self, keys: Collection[AnchorKey]) -> None:
        """See Supply's Worker."""
        self._dhcp.given_up(keys)

    def when_saved(self, told: Callable[[bool], None]) -> None:
        """See Supply's Worker."""
        self._saving.when_saved(told)

    def _wake(self) -> None:
        now = self._clock.now()
        self._run(self._turns.take(self._engine.wake(now), now.monotonic), now)
        self._finish(now)

    def _finish(self, now: Now) -> None:
        """What every input ends with: what happened is told, what it decided is saved, the next wake-up asked for."""
        self._tell(now)
        if self._stopping:
            return
        if self._too_big:
            self._too_big.make_smaller()
        self._saving.append()
        self._arm()

    def _tell(self, now: Now) -> None:
        """What was decided to be said leaves, and what happened is told."""
        said, self._said = self._said, defaultdict(list)
        for source, messages in said.items():
            try:
                self._signalling.send_all(messages, source)
            except Exception:
                self._log.failure("sending from {source} met a defect", source=ipv4_text(source))
        try:
            self._telling.finish(now)
        except Exception:
            self._log.failure("an observer met a defect")

    def _arm(self) -> None:
        deadline = self._turns.no_sooner(self._engine.next_deadline())
        if self._saving.failing or self._too_big:
            again = self._clock.now().monotonic + TRY_AGAIN
            deadline = again if deadline is None else min(again, deadline)
        self._clock.wake_at(deadline, self._wake)

    def _run(self, effects: Iterable[Effect], now: Now) -> None:
        for effect in effects:
            try:
                # By the type itself: isinstance takes four times as long to say no to a Struct.
                if type(effect) is Send:
                    self._said[effect.source].append((effect.datagram, effect.destination))
                elif type(effect) is Commit:
                    source = effect.source
                    if source is not None:
                        self._authentic.append(source)
                    self._saving.commit(effect)
                elif type(effect) is ObserveAlike:
                    self._telling.gather(effect.observations)
                elif type(effect) is Save:
                    self._save(effect)
                elif type(effect) is Observe:
                    self._telling.observe(effect.observation, now)
                elif type(effect) is Wait or type(effect) is Fetch or type(effect) is AskTraffic:
                    self._ask(effect, now)
                elif type(effect) is Install:
                    assert isinstance(effect.entry, AnchorEntry)
                    self._too_big.add(effect.entry.key)
                elif type(effect) is Remove or type(effect) is SessionOver:
                    self._settling.end(effect)
                else:
                    self._dhcp.carry_out(effect)  # type: ignore[arg-type]  # nothing else is left
            except Exception:
                # What the table has done already is carried out as far as possible: bindings end many at a time.
                self._log.failure("the effect {kind} met a defect", kind=type(effect).__name__)

    def _ask(self, effect: Wait | Fetch | AskTraffic, now: Now) -> None:
        """Something cannot go on before others have answered: worker 0, AAA, or the packet plane."""
        if isinstance(effect, Fetch):
            self.keys.fetch(effect)
        elif isinstance(effect, AskTraffic):
            moved = self._forwarding.counters(effect.key).packets
            self._run(self._engine.traffic(effect, moved, now), now)
        else:
            assert self._supply is not None
            self._supply.ask(effect)

    def _save(self, save: Save) -> None:
        if type(save.then) is Grant:  # the first by which a MAG of new nodes proves who it is
            self._authentic.append(save.then.answer.destination)
        self._saving.save(save)

    def _saved(self, commits: list[Commit], waited: list[Waiting]) -> None:
        """They are durable. Reply last: the engine answers when the packet plane holds what the answer promises."""
        now = self._clock.now()
        if waited:
            try:
                self._run(self._engine.saved(waited, now), now)
            except Exception:
                self._log.failure("what waited for the store met a defect")
        renewed: list[Binding] = []
        arriving: list[Commit] = []
        local, busy = self._engine.address, self._settling.busy
        for commit in commits:
            if commit.owner not in busy:
                binding = self._engine.renewed(commit)
                if binding is not None:
                    self._said[local].append((commit.answer, binding.terms.source))
                    renewed.append(binding)
                    continue
                if self._engine.arrives(commit):
                    arriving.append(commit)
                    continue
            self._settling.settle(commit, now)
        if arriving:
            # Last: who had their addresses before has left by then.
            self._settling.settle_arriving(arriving, now)
        if renewed:
            self._telling.gather(renewals(renewed))
        self._finish(now)

    def _not_saved(self, commits: list[Commit], cause: str) -> None:
        now = self._clock.now()
        self._telling.observe(not_saved(cause), now)
        refusal = Refusal(Code.HA_RESOURCES, cause)
        for commit in commits:
            try:
                self._run(self._engine.failed(commit, refusal, now, saved=False), now)
            except Exception:
                self._log.failure("what was not saved for {owner} met a defect", owner=repr(commit.owner))
        self._tell(now)
        if not self._stopping:
            self._arm()

    def revoke(self, whom: str) -> Row:
        """End the bindings of ``whom``, a NAI or a home address, and tell its MAGs. PmipError: there is none.

        A home address is one whose lease has ended: it is not held for its node (P38).
        """
        now = self._clock.now()
        effects, bound = end(self._engine, whom, now)
        self._run(effects, now)
        self._finish(now)
        if not bound:
            raise PmipError(f"nobody is registered with {whom}, and it is held for nobody now")
        return ended_row(bound)

    def tables(self) -> dict[str, Callable[[], list[Row]]]:
        """What an operator can look at, by name."""
        return tables_of(self._engine, self._forwarding, self._signalling, self._clock)
