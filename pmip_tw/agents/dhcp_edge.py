"""DHCP of an LMA's nodes where its packet plane is: tunnels that are open for it, and sockets of the relay.

With several workers this is at worker 0, which gives each what is about its nodes (``agents/dhcp_roads.py``).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4, Mac
from pmip_tw.agents.dhcp_at_lma import IDhcpHearer
from pmip_tw.dhcp.relay import ToServer
from pmip_tw.errors import ForwardingError
from pmip_tw.interfaces import Datagram, IDhcpReceiver, IDhcpSocket, IForwardingPlane, IPacketReceiver
from pmip_tw.mobility.effects import Send
from pmip_tw.mobility.tunnels import AccessKey, AnchorKey, Tunnel
from pmip_tw.wire.dhcp_octets import client_and_transaction

MOST_QUESTIONS = 65_536
"""Of which it is remembered whose they are; the oldest go first, of which a server that is there has answered most."""

_UDP_HEADER = 8


class Expected:
    """Of one tunnel: whose DHCP comes out of it, of known clients and of those that nobody knows yet."""

    def __init__(self) -> None:
        self.by_mac: dict[Mac, int] = {}
        self.unknown: list[int] = []

    def __bool__(self) -> bool:
        return bool(self.by_mac or self.unknown)

    def worker_for(self, mac: Mac) -> int | None:
        """The first unknown one is the oldest's, who says soon whose it is (N51)."""
        found = self.by_mac.get(mac)
        return found if found is not None or not self.unknown else self.unknown[0]


