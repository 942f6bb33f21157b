"""DHCP method "tunnel": the LMA is the relay agent; DHCP travels to it through a tunnel that comes first (P64, N47).

node          MAG                    LMA          server
 |--DISCOVER-->|--pre-tunnel request-->|             |
 |             |<-pre-tunnel reply-----|             |
 |             |==DISCOVER============>|--DISCOVER-->|
 |<-OFFER------|<===============OFFER==|<-OFFER------|
 |--REQUEST--->|==REQUEST=============>|--REQUEST--->|
 |             |<=================ACK==|<-ACK--------|
 |  (ACK held) |--registration-------->|             |
 |<-ACK--------|<-accepted-------------|             |

giaddr and option 82 are the LMA's business (D32): what a node says goes into the tunnel as it came.
"""

from typing import Final

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Endpoint, Ipv4, ipv4_text
from pmip_tw.dhcp.discarded import Discarded
from pmip_tw.dhcp.questions import Answer, Questions, gives_an_address, release_of
from pmip_tw.errors import WireError
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import Told
from pmip_tw.mag.addressing.dhcp_first import HAS_ASKED, DhcpFirst, name_of
from pmip_tw.mag.addressing.pretunnel import PreTunnels
from pmip_tw.mag.effects import MagEffect
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.newest import Newest
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import LeaseQuestion, State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import SendThrough
from pmip_tw.mobility.tunnels import AccessKey, Tunnel
from pmip_tw.wire.dhcp import BOOTREPLY, CLIENT_PORT, SERVER_PORT, DhcpMessage, MessageType
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.pretunnel import PreTunnelReply
from pmip_tw.wire.udp import UdpDatagram, udp_packet

LONGEST: Final = 1400
"""Octets of a packet with DHCP that fits into every tunnel: fragments of one would not be taken (N32, N52)."""

PARTING_DELAY: Final = 3.0
"""Seconds from a broadcast farewell to the end of the binding: it may have to wait for its tunnel first."""

_MOST_WAITING = 4096


