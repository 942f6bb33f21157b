"""A small operator: MAGs and one LMA on one fake clock and one network in memory, with hosts that speak Ethernet."""

from pmip_tw.aaa.accounting.sessions import Sessions
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept
from pmip_tw.addresses import ALL_ONES, BROADCAST_MAC, UNSPECIFIED, Endpoint, Ipv4, Mac, ipv4, mac, prefix
from pmip_tw.agents.accounting_at_lma import AccountingAtLma
from pmip_tw.agents.accounts import Accounts
from pmip_tw.agents.dhcp_edge import DhcpEdge
from pmip_tw.agents.dhcp_roads import AtTheEdge
from pmip_tw.agents.lma import Lma
from pmip_tw.agents.mag import Mag
from pmip_tw.agents.session_book import SessionBook
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.forwarding.breakout import BreakoutRules
from pmip_tw.forwarding.memory import MemoryPlane, wrapped
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.journal.records import LMA_JOURNAL
from pmip_tw.lma.mags import KnownMags
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.mag.engine import MagEngine
from pmip_tw.mag.journal.records import MAG_JOURNAL
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mobility.associations import AssociationTable, SecurityAssociation
from pmip_tw.mobility.tunnels import AccessKey, AnchorKey
from pmip_tw.secret import Secret
from pmip_tw.testing.access_points import FakeAccessPoints
from pmip_tw.testing.accounting import FakeAccounting, FakeLedger
from pmip_tw.testing.authenticator import FakeAuthenticator
from pmip_tw.testing.clock import FakeClock, NodeClock
from pmip_tw.testing.dhcp_socket import FakeDhcpSocket
from pmip_tw.testing.nat import Site
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.testing.store import FakeDisk, FakeStore
from pmip_tw.testing.uplink import FakeUplink
from pmip_tw.wire.arp import REQUEST, Arp
from pmip_tw.wire.dhcp import BOOTREQUEST, DhcpMessage, MessageType, OptionCode
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame, ethernet_frame
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import UdpDatagram, udp_packet
from tests.observers import Notes

LMA = ipv4("192.0.2.1")
HOME = prefix("10.1.0.0/24")
GATEWAY = ipv4("10.1.0.1")
GATEWAY_MAC = mac("02:00:5e:50:4d:49")
PORT = "acc0"
HOME_SIDE = ipv4("192.0.2.254")
"""For the socket that hears what comes out of the LMA's device: nobody reaches it from the core."""
CORRESPONDENT = ipv4("203.0.113.9")


def association(number: int, key: bytes | None = None) -> SecurityAssociation:
    return SecurityAssociation(4096 + number, Secret(key or b"key of mobile node %02d" % number))


class Station:
    """An unmodified host, by what it sends and hears."""

    def __init__(self, number: int, realm: str = "example.net") -> None:
        self.mac = Mac(b"\2\0\0\0" + number.to_bytes(2, "big"))
        self.nai = f"mn{number}@{realm}"
        self.number = number

    def dhcp(
        self,
        kind: MessageType,
        *,
        requested: Ipv4 = UNSPECIFIED,
        ciaddr: Ipv4 = UNSPECIFIED,
        server: Ipv4 = UNSPECIFIED,
        xid: int | None = None,
        destination: Ipv4 | None = None,
    ) -> bytes:
        options = [(OptionCode.MESSAGE_TYPE, bytes((kind,)))]
        if requested:
            options.append((OptionCode.REQUESTED_ADDRESS, requested.to_bytes(4, "big")))
        if server:
            options.append((OptionCode.SERVER_IDENTIFIER, server.to_bytes(4, "big")))
        message = DhcpMessage(
            op=BOOTREQUEST,
            xid=self.number if xid is None else xid,
            ciaddr=ciaddr,
            chaddr=self.mac,
            options=tuple(options),
        )
        if destination is None:
            destination = server if ciaddr and server else ALL_ONES
        packet = udp_packet(Endpoint(ciaddr, 68), Endpoint(destination, 67), message.encode())
        to = GATEWAY_MAC if destination != ALL_ONES else BROADCAST_MAC
        return ethernet_frame(to, self.mac, ETHERTYPE_IPV4, packet)

    def data(self, source: Ipv4, payload: bytes = b"hello", *, ttl: int = 64, port: int = 7) -> bytes:
        packet = udp_packet(Endpoint(source, 5000), Endpoint(CORRESPONDENT, port), payload, ttl)
        return ethernet_frame(GATEWAY_MAC, self.mac, ETHERTYPE_IPV4, packet)

    def arp(self, sender: Ipv4, target: Ipv4) -> bytes:
        request = Arp(
            operation=REQUEST,
            sender_mac=self.mac,
            sender_address=sender,
            target_mac=Mac(bytes(6)),
            target_address=target,
        )
        return ethernet_frame(BROADCAST_MAC, self.mac, ETHERTYPE_ARP, request.encode())


