"""A DHCP server in the core, which MAGs relay to and nodes reach through their tunnels."""

from collections.abc import Sequence

from zope.interface import implementer

from pmip_tw.addresses import UNSPECIFIED, Ipv4, ipv4
from pmip_tw.interfaces import Datagram, IDhcpReceiver
from pmip_tw.testing.dhcp_socket import FakeDhcpSocket
from pmip_tw.testing.network import FakeNetwork
from pmip_tw.wire.dhcp import BOOTREPLY, DhcpMessage, MessageType
from tests.agents.world import HOME

SERVER = ipv4("203.0.113.67")
LEASE = 600
"""Seconds."""


@implementer(IDhcpReceiver)
class DhcpServer:
    """A DHCP server with one address for each client, from 10.1.0.101 on; it knows option 118.

    ``identifier``: as whom it presents itself. ``heard``: the kinds of messages in order, ``relayed`` or from the node
    itself.
    """

    def __init__(self, network: FakeNetwork, lease: int = LEASE) -> None:
        self.lease = lease
        self.identifier = SERVER
        self.heard: list[tuple[MessageType | None, bool]] = []
        self.first = HOME.network + 100
        self.socket = FakeDhcpSocket(network, SERVER)
        self.socket.start(self)
        self.leases: dict[bytes, Ipv4] = {}

    def dhcp_received(self, batch: Sequence[Datagram]) -> None:
        for datagram in batch:
            reply = self.answer(DhcpMessage.decode(datagram.payload))
            if reply is not None:
                self.socket.send(reply.encode(), reply.giaddr)

    def answer(self, asked: DhcpMessage) -> DhcpMessage | None:
        self.heard.append((asked.message_type, bool(asked.giaddr)))
        number = int.from_bytes(asked.chaddr[-2:], "big")
        address = self.leases.setdefault(asked.chaddr, Ipv4(self.first + number))
        if asked.message_type is MessageType.DISCOVER:
            kind = MessageType.OFFER
        elif asked.message_type is MessageType.REQUEST:
            wanted = asked.requested_address or asked.ciaddr
            kind = MessageType.ACK if wanted == address else MessageType.NAK
        else:
            return None
        subnet = asked.option(118)
        options = [
            (53, bytes((kind,))),
            (54, self.identifier.to_bytes(4, "big")),
            (51, self.lease.to_bytes(4, "big")),
            *([] if subnet is None else [(118, subnet)]),
        ]
        return DhcpMessage(
            op=BOOTREPLY,
            xid=asked.xid,
            chaddr=asked.chaddr,
            giaddr=asked.giaddr,
            yiaddr=UNSPECIFIED if kind is MessageType.NAK else address,
            options=tuple(options),
        )
