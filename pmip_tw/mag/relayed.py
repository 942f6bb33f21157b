"""DHCP method "ack-trigger": the MAG relays to servers in the core, whose ACK starts the registration (P63)."""

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.dhcp.discarded import Discarded
from pmip_tw.dhcp.questions import Answer
from pmip_tw.dhcp.relay import Relay, ToServer
from pmip_tw.errors import WireError
from pmip_tw.mag import observed
from pmip_tw.mag.addressing import Told
from pmip_tw.mag.dhcp_first import HAS_ASKED, DhcpFirst, name_of
from pmip_tw.mag.effects import MagEffect, SendDhcp
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.dhcp import DhcpMessage


class Relayed(DhcpFirst):
    """The servers answer to port 67 of our own address."""

    def __init__(self, policy: MagPolicy, links: HomeLinks, visitors: VisitorList) -> None:
        super().__init__(policy, links, visitors)
        self._relay = Relay(policy.address, policy.dhcp_servers)

    def answered(self, payload: bytes, source: Endpoint, now: Now) -> tuple[Visitor | None, Told]:
        try:
            answer = self._relay.answered(payload, source, now.monotonic)
        except WireError as error:
            return None, Told(effects=[observed.discarded(error.reason, source, str(error))])
        if isinstance(answer, Discarded):
            return None, Told(effects=[observed.discarded(answer, source, answer.cause)])
        visitor = self._visitors.with_mac(answer.asked.chaddr)
        if visitor is None or visitor.state not in HAS_ASKED:
            cause = "the node has left"
            return None, Told(effects=[observed.discarded(Discarded.UNEXPECTED, source, cause)])
        return visitor, self._answered_by_server(visitor, answer, now)

    def address_changed(self, address: Ipv4) -> list[MagEffect]:
        """What was asked from the old one is answered there; clients ask again."""
        self._relay = Relay(address, self._policy.dhcp_servers)
        return []

    def wake(self, now: Now) -> list[MagEffect]:
        effects: list[MagEffect] = []
        for message in self._relay.unanswered(now.monotonic):
            visitor = self._visitors.with_mac(message.chaddr)
            if visitor is not None:
                cause = f"no answer from {self._relay.servers} to its {name_of(message)}"
                effects.append(
                    observed.visitor_event("dhcp-unanswered", visitor, cause=cause, reason="dhcp-servers")
                )
        return effects

    def next_deadline(self) -> float | None:
        return self._relay.next_deadline()

    def _ask(self, visitor: Visitor, message: DhcpMessage, now: Now) -> list[MagEffect]:
        sent = self._relay.asked(message, self._policy.dhcp_subnet, now.monotonic)
        if isinstance(sent, Discarded):
            return [observed.frame_dropped(visitor, sent)]
        noted = observed.visitor_event("dhcp-forwarded", visitor, message=name_of(message))
        return [*map(_send, sent), noted]

    def _return(self, visitor: Visitor, lease: Answer, now: Now) -> list[MagEffect]:
        return [_send(self._relay.release(lease, int.from_bytes(now.entropy(4), "big")))]


def _send(sent: ToServer) -> SendDhcp:
    return SendDhcp(sent.payload, sent.server)
