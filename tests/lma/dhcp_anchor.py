"""An LMA's engine with pre-tunnels, and the DHCP of nodes and servers around it."""

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Endpoint, Ipv4, Mac, ipv4, prefix
from pmip_tw.dhcp.relay import ToServer
from pmip_tw.dhcp.relaying import Fact, RelayPolicy
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.registration.commitment import Expect, Forget
from pmip_tw.mobility.effects import Send, SendThrough
from pmip_tw.mobility.observations import Observation
from pmip_tw.mobility.replay import ntp_timestamp
from pmip_tw.mobility.tunnels import AnchorKey, Tunnel
from pmip_tw.wire.dhcp import BOOTREPLY, BOOTREQUEST, DhcpMessage, MessageType, OptionCode
from pmip_tw.wire.extension_values import UdpTunnelRequest
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.pretunnel import PreTunnelReply, PreTunnelRequest, ethernet_device
from pmip_tw.wire.udp import UdpDatagram, udp_packet
from tests.lma.anchor import LMA, MAG1, Anchor, association, nai

SERVER, SECOND_SERVER = ipv4("203.0.113.67"), ipv4("203.0.113.68")
HOME = ipv4("10.1.0.101")
LEASE = 600
DIRECT = Tunnel(local=LMA, remote=MAG1)
PUBLIC, PORT = ipv4("203.0.113.77"), 20434
THROUGH_NAT = Tunnel(local=LMA, remote=PUBLIC, remote_port=PORT)
EVERYTHING = frozenset(Fact) - {Fact.RADIUS}


def station(node: int) -> Mac:
    return Mac(b"\2\0\0\0" + node.to_bytes(2, "big"))


def message(
    kind: MessageType,
    node: int = 1,
    *,
    requested: Ipv4 = UNSPECIFIED,
    ciaddr: Ipv4 = UNSPECIFIED,
    server: Ipv4 = UNSPECIFIED,
    options: tuple[tuple[int, bytes], ...] = (),
    **fields: object,
) -> DhcpMessage:
    """What the client of ``node`` says."""
    told = [(OptionCode.MESSAGE_TYPE, bytes((kind,)))]
    if requested:
        told.append((OptionCode.REQUESTED_ADDRESS, requested.to_bytes(4, "big")))
    if server:
        told.append((OptionCode.SERVER_IDENTIFIER, server.to_bytes(4, "big")))
    values = {"op": BOOTREQUEST, "xid": node, "chaddr": station(node), "ciaddr": ciaddr}
    return DhcpMessage(**(values | fields), options=(*told, *options))


def answer(
    kind: MessageType, asked: DhcpMessage, address: Ipv4 = HOME, *, lease: int = LEASE, server: Ipv4 = SERVER
) -> DhcpMessage:
    """What a server says to ``asked`` as it got it."""
    given = UNSPECIFIED if kind is MessageType.NAK else address
    options = [
        (OptionCode.MESSAGE_TYPE, bytes((kind,))),
        (OptionCode.SERVER_IDENTIFIER, server.to_bytes(4, "big")),
    ]
    if given:
        options.append((OptionCode.LEASE_TIME, lease.to_bytes(4, "big")))
    echoed = asked.option(OptionCode.RELAY_AGENT_INFORMATION)
    if echoed is not None:
        options.append((OptionCode.RELAY_AGENT_INFORMATION, echoed))
    return DhcpMessage(
        op=BOOTREPLY,
        xid=asked.xid,
        flags=asked.flags,
        ciaddr=asked.ciaddr,
        chaddr=asked.chaddr,
        giaddr=asked.giaddr,
        yiaddr=given,
        options=tuple(options),
    )


