"""What the edges of one process use: UDP sockets in the simulated network, and calls later on its clock."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pmip_tw.aaa.radius.received import Received
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4
from pmip_tw.interfaces import Datagram, Unreachable
from pmip_tw.mobility.clock import Now
from pmip_tw.net.overload import Proven
from pmip_tw.net.radius_port import EffectT, RadiusPort

if TYPE_CHECKING:
    from tests.simulation.machines import Machine


class SimulatedSocket:
    """As net.udp.UdpSocket, of a process of ``machine``. ``heard``: what came last, oldest first. ``leaves`` is told of
    what is sent.
    """

    def __init__(
        self,
        machine: "Machine",
        port: int,
        deliver: Callable[[list[Datagram]], None],
        report: Callable[[Unreachable], None],
    ) -> None:
        self.endpoint = Endpoint(machine.address, port)
        self.heard: list[Datagram] = []
        self.leaves: Callable[[bytes, Endpoint], None] = lambda payload, to: None
        self._network = machine.world.network
        self._fuse = machine.fuse
        self._deliver = deliver
        self._report = report
        self._network.attach(self.endpoint, self)

    def send(self, payload: bytes, destination: Endpoint, tos: int = 0, source: Ipv4 = UNSPECIFIED) -> int:
        self._fuse.burn()
        self.leaves(payload, destination)
        self._network.send(self.endpoint, destination, payload)
        return 0

    def arrive(self, datagram: Datagram) -> None:
        self.heard[:-20] = []
        self.heard.append(datagram)
        self._deliver([datagram])

    def report(self, unreachable: Unreachable) -> None:
        self._report(unreachable)

    def start_reading(self) -> None:
        """It does."""

    def close(self) -> None:
        self._network.detach(self.endpoint)


class SimulatedPort(RadiusPort[EffectT]):
    """As net.radius_port.RadiusPort, of a process of ``machine``."""

    def __init__(
        self,
        machine: "Machine",
        port: int,
        *,
        hear: Callable[[Datagram, Now], Received[EffectT]],
        run: Callable[[Iterable[EffectT]], None],
    ) -> None:
        self._clock = machine.clock
        self._hear = hear
        self._run = run
        self._proven = Proven()
        self.socket = SimulatedSocket(machine, port, self._datagrams_received, self._peer_unreachable)
        self._socket = self.socket  # type: ignore[assignment]


class _Later:
    """A call of the future, that can be taken back."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call: Callable[[], object] | None = call

    def cancel(self) -> None:
        self._call = None

    def happen(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


class Timers:
    """The reactor of the edges of one process; it dies with that."""

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine

    def callLater(self, delay: float, call: Callable[[], object]) -> _Later:
        later = _Later(call)
        self._machine.in_this_life(delay, later.happen)
        return later