class MagNode:
    """A MAG with what it heard and said. ``disk`` outlives its processes."""

    def __init__(self, world: "World", number: int, site: Site | None = None) -> None:
        self.address = ipv4(f"198.51.100.{number}") if site is None else site.nat.inside
        self.site = site
        self.notes = Notes()
        self.disk = FakeDisk("mag.journal")
        self.ledger = FakeLedger()
        self._world = world
        self.start()

    def start(self, *, at_once: bool = True) -> None:
        """A process with nothing but what is on the disk; ``at_once``: see FakeStore."""
        world = self._world
        self.clock = NodeClock(world.clock)
        network = self.site or world.network
        self.signalling = FakeSignalling(network, (self.address,))
        self.dhcp = FakeDhcpSocket(network, self.address)
        self.uplink = FakeUplink(self.address)
        self.aaa = FakeAuthenticator(world.verdicts)
        self.access_points = FakeAccessPoints()
        self.store = FakeStore(self.disk, MAG_JOURNAL, at_once=at_once)
        self.plane = MemoryPlane(
            monotonic=lambda: world.clock.monotonic,
            local=self.address,
            ports=(PORT, "acc1"),
            gateway_mac=GATEWAY_MAC,
            breakout=world.breakout,
        )
        self.plane.carrier = self._carry
        self.engine = MagEngine(
            MagPolicy(
                address=self.address,
                gateway_mac=GATEWAY_MAC,
                home_links=(HomeConfiguration(prefix=HOME, gateway=GATEWAY),),
                **world.mag_settings,
            )
        )
        self.accounts_clock = NodeClock(world.clock)
        self.accounts = None
        if world.accounting:
            self.accounts = Accounts(
                Sessions[AccessKey](interim_interval=600, keep_interval=60),
                FakeAccounting(self.ledger),
                self.plane,
                self.accounts_clock,
            )
        self.agent = Mag(
            self.engine,
            clock=self.clock,
            signalling=self.signalling,
            forwarding=self.plane,
            authenticator=self.aaa,
            store=self.store,
            uplink=self.uplink,
            access_points=self.access_points,
            accounts=self.accounts,
            dhcp=self.dhcp,
            tunnel_data=self.plane,
            observers=[self.notes],
        )
        self.agent.start()

    def _carry(self, tunnel, inner) -> None:
        """No NAT lets anything but UDP pass."""
        if self.site is None or tunnel.over_udp:
            self._world.carry(tunnel, inner, self.signalling)

    def kill(self) -> None:
        """The process is gone where it stands."""
        self.clock.stop()
        self.accounts_clock.stop()
        self.store.crash()
        self.signalling.stop()
        self.dhcp.stop()

    @property
    def states(self) -> dict[str, str]:
        return {visitor.nai: visitor.state.value for visitor in self.engine.visitors}

    def told(self) -> list[DhcpMessage]:
        """The DHCP messages that were sent to mobile nodes since last asked."""
        messages = []
        for _, octets in self.plane.transmitted:
            frame = EthernetFrame.decode(octets)
            if frame.ethertype == ETHERTYPE_IPV4:
                packet = Ipv4Packet.decode(frame.payload)
                if packet.protocol == 17:
                    messages.append(DhcpMessage.decode(UdpDatagram.decode(packet).payload))
        self.plane.transmitted.clear()
        return messages