@implementer(IPacketReceiver)
class DhcpEdge:
    """``servers``: a socket for each address where we relay. ``homes``: by domain, the sockets that hear of its nodes
    there. ``say``: sends a datagram from port 434 of an address of ours. ``worker_of``: whose node has a home address.
    """

    _log = Logger(namespace="pmip.lma")

    def __init__(
        self,
        forwarding: IForwardingPlane,
        servers: Mapping[Ipv4, IDhcpSocket],
        homes: Mapping[str, Sequence[IDhcpSocket]],
        say: Callable[[bytes, Endpoint, Ipv4], object],
        worker_of: Callable[[AnchorKey], int] = lambda key: 0,
    ) -> None:
        self._forwarding = forwarding
        self._servers = servers
        self._homes = homes
        self._say = say
        self._worker_of = worker_of
        self._hearers: dict[int, IDhcpHearer] = {}
        self._expected: dict[Tunnel, Expected] = {}
        self._asked: OrderedDict[tuple[Mac, int], int] = OrderedDict()

    def start(self) -> None:
        """PmipError: what cannot be bound, and why; nothing is left open then."""
        with ExitStack() as opened:
            for server_side in self._servers.values():
                opened.callback(server_side.stop)
                server_side.start(_FromServers(self))
            for domain, sockets in self._homes.items():
                for home_side in sockets:
                    opened.callback(home_side.stop)
                    home_side.start(_FromHome(self, domain))
            opened.pop_all()

    def stop(self) -> None:
        """Idempotent."""
        for sockets in (self._servers.values(), *self._homes.values()):
            for one in sockets:
                one.stop()
        self._hearers.clear()

    def hear(self, worker: int, hearer: IDhcpHearer) -> None:
        """From now on ``hearer`` is who is told about its nodes; what its former life has expected nobody does."""
        self.lose(worker)
        self._hearers[worker] = hearer

    def lose(self, worker: int) -> None:
        """It is gone."""
        self._hearers.pop(worker, None)
        for tunnel, expected in list(self._expected.items()):
            expected.by_mac = {mac: owner for mac, owner in expected.by_mac.items() if owner != worker}
            expected.unknown = [owner for owner in expected.unknown if owner != worker]
            self._close_unused(tunnel)

    # What a worker wants

    def expect(self, worker: int, tunnel: Tunnel, mac: Mac | None) -> None:
        """See Expect."""
        expected = self._expected.get(tunnel)
        if expected is None:
            try:
                self._forwarding.open_dhcp(tunnel)
            except ForwardingError as error:
                self._log.error("no DHCP through {tunnel}: {error}", tunnel=str(tunnel), error=str(error))
                return
            expected = self._expected[tunnel] = Expected()
        if mac is None:
            expected.unknown.append(worker)
        else:
            expected.by_mac[mac] = worker

    def grant(self, worker: int, tunnel: Tunnel, mac: Mac | None, answer: Send) -> None:
        """See Grant. If it could not be, nothing is said: the MAG asks again."""
        expected = self._expected.get(tunnel, Expected())
        if worker in expected.unknown if mac is None else expected.by_mac.get(mac) == worker:
            self._say(answer.datagram, answer.destination, answer.source)

    def forget(self, worker: int, tunnel: Tunnel, mac: Mac | None) -> None:
        expected = self._expected.get(tunnel)
        if expected is None:
            return
        if mac is None and worker in expected.unknown:
            expected.unknown.remove(worker)
        elif mac is not None and expected.by_mac.get(mac) == worker:
            del expected.by_mac[mac]
        self._close_unused(tunnel)

    def _close_unused(self, tunnel: Tunnel) -> None:
        if not self._expected[tunnel]:
            del self._expected[tunnel]
            self._forwarding.close_dhcp(tunnel)

    def send_through(self, tunnel: Tunnel, packet: bytes) -> None:
        """Also through one that is open for nobody's DHCP: a registered node's."""
        if tunnel in self._expected:
            self._forwarding.send_dhcp(tunnel, packet)
            return
        try:
            self._forwarding.open_dhcp(tunnel)
        except ForwardingError as error:
            self._log.error("no DHCP through {tunnel}: {error}", tunnel=str(tunnel), error=str(error))
            return
        self._forwarding.send_dhcp(tunnel, packet)
        self._forwarding.close_dhcp(tunnel)

    def ask(self, worker: int, question: ToServer) -> None:
        asked = client_and_transaction(question.payload)
        self._asked.pop(asked, None)
        self._asked[asked] = worker
        if len(self._asked) > MOST_QUESTIONS:
            self._asked.popitem(last=False)
        socket = self._servers.get(question.source)
        if socket is not None:
            socket.send(question.payload, question.server)

    # What workers are told

    def dhcp_tunneled(self, tunnel: Tunnel, packet: bytes) -> None:
        expected = self._expected.get(tunnel)
        if expected is None:
            return
        at = (packet[0] & 0xF) * 4 + _UDP_HEADER
        worker = expected.worker_for(client_and_transaction(packet[at:])[0])
        # One that nobody expects is told to somebody, so that it is counted.
        first = next(iter((*expected.by_mac.values(), *expected.unknown)), 0)
        hearer = self._hearers.get(first if worker is None else worker)
        if hearer is not None:
            hearer.tunneled(tunnel, packet)

    def from_server(self, datagram: Datagram) -> None:
        worker = self._asked.get(client_and_transaction(datagram.payload), 0)
        hearer = self._hearers.get(worker)
        if hearer is not None:
            hearer.answered(datagram.payload, datagram.source)

    def from_home(self, datagram: Datagram, domain: str) -> None:
        worker = self._worker_of(AnchorKey(datagram.source.address, domain))
        hearer = self._hearers.get(worker)
        if hearer is not None:
            hearer.from_home_address(datagram.payload, datagram.source, domain)

    # The rest of IPacketReceiver is what MAGs are told

    def frame_received(self, port: str, frame: bytes) -> None:
        """There are no access ports."""

    def keepalive_answered(self, key: AccessKey) -> None:
        """MAGs ask."""

    def dhcp_shown(self, key: AccessKey, packet: bytes) -> None:
        """No entry here shows any."""

    def breakout_refused(self, key: AccessKey, cause: str) -> None:
        """An anchor has no local breakout."""


@implementer(IDhcpReceiver)
class _FromServers:
    """What arrives at an address where we relay."""

    def __init__(self, edge: DhcpEdge) -> None:
        self._edge = edge

    def dhcp_received(self, batch: Sequence[Datagram]) -> None:
        for datagram in batch:
            self._edge.from_server(datagram)


@implementer(IDhcpReceiver)
class _FromHome:
    """What arrives there out of the device of a domain."""

    def __init__(self, edge: DhcpEdge, domain: str) -> None:
        self._edge = edge
        self._domain = domain

    def dhcp_received(self, batch: Sequence[Datagram]) -> None:
        for datagram in batch:
            self._edge.from_home(datagram, self._domain)