class DhcpAnchor(Anchor):
    """Its pool 10.1.0.0/24 is assigned by DHCP. ``option_82``: what servers are told."""

    def __init__(
        self, *, option_82: frozenset[Fact] = frozenset(), giaddr: Ipv4 = UNSPECIFIED, **settings: object
    ):
        def pools() -> Pools:
            pool = AddressPool(prefix("10.1.0.0/24"), by_dhcp=True, giaddr=giaddr)
            return Pools([(pool, ["example.net"]), (AddressPool(prefix("10.2.0.0/24")), ["blue.example"])])

        relay = RelayPolicy(servers=(SERVER, SECOND_SERVER), giaddr=LMA, option_82=option_82)
        super().__init__(**({"pools": pools, "dhcp_relay": relay, "pre_tunnel": True} | settings))

    # Pre-tunnels

    def pre_tunnel_request(self, node: int = 1, mag: Ipv4 = MAG1, **fields: object) -> PreTunnelRequest:
        self._asked += 1
        values: dict[str, object] = {
            "nai": nai(node),
            "home_agent": LMA,
            "care_of_address": mag,
            "identification": ntp_timestamp(self.clock.wall) + self._asked,
            "identifiers": (ethernet_device(station(node)),),
            "udp_tunnel": UdpTunnelRequest(dhcp_only=True),
        }
        return PreTunnelRequest(**(values | fields))

    def ask_for_tunnel(
        self,
        node: int = 1,
        mag: Ipv4 = MAG1,
        *,
        source: Ipv4 | None = None,
        port: int = 434,
        **fields: object,
    ) -> PreTunnelReply:
        request = self.pre_tunnel_request(node, mag, **fields)
        sender = mag if source is None else source
        [sent] = self.hear(request.encode(mn_ha=association(node)), sender, port)
        assert (sent.source, sent.destination) == (LMA, Endpoint(sender, port))
        return self.pre_tunnel_reply(sent, node)

    def pre_tunnel_reply(self, sent: Send, node: int = 1) -> PreTunnelReply:
        """Authentic, and for that node."""
        reply = PreTunnelReply.decode(sent.datagram)
        assert reply.mn_ha is not None
        assert association(node).verify(sent.datagram[: reply.mn_ha.covered], reply.mn_ha.value)
        assert reply.nai == nai(node)
        return reply

    def open(self, node: int = 1, mag: Ipv4 = MAG1, **fields: object) -> None:
        reply = self.ask_for_tunnel(node, mag, **fields)
        assert reply.status == 0, self.notes[-1]

    # DHCP

    def wanted(self) -> list[Expect | Forget]:
        """What it has wanted to hear, and not any more, since last asked."""
        found = [one for one in self.dhcp if isinstance(one, Expect | Forget)]
        self.dhcp = [one for one in self.dhcp if one not in found]
        return found

    def relayed(self) -> list[DhcpMessage]:
        """What the first server has got since last asked; the second the same."""
        found = [one for one in self.dhcp if isinstance(one, ToServer)]
        self.dhcp = [one for one in self.dhcp if not isinstance(one, ToServer)]
        first = [one.payload for one in found if one.server == SERVER]
        assert first == [one.payload for one in found if one.server == SECOND_SERVER]
        return [DhcpMessage.decode(payload) for payload in first]

    def told(self) -> list[tuple[Tunnel, Ipv4Packet, DhcpMessage]]:
        """What went down into tunnels since last asked: the tunnel, the packet, the message in it."""
        found = [one for one in self.dhcp if isinstance(one, SendThrough)]
        self.dhcp = [one for one in self.dhcp if not isinstance(one, SendThrough)]
        packets = [(one.tunnel, Ipv4Packet.decode(one.packet)) for one in found]
        return [(tunnel, one, DhcpMessage.decode(UdpDatagram.decode(one).payload)) for tunnel, one in packets]

    def up(
        self,
        said: DhcpMessage,
        tunnel: Tunnel = DIRECT,
        *,
        source: Ipv4 | None = None,
        destination: Ipv4 = ALL_ONES,
    ) -> None:
        """A client's message comes out of ``tunnel``."""
        packet = udp_packet(
            Endpoint(said.ciaddr if source is None else source, 68), Endpoint(destination, 67), said.encode()
        )
        self.up_packet(packet, tunnel)

    def up_packet(self, packet: bytes, tunnel: Tunnel = DIRECT) -> None:
        assert self.engine.dhcp is not None
        self._run(self.engine.dhcp.tunneled(tunnel, packet, self.clock.now()))

    def from_home(self, said: DhcpMessage, source: Ipv4 = HOME, domain: str = "") -> None:
        """A registered node says it to us, as its DHCP server."""
        assert self.engine.dhcp is not None
        now = self.clock.now()
        self._run(self.engine.dhcp.from_home_address(said.encode(), Endpoint(source, 68), domain, now))

    def server_says(self, said: DhcpMessage, server: Ipv4 = SERVER) -> None:
        assert self.engine.dhcp is not None
        self._run(self.engine.dhcp.answered(said.encode(), Endpoint(server, 67), self.clock.now()))

    def lease(self, node: int = 1, address: Ipv4 = HOME, tunnel: Tunnel = DIRECT, **given: object) -> None:
        """A server gives it to ``node``, which has a pre-tunnel; nothing of it is looked at."""
        self.up(message(MessageType.REQUEST, node, requested=address, xid=1000 + self._asked), tunnel)
        self._asked += 1
        [asked] = self.relayed()
        self.server_says(answer(MessageType.ACK, asked, address, **given))

    def leased(self, node: int = 1) -> AnchorKey | None:
        found = self.engine.leases.of(nai(node))
        return None if found is None else found.key

    def last(self, name: str) -> Observation:
        """What was told last by that name."""
        return [note for note in self.notes if note.name == name][-1]
