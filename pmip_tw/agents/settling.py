"""What is durable is carried out at the packet plane, and said: reply last.

A packet plane in another process takes its time. Meanwhile its owner is busy: what is saved later of the same owner or
of the same home address waits (``lanes.py``), so that the plane hears of each in the order in which the engine decided.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable
from functools import partial

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmip_tw.addresses import Ipv4
from pmip_tw.agents.accounting_at_lma import AccountingAtLma
from pmip_tw.agents.carrying import ICarrier
from pmip_tw.agents.lanes import Lanes
from pmip_tw.interfaces import IClock, IForwardingPlane
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.registration.commitment import Commit, Effect, SessionOver
from pmip_tw.lma.registration.refusal import Refusal
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Remove
from pmip_tw.mobility.tunnels import AlikeEntries, AnchorKey, EntryKey, Tunnel


class Settling:
    """``run(effects, now)`` gets what comes of it later, and ``finish(now)`` is called when that was all.

    ``forwarding``: who is told, besides the ``carrier``, that an entry is over; ``accounting``: of sessions.
    """

    _log = Logger(namespace="pmip.lma")

    def __init__(
        self,
        engine: LmaEngine,
        carrier: ICarrier,
        forwarding: IForwardingPlane,
        clock: IClock,
        *,
        run: Callable[[Iterable[Effect], Now], None],
        finish: Callable[[Now], None],
        accounting: AccountingAtLma | None = None,
    ) -> None:
        self._engine = engine
        self._accounting = accounting
        self._carrier = carrier
        self._clock = clock
        self._forwarding = forwarding
        self._run = run
        self._finish = finish
        self._busy = Lanes()
        # What is over, but for what was on its way then.
        self._over: dict[EntryKey, None] = {}
        # Of who waits for the end of it, if it will come.
        self._idle: Deferred[None] | None = None
        self._given_up = False

    @property
    def busy(self) -> Container[bytes]:
        """Whose entry the packet plane is busy with, or will be."""
        return self._busy

    def settle(self, commit: Commit, now: Now) -> None:
        """A durable ``commit``. A defect of ours costs its owner the answer, and nobody else."""
        try:
            self._run(self._settled(commit, now), now)
        except Exception:
            self._log.failure("what was saved for {owner!r} met a defect", owner=commit.owner)

    def _settled(self, commit: Commit, now: Now) -> Iterable[Effect]:
        """What comes of it at once."""
        if self._busy.wait(commit):
            return ()
        if not self._engine.stands(commit):
            return self._engine.superseded(commit)
        changes = commit.to_carry
        refusal = self._carrier.carry(changes) if changes else None
        if not isinstance(refusal, Deferred):
            return self._carried(commit, refusal, now)
        self._busy.begin(commit)
        done = refusal.addCallback(partial(self._carried_at_last, commit))
        done.addErrback(partial(self._met_a_defect, commit.owner))
        done.addCallback(partial(self._go_on, commit.owner))
        return ()

    def settle_arriving(self, commits: Iterable[Commit], now: Now) -> None:
        """Durable ones that arrive: the packet plane takes all who come through one tunnel at once, if it can."""
        by_tunnel: defaultdict[tuple[Tunnel, str], dict[Ipv4, Commit]] = defaultdict(dict)
        for commit in commits:
            binding = commit.binding
            assert binding is not None
            by_tunnel[binding.tunnel, binding.domain][binding.home_address] = commit
        for (tunnel, domain), coming in by_tunnel.items():
            left = self._carrier.install_alike(AlikeEntries(tunnel, domain, [*coming]))
            alone = [coming.pop(home_address) for home_address in left]
            try:
                self._run(self._engine.arrived(coming.values(), now), now)
                if self._accounting is not None:
                    self._accounting.carried(coming.values())
            except Exception:
                self._log.failure("those who came through {tunnel} met a defect", tunnel=str(tunnel))
            for commit in alone:
                self.settle(commit, now)

    def end(self, effect: Remove | SessionOver) -> None:
        if isinstance(effect, Remove):
            self.remove(effect.key)
        elif self._accounting is not None:
            self._accounting.because(effect)

    def remove(self, key: EntryKey) -> None:
        """An entry is over. What is on its way to its address comes first, and who gets that keeps it."""
        if self._busy.is_about(key):
            self._over[key] = None
        else:
            counters = self._forwarding.remove(key)
            if self._accounting is not None:
                self._accounting.ended(key, counters)

    def _carried(self, commit: Commit, refusal: Refusal | None, now: Now) -> Iterable[Effect]:
        if refusal is not None:
            return self._engine.failed(commit, refusal, now)
        effects = self._engine.committed(commit, now)
        if self._accounting is not None:
            self._accounting.carried((commit,))
        return effects

    def _carried_at_last(self, commit: Commit, refusal: Refusal | None) -> "Deferred[None] | None":
        """Meanwhile the commit may have become obsolete: then it fires when that is undone."""
        now = self._clock.now()
        if refusal is not None or self._engine.stands(commit):
            self._run(self._carried(commit, refusal, now), now)
            return None
        self._run(self._engine.superseded(commit), now)
        undoing = self._engine.undone(commit)
        if not undoing:
            return None
        undone = self._carrier.carry(undoing)
        assert isinstance(undone, Deferred)
        return undone.addCallback(partial(self._undone, commit.owner))

    def _undone(self, owner: bytes, refusal: Refusal | None) -> None:
        if refusal is not None:
            self._log.error("{owner!r} is not served as before: {why}", owner=owner, why=refusal.cause)

    def _met_a_defect(self, owner: bytes, defect: Failure) -> None:
        """Of ours: it costs what it happened to, and nothing that comes after it."""
        self._log.failure("what was carried out for {owner!r} met a defect", defect, owner=owner)

    def _go_on(self, owner: bytes, carried: None) -> None:
        """The packet plane is as the engine believes: what has waited for that goes on."""
        now = self._clock.now()
        for waiting in self._busy.end(owner):
            self.settle(waiting, now)
        for key in [key for key in self._over if not self._busy.is_about(key)]:
            del self._over[key]
            assert isinstance(key, AnchorKey)
            if self._engine.carried_at(key) is None:
                self._run([Remove(key)], now)
        self._finish(now)
        if not self._busy:
            self._end_waiting()

    def wait_until_idle(self) -> "Deferred[None] | None":
        """It fires when nobody is busy any more; None: nobody is, or it will not come to that."""
        if not self._busy or self._given_up:
            return None
        if self._idle is None:
            self._idle = Deferred()
        return self._idle

    def give_up(self) -> None:
        """The packet plane is gone, and will not answer."""
        self._given_up = True
        self._end_waiting()

    def _end_waiting(self) -> None:
        idle, self._idle = self._idle, None
        if idle is not None:
            idle.callback(None)
