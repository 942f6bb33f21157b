"""DHCP method "independent": nodes have their addresses from elsewhere; the one in use is registered (P62, P65).

Their DHCP is traffic like any other, and goes through the tunnel. What is seen of it there keeps lease and binding
together (D34, D36).
"""

from typing import Final

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.access.evidence import Evidence
from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.dhcp.requests import Refusal, client_message
from pmip_tw.errors import WireError
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import LEASE_EXPIRED, LEASE_GRACE, RELEASED, Addressing, Told
from pmip_tw.mag.visitors import Doubt, LeaseQuestion, Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.dhcp import BOOTREPLY, BOOTREQUEST, CLIENT_PORT, SERVER_PORT, DhcpMessage, MessageType
from pmip_tw.wire.ethernet import EthernetFrame
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import UdpDatagram

INFINITE_LEASE: Final = 0xFFFFFFFF
"""RFC 2131 3.3."""

RELEASE_DELAY: Final = 1.0
"""Seconds from a release to the end of the binding, so that the release itself still gets through the tunnel (D34)."""

DOUBT_LASTS: Final = 2.0
"""Seconds in which a node that seems to have another address may show that it still has its home address."""

DOUBT_ENDS: Final = 30.0
"""Seconds after which the other address was a thing of the past."""

REFUSED_BY_SERVER: Final = "its DHCP server refused its address"


class Independent(Addressing):
    """Only an address in use counts: nobody is given one here, and no other would be of use to a node."""

    shows_dhcp = True

    def _serves(self, found: Evidence) -> bool:
        return found.in_use

    def admitted(self, visitor: Visitor, now: Now) -> Told:
        return Told(registers=visitor.hint)

    def read(self, visitor: Visitor, frame: EthernetFrame) -> DhcpMessage | Refusal | None:
        """A release that comes before there is a tunnel for it."""
        if visitor.grant is not None:
            return None
        message = client_message(frame, None)
        released = isinstance(message, DhcpMessage) and message.message_type is MessageType.RELEASE
        return message if released else None

    def before(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        if not visitor.hint or message.ciaddr != visitor.hint:
            return Told(effects=[observed.frame_dropped(visitor, "dhcp-ignored")])
        return Told(effects=[self._released(visitor, now)], leaves=RELEASED)

    def uses_another(self, visitor: Visitor, address: Ipv4, now: Now) -> Told:
        """Who does not answer a probe of its address any more, and goes on with another, has changed it.

        A host with two addresses answers, and is served with the one that came first.
        """
        if not self._links.is_known(address):
            return Told()
        doubt = visitor.doubt
        if doubt is None or doubt.address != address or doubt.since + DOUBT_ENDS < now.monotonic:
            visitor.doubt = Doubt(address=address, since=now.monotonic)
        elif doubt.since + DOUBT_LASTS <= now.monotonic:
            before, after = ipv4_text(visitor.home_address), ipv4_text(address)
            return Told(leaves=f"it uses {after} now, and does not answer for {before}")
        return Told()

    def shown(self, visitor: Visitor, packet: bytes, now: Now) -> Told:
        """What cannot be read was carried all the same, and teaches nothing."""
        try:
            carried = Ipv4Packet.decode(packet)
            datagram = UdpDatagram.decode(carried)
            message = DhcpMessage.decode(datagram.payload)
        except WireError:
            return Told()
        if message.chaddr != visitor.mac:
            return Told()
        # The plane shows what goes up by port 67, what comes down by port 68: whose words they are is no question of
        # the source address, which anybody out there can forge.
        up, down = datagram.destination_port == SERVER_PORT, datagram.destination_port == CLIENT_PORT
        if up and message.op == BOOTREQUEST:
            return self._said(visitor, message, now)
        if down and message.op == BOOTREPLY and carried.destination == visitor.home_address:
            return self._answered(visitor, message)
        return Told()

    def accepted(self, visitor: Visitor, now: Now) -> Told:
        if visitor.home_address == visitor.hint:
            return Told()
        cause = f"it uses {ipv4_text(visitor.hint)}, but the LMA gives it {ipv4_text(visitor.home_address)}"
        return Told(leaves=cause, refused=True)

    def _said(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        """The plane has checked that it comes from the node's own port, MAC and address (D35)."""
        if message.ciaddr != visitor.home_address:
            return Told()
        if message.message_type is MessageType.REQUEST:
            visitor.lease_question = LeaseQuestion(xid=message.xid, asked_at=now.monotonic)
        elif message.message_type is MessageType.RELEASE:
            visitor.lease_ends, visitor.lease_cause = now.monotonic + RELEASE_DELAY, RELEASED
            visitor.lease_question = None
            return Told(effects=[self._released(visitor, now)])
        return Told()

    @staticmethod
    def _answered(visitor: Visitor, message: DhcpMessage) -> Told:
        """Whoever does not know the transaction is not believed: anybody may send to the node's port 68."""
        question = visitor.lease_question
        if question is None or message.xid != question.xid:
            return Told()
        if message.message_type is MessageType.NAK:
            visitor.lease_question = None
            return Told(
                effects=[observed.visitor_event("dhcp-nak", visitor)],
                leaves=REFUSED_BY_SERVER,
                terminate_cause=TerminateCause.SERVICE_UNAVAILABLE,
            )
        lease = message.lease_time
        if message.message_type is not MessageType.ACK or message.yiaddr != visitor.home_address or not lease:
            return Told()
        visitor.lease_question = None
        extend_lease(visitor, lease, question.asked_at)
        return Told(effects=[observed.visitor_event("dhcp-ack", visitor, lease=lease)], renews=True)


def extend_lease(visitor: Visitor, lease: int, asked_at: float) -> None:
    """``lease`` seconds, counted from when the node asked (D34), and a tenth of grace (D22)."""
    visitor.lease_cause = LEASE_EXPIRED
    visitor.lease_ends = None if lease == INFINITE_LEASE else asked_at + lease * (1 + LEASE_GRACE)
