"""The MAG's loop: frames, verdicts, datagrams and time into the engine, its effects out through the interfaces."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.agents.aaa_at_mag import AaaAtMag
from pmip_tw.agents.accounts import Accounts
from pmip_tw.agents.keeping import Keeping
from pmip_tw.agents.observers import Observers
from pmip_tw.agents.rows.tables import Row, drop_rows
from pmip_tw.agents.rows.tunnels import at_mag, tunnel_rows
from pmip_tw.agents.rows.visitors import visitor_row, visitor_rows
from pmip_tw.agents.taking_turns import TakingTurns
from pmip_tw.errors import ForwardingError, PmipError
from pmip_tw.interfaces import (
    Datagram,
    IAccessPoints,
    IAuthenticator,
    IBindingStore,
    IClock,
    IDhcpReceiver,
    IDhcpSocket,
    IForwardingPlane,
    IObserver,
    IPacketReceiver,
    ISessions,
    ISignalling,
    ISignallingReceiver,
    ITunnelDataReceiver,
    IUplink,
    IUplinkReceiver,
    Unreachable,
)
from pmip_tw.mag.effects import (
    AskActivity,
    AskPresence,
    AskTraffic,
    Authenticate,
    Conclude,
    Expel,
    Forward,
    Keepalive,
    MagEffect,
    Promise,
    Save,
    SendDhcp,
    Serve,
    SessionChanged,
    SessionOver,
    Transmit,
)
from pmip_tw.mag.engine import MagEngine
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import CloseDhcp, Install, Observe, OpenDhcp, Remove, Send, SendThrough
from pmip_tw.mobility.tunnels import AccessEntry, AccessKey, Activity, Tunnel


@implementer(ISignallingReceiver, IPacketReceiver, IDhcpReceiver, IUplinkReceiver)
class Mag:
    """A running MAG. ``tunnel_data``: who takes UDP tunnel data off port 434, usually the packet plane.
    ``dhcp``: towards DHCP servers, needed where the engine relays. ``uplink``: where the own address comes from, if it
    may change. ``access_points``: those that authenticate by themselves. ``accounts``: of what nodes move, if AAA is to
    know. ``store``: what a restart brings back.
    """

    _log = Logger(namespace="pmip.mag")

    def __init__(
        self,
        engine: MagEngine,
        *,
        clock: IClock,
        signalling: ISignalling,
        forwarding: IForwardingPlane,
        authenticator: IAuthenticator,
        store: IBindingStore,
        dhcp: IDhcpSocket | None = None,
        uplink: IUplink | None = None,
        access_points: IAccessPoints | None = None,
        accounts: Accounts[AccessKey] | None = None,
        tunnel_data: ITunnelDataReceiver | None = None,
        observers: Sequence[IObserver] = (),
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._signalling = signalling
        self._forwarding = forwarding
        self._aaa = AaaAtMag(engine, authenticator, self._happen, access_points, accounts)
        self._store = store
        self._keeping = Keeping(store, self._carry_on)
        self._turns = TakingTurns[MagEffect](self._log)
        self._dhcp = dhcp
        self._uplink = uplink
        self._tunnel_data = tunnel_data
        self._observers = Observers(observers)
        self._queue: deque[MagEffect] = deque()
        self._running = False
        self._stopping = False

    @property
    def sessions(self) -> ISessions:
        """What it serves, for AAA to act upon."""
        return self._aaa.sessions

    def start(self) -> None:
        """Open the journal and the sockets, then the access links, and serve on whom a former process has served.

        PmipError: what could not be opened; nothing is left open.
        """
        with ExitStack() as undo:
            self._store.start()
            undo.callback(self._store.stop)
            self._signalling.start(self, self._tunnel_data)
            undo.callback(self._signalling.stop)
            if self._dhcp is not None:
                self._dhcp.start(self)
                undo.callback(self._dhcp.stop)
            self._forwarding.start(self)
            undo.callback(self._forwarding.stop)
            undo.callback(self._aaa.stop)
            going_on = self._aaa.prepare()
            undo.callback(self._aaa.close, survive=True)
            now = self._clock.now()
            self._run(self._engine.restore(self._store.load(), now, going_on), now)
            self._aaa.start()
            if self._uplink is not None:
                self._uplink.start(self)
            undo.pop_all()

    def stop(self) -> "Deferred[None] | None":
        """Write down what is not yet, then close everything. Idempotent.

        Bindings stay at the LMA (P21): for the next start, to be replaced by another MAG, or to expire.
        """
        self._aaa.stop()  # it answers what is outstanding, which may ask for a wake-up
        if not self._stopping:
            self._keeping.stop(self._clock.now().monotonic)
        self._stopping = True
        self._clock.wake_at(None, self._wake)
        if self._uplink is not None:
            self._uplink.stop()
        written = self._store.stop()
        return self._close() if written is None else Deferred.fromCoroutine(self._close_after(written))

    async def _close_after(self, written: "Deferred[None]") -> None:
        try:
            await written
        finally:
            told = self._close()
        if told is not None:
            await told

    def _close(self) -> "Deferred[None] | None":
        told = self._aaa.close(survive=self._store.keeps)
        self._forwarding.stop()
        if self._dhcp is not None:
            self._dhcp.stop()
        self._signalling.stop()
        return told

    def frame_received(self, port: str, frame: bytes) -> None:
        now = self._clock.now()
        self._run(self._engine.frame_received(port, frame, now), now)

    def keepalive_answered(self, key: AccessKey) -> None:
        now = self._clock.now()
        self._run(self._engine.keepalive_answered(key, now), now)

    def uplink_changed(self, address: Ipv4 | None) -> None:
        """Everything is sent from ``address`` from now on (P82); without one nothing is, until there is another."""
        old = self._engine.care_of_address
        if address is None or address == old:
            if address is None:
                self._log.warn(
                    "the uplink has lost its address {old}: nothing can be sent", old=ipv4_text(old)
                )
            return
        try:
            self._use_address(old, address)
        except PmipError as error:
            self._log.error("the new address cannot be used: {error}", error=str(error))
            return
        now = self._clock.now()
        self._run(self._engine.address_changed(address, now), now)

    def _use_address(self, old: Ipv4, new: Ipv4) -> None:
        """``new`` everywhere, or ``old`` as far as it still can be. PmipError: the latter, and why."""
        with ExitStack() as undo:
            self._forwarding.use_address(new)
            undo.callback(_if_possible, self._forwarding.use_address, old)
            self._signalling.use_address(old, new)
            undo.callback(_if_possible, self._signalling.use_address, new, old)
            if self._dhcp is not None:
                self._dhcp.use_address(new)
            undo.pop_all()

    def dhcp_shown(self, key: AccessKey, packet: bytes) -> None:
        now = self._clock.now()
        self._run(self._engine.dhcp_shown(key, packet, now), now)

    def dhcp_tunneled(self, tunnel: Tunnel, packet: bytes) -> None:
        now = self._clock.now()
        self._run(self._engine.dhcp_tunneled(tunnel, packet, now), now)

    def breakout_refused(self, key: AccessKey, cause: str) -> None:
        self._run(self._engine.breakout_refused(key, cause), self._clock.now())

    def datagrams_received(self, batch: Sequence[Datagram]) -> None:
        authentic: list[Endpoint] = []

        def decide(one: Datagram, now: Now) -> list[MagEffect]:
            effects = self._engine.datagram_received(one.payload, one.source, one.local, now)
            if not all(map(_is_trouble, effects)):
                authentic.append(one.source)
            return effects

        self._each(batch, decide)
        self._signalling.authenticated(authentic)

    def dhcp_received(self, batch: Sequence[Datagram]) -> None:
        engine = self._engine
        self._each(batch, lambda one, now: engine.dhcp_received(one.payload, one.source, now))

    def _each(
        self, batch: Sequence[Datagram], decide: Callable[[Datagram, Now], Iterable[MagEffect]]
    ) -> None:
        now = self._clock.now()
        for datagram in batch:
            try:
                self._carry_out_all(decide(datagram, now), now)
            except Exception:
                # A defect of ours costs one datagram, not those behind it.
                self._log.failure("a datagram from {source} met a defect", source=str(datagram.source))
        self._finish(now)

    def peer_unreachable(self, report: Unreachable) -> None:
        now = self._clock.now()
        self._run(self._engine.unreachable(report.peer, report.code, now), now)

    def detach(self, nai: str) -> Row:
        """End the service of ``nai``. PmipError: it is not served here."""
        now = self._clock.now()
        visitor = self._engine.visitors.with_nai(nai)
        effects = self._engine.detach(nai, now)
        if visitor is None or not effects:
            raise PmipError(f"no visitor is {nai!r}: pmipctl show visitors lists them")
        ended = visitor_row(visitor, self._forwarding, now.monotonic)
        self._run(effects, now)
        return ended

    def _happen(self, decide: Callable[[Now], Iterable[MagEffect]]) -> None:
        now = self._clock.now()
        self._run(decide(now), now)

    def _wake(self) -> None:
        now = self._clock.now()
        self._carry_out_all(self._turns.take(self._engine.wake(now), now.monotonic), now)
        self._keeping.wake(now.monotonic)
        self._finish(now)

    def _carry_on(self, effects: Sequence[MagEffect]) -> None:
        """They have waited for the store."""
        self._run(effects, self._clock.now())

    def _run(self, effects: Iterable[MagEffect], now: Now) -> None:
        self._carry_out_all(effects, now)
        self._finish(now)

    def _finish(self, now: Now) -> None:
        """What every input ends with: what it decided is written down, and the next wake-up asked for."""
        if self._running or self._stopping:
            return
        self._keeping.append(now.monotonic)
        deadlines = (self._engine.next_deadline(), self._keeping.next_deadline())
        soonest = min((deadline for deadline in deadlines if deadline is not None), default=None)
        self._clock.wake_at(self._turns.no_sooner(soonest), self._wake)

    def _carry_out_all(self, effects: Iterable[MagEffect], now: Now) -> None:
        """Carry out ``effects`` in order. What they cause at once (a held frame that goes on, a verdict that is
        there already) queues behind them, so that no effect overtakes another.
        """
        self._queue.extend(effects)
        if self._running:
            return
        self._running = True
        while self._queue:
            effect = self._queue.popleft()
            try:
                self._carry_out(effect, now)
            except Exception:
                self._log.failure("the effect {kind} met a defect", kind=type(effect).__name__)
        self._running = False

    def _carry_out(self, effect: MagEffect, now: Now) -> None:
        match effect:
            case Send():
                self._signalling.send(effect.datagram, effect.destination, effect.source)
            case Observe():
                self._observers.observe(effect.observation, now)
            case SendDhcp():
                assert self._dhcp is not None
                self._dhcp.send(effect.payload, effect.server)
            case SendThrough():
                self._forwarding.send_dhcp(effect.tunnel, effect.packet)
            case OpenDhcp():
                self._open_dhcp(effect.tunnel)
            case CloseDhcp():
                self._forwarding.close_dhcp(effect.tunnel)
            case Keepalive():
                self._forwarding.keepalive(effect.key)
            case Transmit():
                self._forwarding.transmit(effect.port, effect.frame)
            case Forward():
                self._forwarding.forward(effect.port, effect.frame)
            case Remove():
                self._aaa.removed(effect.key, self._forwarding.remove(effect.key))
            case Authenticate() | Expel() | SessionChanged() | SessionOver() | Conclude():
                self._aaa.carry_out(effect)
            case _:
                self._queue.extendleft(reversed(self._followed(effect, now)))

    def _followed(
        self, effect: Install | Serve | Save | Promise | AskPresence | AskActivity | AskTraffic, now: Now
    ) -> Sequence[MagEffect]:
        """What goes on at once when ``effect`` is carried out: what waits in the queue may be another node's."""
        match effect:
            case Install():
                assert isinstance(effect.entry, AccessEntry)
                return self._install(effect.entry, (), now)
            case Serve():
                return self._install(effect.entry, effect.then, now)
            case Save():
                if effect.records:
                    self._keeping.save(effect)
                    return ()
                return () if self._keeping.has_to_wait(effect.then) else effect.then
            case Promise():
                return effect.then if self._engine.may_keep(effect) else ()
            case AskPresence():
                heard = self._forwarding.counters(effect.key).last_heard
                return self._engine.presence(effect.key, heard, now)
            case AskTraffic():
                return self._engine.traffic(effect.key, self._forwarding.counters(effect.key).packets, now)
            case AskActivity():
                return self._engine.activity(effect, self._activity(effect), now)

    def _install(self, entry: AccessEntry, then: Sequence[MagEffect], now: Now) -> Sequence[MagEffect]:
        """``then``, or what the failure means."""
        try:
            self._forwarding.install(entry)
        except ForwardingError as error:
            return self._engine.forwarding_failed(entry, str(error), now)
        if entry.upstream:
            self._aaa.serves(entry.key)
        return then

    def _open_dhcp(self, tunnel: Tunnel) -> None:
        """Who wanted it asks again by DHCP, and then it is tried again."""
        try:
            self._forwarding.open_dhcp(tunnel)
        except ForwardingError as error:
            self._log.error("no DHCP through {tunnel}: {error}", tunnel=str(tunnel), error=str(error))

    def _activity(self, asked: AskActivity) -> Activity:
        if asked.key is None:
            return self._forwarding.activity(asked.tunnel)
        return Activity(sent=self._forwarding.counters(asked.key).last_sent)

    def tables(self) -> dict[str, Callable[[], list[Row]]]:
        """What an operator can look at, by name."""
        return {
            "visitors": lambda: visitor_rows(
                self._engine.visitors, self._forwarding, self._clock.now().monotonic
            ),
            "tunnels": lambda: tunnel_rows(
                self._forwarding, self._clock.now().monotonic, at_mag(self._engine)
            ),
            "drops": lambda: drop_rows(self._forwarding, self._signalling),
        }


def _is_trouble(effect: MagEffect) -> bool:
    """What cannot be believed ends in nothing else."""
    return isinstance(effect, Observe) and effect.observation.reason != ""


def _if_possible(act: Callable[..., None], *arguments: Ipv4) -> None:
    """The address from before may be gone."""
    with suppress(PmipError):
        act(*arguments)