class World:
    """``mags[0]`` and ``mags[1]`` serve the mobile nodes of ``lma``; ``settle`` lets messages flow.

    ``blue``: numbers of nodes of another realm, whose address space has the same prefix (P85). ``breakout``: what the
    MAGs reach past the tunnels (N58). ``nats``: for each MAG behind one its NAT, whose ``inside`` is its address; None
    for one that is not. ``lma_relay``: DHCP servers assign the addresses, to which the LMA relays; what nodes say to it
    as their server is given to ``from_homes``. ``accounting``: what nodes move is told to AAA, which is a ledger here.
    """

    def __init__(
        self,
        *,
        mags: int = 2,
        nodes: int = 2,
        mag_settings=None,
        lma_settings=None,
        lma_mags=(),
        profile=None,
        seed: int = 0,
        blue=(),
        breakout: BreakoutRules | None = None,
        nats=(),
        lma_relay: RelayPolicy | None = None,
        accounting: bool = False,
    ) -> None:
        self._blue = bool(blue)
        self.accounting = accounting
        self._lma_relay = lma_relay
        self.breakout = breakout
        self.clock = FakeClock()
        self.network = FakeNetwork(seed)
        self.mag_settings = mag_settings or {}
        self.stations = [
            Station(number, "blue.example" if number in blue else "example.net")
            for number in range(1, nodes + 1)
        ]
        self.verdicts = {
            station.mac: Accept(
                Profile(
                    **(
                        {"nai": station.nai, "lmas": (LMA,), "mn_ha": association(station.number)}
                        | (profile or {})
                    )
                )
            )
            for station in self.stations
        }
        self.notes = Notes()
        self.plane = MemoryPlane(
            monotonic=lambda: self.clock.monotonic, local=LMA, domains=("", "blue") if blue else ("",)
        )
        self.plane.carrier = lambda tunnel, inner: self.carry(tunnel, inner, self.lma_signalling)
        self.lma_policy = LmaPolicy(address=LMA, **(lma_settings or {}))
        self.lma_mags = tuple(lma_mags)
        self.disk = FakeDisk()
        self.ledger = FakeLedger()
        self.lma = self.start_lma()
        for nat in filter(None, nats):
            nat.monotonic = lambda: self.clock.monotonic
        sites = {nat: Site(self.network, nat) for nat in nats if nat is not None}
        behind = [sites.get(nat) for nat in nats] or [None] * mags
        self.mags = [MagNode(self, number, site) for number, site in enumerate(behind, 10)]

    def start_lma(self) -> Lma:
        """A process with nothing but what is on the disk."""
        self.lma_engine = LmaEngine(
            self.lma_policy,
            AssociationTable((station.nai, association(station.number)) for station in self.stations),
            Pools(
                [
                    (AddressPool(HOME), ["example.net"]),
                    (AddressPool(HOME, domain="blue"), ["blue.example"]),
                ]
                if self._blue
                else [(AddressPool(HOME, by_dhcp=self._lma_relay is not None), ["example.net"])]
            ),
            mags=KnownMags(self.lma_mags),
            dhcp_relay=self._lma_relay,
        )
        self.lma_signalling = FakeSignalling(self.network, (LMA,))
        self.lma_dhcp = FakeDhcpSocket(self.network, LMA)
        self.from_homes = FakeDhcpSocket(self.network, HOME_SIDE)
        edge = DhcpEdge(self.plane, {LMA: self.lma_dhcp}, {"": [self.from_homes]}, self.lma_signalling.send)
        accounting = None
        if self.accounting:
            self.lma_accounts = Accounts(
                Sessions[AnchorKey](interim_interval=600), FakeAccounting(self.ledger), self.plane, self.clock
            )
            self.lma_book = SessionBook(self.lma_accounts, LMA, self.clock)
            accounting = AccountingAtLma(self.lma_engine, self.lma_book.pages())
        self.lma = Lma(
            self.lma_engine,
            clock=self.clock,
            signalling=self.lma_signalling,
            forwarding=self.plane,
            store=FakeStore(self.disk, LMA_JOURNAL),
            tunnel_data=self.plane,
            observers=[self.notes],
            dhcp=None if self._lma_relay is None else AtTheEdge(edge),
            accounting=accounting,
        )
        self.lma.start()
        return self.lma

    def carry(self, tunnel, inner, signalling) -> None:
        """Packets in tunnels arrive at the other end, those in UDP with the datagrams of ``signalling``."""
        if tunnel.over_udp:
            signalling.send(wrapped(tunnel, inner), Endpoint(tunnel.remote, tunnel.remote_port), tunnel.local)
            return
        planes = {LMA: self.plane} | {node.plane.local: node.plane for node in self.mags}
        if tunnel.remote in planes:
            planes[tunnel.remote].carried(tunnel, inner)

    def hear(self, node: MagNode, frame: bytes, port: str = PORT) -> None:
        """A frame arrives at a MAG, and everything that follows at once happens."""
        node.plane.forward(port, frame)
        self.network.deliver()

    def advance(self, seconds: float, step: float = 0.25) -> None:
        """Let time pass in small steps, with messages in between."""
        passed = 0.0
        while passed < seconds:
            self.clock.advance(min(step, seconds - passed))
            self.network.deliver()
            passed += step

    def attach(self, station: Station, node: MagNode) -> Ipv4:
        """By DHCP, as a host does it; the home address."""
        node.told()
        self.hear(node, station.dhcp(MessageType.DISCOVER))
        [offer] = node.told()
        assert offer.message_type is MessageType.OFFER
        self.hear(
            node,
            station.dhcp(MessageType.REQUEST, requested=offer.yiaddr, server=offer.server_identifier),
        )
        [ack] = node.told()
        assert ack.message_type is MessageType.ACK
        return ack.yiaddr
