"""The LMA's loop: datagrams and time into the engine, its effects out through the interfaces."""

from collections.abc import Callable, Iterable, Sequence

from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.addresses import Endpoint, ipv4_text
from pmip_tw.agents.observers import Observers
from pmip_tw.agents.particulars import particulars
from pmip_tw.agents.tables import Row, drop_rows, encapsulation_text, traffic, tunnel_rows
from pmip_tw.errors import ForwardingError, PmipError
from pmip_tw.interfaces import (
    Datagram,
    IClock,
    IForwardingPlane,
    IIpsecPolicies,
    IObserver,
    ISignalling,
    ISignallingReceiver,
    ITunnelDataReceiver,
    Unreachable,
)
from pmip_tw.lma.commitment import Commit, Effect
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.observed import ipsec_policy_missing
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Install, Observe, Remove, Send
from pmip_tw.mobility.tunnels import AnchorKey


@implementer(ISignallingReceiver)
class Lma:
    """A running LMA. ``tunnel_data``: who takes UDP tunnel data off port 434, usually the packet plane.

    ``ipsec``: where it looks whether MAGs that are proven by IPsec really are.
    """

    _log = Logger(namespace="pmip.lma")

    def __init__(
        self,
        engine: LmaEngine,
        *,
        clock: IClock,
        signalling: ISignalling,
        forwarding: IForwardingPlane,
        tunnel_data: ITunnelDataReceiver | None = None,
        ipsec: IIpsecPolicies | None = None,
        observers: Sequence[IObserver] = (),
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._signalling = signalling
        self._forwarding = forwarding
        self._tunnel_data = tunnel_data
        self._ipsec = ipsec
        self._observers = Observers(observers)
        # Of this wake-up's datagrams.
        self._authentic: list[Endpoint] = []

    def start(self) -> None:
        """Open the packet plane, then the signalling. PmipError: what could not be opened; nothing is left open."""
        self._look_for_ipsec()
        self._forwarding.start(None)
        try:
            self._signalling.start(self, self._tunnel_data)
        except BaseException:
            self._forwarding.stop()
            raise

    def _look_for_ipsec(self) -> None:
        """P74: IPsec is believed only of MAGs whose unprotected signalling the kernel drops."""
        for mag in self._engine.ipsec_mags():
            cause = "this LMA does not look at the kernel's policies"
            try:
                if self._ipsec is not None:
                    if self._ipsec.requires_esp(mag, self._engine.address):
                        self._engine.protect(mag)
                        continue
                    cause = f"the kernel would take UDP 434 from {ipv4_text(mag)} without ESP"
            except PmipError as error:
                cause = str(error)
            note = ipsec_policy_missing(mag, self._engine.address, cause)
            self._observers.observe(note, self._clock.now())

    def stop(self) -> None:
        """Close everything; bindings end with the process."""
        self._clock.wake_at(None, self._wake)
        self._signalling.stop()
        self._forwarding.stop()

    def datagrams_received(self, batch: Sequence[Datagram]) -> None:
        now = self._clock.now()
        receive = self._engine.receive
        for datagram in batch:
            try:
                self._run(receive(datagram.payload, datagram.source, datagram.local, now), now)
            except Exception:
                # A defect of ours costs one datagram, not those behind it.
                self._log.failure("a datagram from {source} met a defect", source=str(datagram.source))
        if self._authentic:
            self._signalling.authenticated(self._authentic)
            self._authentic = []
        self._arm()

    def peer_unreachable(self, report: Unreachable) -> None:
        """A MAG that cannot be reached keeps its bindings: they end by lifetime, never by ICMP."""

    def _wake(self) -> None:
        now = self._clock.now()
        try:
            self._run(self._engine.wake(now), now)
        except Exception:
            self._log.failure("a wake-up met a defect")
        self._arm()

    def _arm(self) -> None:
        self._clock.wake_at(self._engine.next_deadline(), self._wake)

    def _run(self, effects: Iterable[Effect], now: Now) -> None:
        for effect in effects:
            try:
                if isinstance(effect, Send):
                    self._signalling.send(effect.datagram, effect.destination, effect.source)
                elif isinstance(effect, Commit):
                    self._authentic.append(effect.asked.source)
                    self._run(self._carry_out(effect, now), now)
                elif isinstance(effect, Observe):
                    self._observers.observe(effect.observation, now)
                elif isinstance(effect, Install):
                    self._reduce(effect)
                else:
                    self._forwarding.remove(effect.key)
            except Exception:
                # What the table has done already is carried out as far as possible: bindings end many at a time.
                self._log.failure("the effect {kind} met a defect", kind=type(effect).__name__)

    def _carry_out(self, commit: Commit, now: Now) -> Iterable[Effect]:
        """Reply last: the engine answers when the packet plane holds what the answer promises."""
        if isinstance(commit.change, Install):
            try:
                self._forwarding.install(commit.change.entry)
            except ForwardingError as error:
                return self._engine.failed(commit, str(error), now)
            except Exception:
                self._log.failure("{entry} met a defect", entry=commit.change.entry.key)
                return self._engine.failed(commit, "the packet plane met a defect: the log has it", now)
        elif isinstance(commit.change, Remove):
            self._forwarding.remove(commit.change.key)
        return self._engine.committed(commit, now)

    def _reduce(self, effect: Install) -> None:
        """One of several bindings ended: what stays is a part of what the packet plane has, which it can hold."""
        try:
            self._forwarding.install(effect.entry)
        except ForwardingError as error:
            self._log.error(
                "{entry} still has a tunnel too many: {error}", entry=effect.entry.key, error=error
            )

    def revoke(self, whom: str) -> Row:
        """End the bindings of ``whom``, a NAI or a home address, and tell its MAGs. PmipError: there is none.

        A home address is one whose lease has ended: it is not held for its node (P38).
        """
        now = self._clock.now()
        bound = self._engine.bindings.of_nai(whom.encode())
        if bound:
            effects = self._engine.revoke(whom.encode(), now)
        else:
            home_address = AnchorKey.read(whom)
            if home_address is None:
                raise PmipError(f"no binding is of {whom!r}: pmipctl show bindings lists them")
            held = self._engine.bound_to(home_address)
            bound = [] if held is None else [held]
            effects = self._engine.lease_ended(home_address, now)
        self._run(effects, now)
        self._arm()
        if not bound:
            raise PmipError(f"nobody is registered with {whom}, and it is held for nobody now")
        ended = [one for newest in bound for one in newest.all]
        return {
            "nai": ended[0].nai.decode(errors="replace"),
            "home_address": ", ".join(str(newest.key) for newest in bound),
            "mag": ", ".join(ipv4_text(one.care_of_address) for one in ended),
            "revocation": any(one.revocation is not None for one in ended),
        }

    def tables(self) -> dict[str, Callable[[], list[Row]]]:
        """What an operator can look at, by name."""
        return {
            "bindings": self._binding_rows,
            "tunnels": lambda: tunnel_rows(self._forwarding),
            "drops": lambda: drop_rows(self._forwarding, self._signalling),
        }

    def _binding_rows(self) -> list[Row]:
        monotonic = self._clock.now().monotonic
        return [
            {
                "nai": binding.nai.decode(errors="replace"),
                "home_address": ipv4_text(binding.home_address),
                "mag": ipv4_text(binding.care_of_address),
                "tunnel": encapsulation_text(binding.tunnel),
                "lifetime": binding.lifetime,
                "remaining": max(0, round(binding.deadline - monotonic)),
                "revocation": binding.revocation is not None,
                **particulars(binding),
                **traffic(self._forwarding.counters(newest.key)),
            }
            for newest in self._engine.bindings
            for binding in newest.all
        ]
