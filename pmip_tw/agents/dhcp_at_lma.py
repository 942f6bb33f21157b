"""Between an LMA's engine and what it needs of DHCP: tunnels that bring it, servers, the homes of its nodes."""

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from twisted.logger import Logger

from pmip_tw.addresses import Endpoint, Mac
from pmip_tw.dhcp.relay import ToServer
from pmip_tw.interfaces import IClock, IPacketReceiver
from pmip_tw.lma.dhcp.side import DhcpSide
from pmip_tw.lma.registration.commitment import DhcpEffect, Effect, Expect, Forget, Grant
from pmip_tw.lma.workers.leases import Ask
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Send, SendThrough
from pmip_tw.mobility.tunnels import AnchorKey, Tunnel


class IDhcpHearer(Protocol):
    """Who hears of the DHCP of his nodes."""

    def tunneled(self, tunnel: Tunnel, packet: bytes) -> None:
        """A whole IPv4 packet that came out of ``tunnel``, where he expects some."""

    def answered(self, payload: bytes, source: Endpoint) -> None:
        """It came from the core to an address where we relay."""

    def from_home_address(self, payload: bytes, source: Endpoint, domain: str) -> None:
        """It came from a home address, out of that node's own tunnel, to an address where we relay."""


class IDhcpRoads(Protocol):
    """The ways that an LMA's DHCP takes: here, or at worker 0."""

    @property
    def receiver(self) -> IPacketReceiver | None:
        """What the packet plane tells, if it is in this process."""

    def start(self, hearer: IDhcpHearer) -> None:
        """PmipError: what cannot be opened, and why; nothing is left open then."""

    def stop(self) -> None: ...
    def expect(self, tunnel: Tunnel, mac: Mac | None) -> None: ...
    def grant(self, tunnel: Tunnel, mac: Mac | None, answer: Send) -> None: ...
    def forget(self, tunnel: Tunnel, mac: Mac | None) -> None: ...
    def send_through(self, tunnel: Tunnel, packet: bytes) -> None: ...
    def ask(self, question: ToServer) -> None: ...


class DhcpAtLma:
    """``side`` decides, what follows goes to ``run``, and by ``roads``; both are None where nothing is relayed."""

    _log = Logger(namespace="pmip.lma")

    def __init__(
        self,
        side: DhcpSide | None,
        roads: IDhcpRoads | None,
        clock: IClock,
        *,
        run: Callable[[Iterable[Effect], Now], None],
        finish: Callable[[Now], None],
    ) -> None:
        self._side = side
        self._roads = roads
        self._clock = clock
        self._run = run
        self._finish = finish
        self._deaf = False

    @property
    def receiver(self) -> IPacketReceiver | None:
        return None if self._roads is None else self._roads.receiver

    def start(self) -> None:
        """As IDhcpRoads."""
        if self._roads is not None:
            self._roads.start(self)

    def hear_no_more(self) -> None:
        """What would follow is not saved any more; what is under way still goes out."""
        self._deaf = True

    def stop(self) -> None:
        if self._roads is not None:
            self._roads.stop()

    def carry_out(self, effect: DhcpEffect) -> None:
        """What the engine wants."""
        assert self._roads is not None
        if isinstance(effect, SendThrough):
            self._roads.send_through(effect.tunnel, effect.packet)
        elif isinstance(effect, ToServer):
            self._roads.ask(effect)
        elif isinstance(effect, Expect):
            self._roads.expect(effect.tunnel, effect.mac)
        elif isinstance(effect, Grant):
            self._roads.grant(effect.tunnel, effect.mac, effect.answer)
        elif isinstance(effect, Forget):
            self._roads.forget(effect.tunnel, effect.mac)

    # What comes of home addresses that are lent

    def lent(self, ask: Ask) -> None:
        self._hear(lambda side, now: side.lent(ask, now))

    def given_up(self, keys: Collection[AnchorKey]) -> None:
        self._hear(lambda side, now: side.given_up(keys, now))

    # IDhcpHearer

    def tunneled(self, tunnel: Tunnel, packet: bytes) -> None:
        self._hear(lambda side, now: side.tunneled(tunnel, packet, now))

    def answered(self, payload: bytes, source: Endpoint) -> None:
        self._hear(lambda side, now: side.answered(payload, source, now))

    def from_home_address(self, payload: bytes, source: Endpoint, domain: str) -> None:
        self._hear(lambda side, now: side.from_home_address(payload, source, domain, now))

    def _hear(self, decide: Callable[[DhcpSide, Now], Iterable[Effect]]) -> None:
        if self._deaf or self._side is None:
            return
        now = self._clock.now()
        try:
            self._run(decide(self._side, now), now)
        except Exception:
            # A defect of ours costs one message, not who hands it up, nor those behind it.
            self._log.failure("DHCP met a defect")
        self._finish(now)