class Tunneled(DhcpFirst):
    """``pre_tunnels``: the ways to the LMAs."""

    def __init__(
        self, policy: MagPolicy, links: HomeLinks, visitors: VisitorList, pre_tunnels: PreTunnels
    ) -> None:
        super().__init__(policy, links, visitors)
        self._pre_tunnels = pre_tunnels
        self._questions = Questions()
        # What waits for its tunnel; the client's next message takes its place.
        self._waiting: Newest[AccessKey, DhcpMessage] = Newest(_MOST_WAITING)

    # What nodes do

    def admitted(self, visitor: Visitor, now: Now) -> Told:
        """Who moved here with its address is registered first: that ends a tunnel from before it (N55)."""
        if not visitor.hint:
            return super().admitted(visitor, now)
        return Told(registers=visitor.hint)

    def dhcp(self, visitor: Visitor, message: DhcpMessage, now: Now) -> Told:
        told = super().dhcp(visitor, message, now)
        if not told.leaves:
            return told
        # The server must hear of it: an address that was declined would be given again.
        visitor.lease_ends, visitor.lease_cause = now.monotonic + PARTING_DELAY, told.leaves
        return Told(effects=told.effects)

    # What comes from the LMA

    def signalled(self, payload: bytes, source: Endpoint, now: Now) -> tuple[Visitor | None, Told] | None:
        """A reply to a request for a tunnel (N56: of other types nothing is known here)."""
        if payload[0] != self._policy.pre_tunnel_reply_type:
            return None
        reply = PreTunnelReply.decode(payload, self._policy.pre_tunnel_reply_type)
        nai = reply.nai.decode(errors="replace")
        visitor = self._visitors.with_nai(nai)
        if visitor is None:
            note = observed.discarded("unexpected-reply", source, f"no visitor is {nai!r}")
            return None, Told(effects=[note])
        said = self._pre_tunnels.answered(visitor, payload, reply, source, now)
        effects = said.effects
        message = self._waiting.pop(visitor.key, None) if said.tunnel or said.refused else None
        if said.tunnel is not None and message is not None and visitor.state in HAS_ASKED:
            effects += self._send(visitor, said.tunnel, message, now)
        # Who is served goes on as it is; nobody else can be.
        leaves = said.refused if visitor.state is State.ADDRESSING else ""
        return visitor, Told(effects=effects, leaves=leaves, refused=bool(leaves))

    def tunneled(self, tunnel: Tunnel, packet: bytes, now: Now) -> tuple[Visitor | None, Told]:
        source = Endpoint(tunnel.remote, tunnel.remote_port)
        try:
            carried = Ipv4Packet.decode(packet)
            message = DhcpMessage.decode(UdpDatagram.decode(carried).payload)
        except WireError as error:
            return None, Told(effects=[observed.discarded(error.reason, source, str(error))])
        if message.op != BOOTREPLY:
            return None, _discarded(Discarded.NOT_A_REPLY, source)
        asked = self._questions.answered_by(message, now.monotonic)
        visitor = self._visitors.with_mac(message.chaddr)
        if asked is None or visitor is None or visitor.state not in HAS_ASKED:
            return None, _discarded(Discarded.UNEXPECTED, source)
        if self._pre_tunnels.open_for(visitor) != tunnel:
            return None, _discarded(Discarded.OTHER_TUNNEL, source)
        if (
            message.message_type is not MessageType.NAK
            and asked.message.message_type is not MessageType.INFORM
            and not gives_an_address(message)
        ):
            return None, _discarded(Discarded.INCOMPLETE, source)
        self._questions.settle(asked, message)
        answer = Answer(
            message=message,
            asked=asked.message,
            asked_at=asked.at,
            server=message.server_identifier or carried.source,
        )
        return visitor, self._answered_by_server(visitor, answer, now)

    def shown(self, visitor: Visitor, packet: bytes, now: Now) -> Told:
        """What a registered node has asked by a tunnel may be answered at its home address."""
        told = super().shown(visitor, packet, now)
        try:
            message = DhcpMessage.decode(UdpDatagram.decode(Ipv4Packet.decode(packet)).payload)
        except WireError:
            return told
        asked = self._questions.answered_by(message, now.monotonic)
        if asked is not None and message.op == BOOTREPLY:
            self._questions.settle(asked, message)
        return told

    def accepted(self, visitor: Visitor, now: Now) -> Told:
        """The binding takes the place of the tunnel (N55); what the node has asked meanwhile needs a new one."""
        told = super().accepted(visitor, now)
        if told.leaves:
            return told  # its lease is still to be given back
        closed = self._pre_tunnels.forget(visitor)
        message, visitor.waiting_dhcp = visitor.waiting_dhcp, None
        asked = [] if message is None else self._ask(visitor, message, now)
        return Told(effects=[*told.effects, *asked], ends=closed, promises=told.promises)

    def address_refused(self, visitor: Visitor, now: Now) -> Told | None:
        """What it has asked for its former address is for the servers to answer."""
        told = super().address_refused(visitor, now)
        message = visitor.waiting_dhcp
        if told is None or not told.awaits_dhcp or message is None:
            return told
        visitor.waiting_dhcp = None
        return Told(effects=[*told.effects, *self._ask(visitor, message, now)], awaits_dhcp=True)

    def _giver(self, visitor: Visitor) -> Ipv4 | None:
        return self._pre_tunnels.lma_of(visitor)

    # What time brings

    def address_changed(self, address: Ipv4) -> list[MagEffect]:
        """Clients ask again, and then the LMAs are."""
        self._questions = Questions()
        self._waiting.clear()
        return self._pre_tunnels.forget_all()

    def wake(self, now: Now) -> list[MagEffect]:
        effects = self._pre_tunnels.wake(now)
        for question in self._questions.unanswered(now.monotonic):
            visitor = self._visitors.with_mac(question.message.chaddr)
            if visitor is None:
                continue
            lma = self._pre_tunnels.lma_of(visitor)
            by = "" if lma is None else f" by LMA {ipv4_text(lma)}"
            cause = f"no answer{by} to its {name_of(question.message)}: are its DHCP servers up?"
            self._pre_tunnels.doubt(visitor)
            effects.append(
                observed.visitor_event("dhcp-unanswered", visitor, cause=cause, reason="dhcp-servers")
            )
        return effects

    def next_deadline(self) -> float | None:
        deadlines = (self._pre_tunnels.next_deadline(), self._questions.next_deadline())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    # On the way to the servers

    def _ask(self, visitor: Visitor, message: DhcpMessage, now: Now) -> list[MagEffect]:
        tunnel = self._pre_tunnels.usable(visitor, now)
        if tunnel is not None:
            return self._send(visitor, tunnel, message, now)
        self._waiting[visitor.key] = message
        return self._pre_tunnels.ask(visitor, now)

    def _return(self, visitor: Visitor, lease: Answer, now: Now) -> list[MagEffect]:
        tunnel = self._pre_tunnels.open_for(visitor)
        if tunnel is None:
            return []
        returned = release_of(lease, int.from_bytes(now.entropy(4), "big"))
        return [SendThrough(tunnel, _packet(returned)), *self._pre_tunnels.forget(visitor)]

    def _send(self, visitor: Visitor, tunnel: Tunnel, message: DhcpMessage, now: Now) -> list[MagEffect]:
        packet = _packet(message)
        refused = Discarded.TOO_LONG if len(packet) > LONGEST else self._questions.put(message, now.monotonic)
        if refused is not None:
            return [observed.frame_dropped(visitor, refused)]
        if visitor.grant is not None and message.message_type is MessageType.REQUEST:
            # Its answer may go to its home address, and is seen where the packet plane shows it (P65).
            visitor.lease_question = LeaseQuestion(xid=message.xid, asked_at=now.monotonic)
        noted = observed.visitor_event("dhcp-forwarded", visitor, message=name_of(message))
        return [SendThrough(tunnel, packet), noted]


def _packet(message: DhcpMessage) -> bytes:
    """As a client sends it that has no address."""
    return udp_packet(Endpoint(UNSPECIFIED, CLIENT_PORT), Endpoint(ALL_ONES, SERVER_PORT), message.payload())


def _discarded(why: Discarded, source: Endpoint) -> Told:
    return Told(effects=[observed.discarded(why, source, why.cause)])
