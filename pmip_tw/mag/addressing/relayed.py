"""DHCP method "ack-trigger": the MAG relays to servers in the core, whose ACK starts the registration (P63)."""

import attrs

from pmip_tw.addresses import ALL_ONES, Endpoint, Ipv4
from pmip_tw.dhcp import requests
from pmip_tw.dhcp.discarded import Discarded
from pmip_tw.dhcp.questions import Answer
from pmip_tw.dhcp.relay import Relay, ToServer
from pmip_tw.dhcp.relaying import Circuit, Fact
from pmip_tw.errors import WireError
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import Told
from pmip_tw.mag.addressing.circuits import circuit_of
from pmip_tw.mag.addressing.dhcp_first import HAS_ASKED, DhcpFirst, name_of
from pmip_tw.mag.effects import MagEffect, SendDhcp
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.ethernet import EthernetFrame

_TO_ALL = ALL_ONES.to_bytes(4, "big")


class Relayed(DhcpFirst):
    """The servers answer to port 67 of our own address."""

    def __init__(self, policy: MagPolicy, links: HomeLinks, visitors: VisitorList) -> None:
        super().__init__(policy, links, visitors)
        self._relay = self._relay_at(policy.address)
        relay = policy.dhcp_relay
        # Then all servers go by our own address, and what nodes say to that is for us (D14, D30).
        self._overrides = relay is not None and Fact.SERVER_IDENTIFIER_OVERRIDE in relay.option_82
        self.shows_dhcp = not self._overrides

    def read(self, visitor: Visitor, frame: EthernetFrame) -> DhcpMessage | requests.Refusal | None:
        """Whoever moved here knows the address of another MAG for that of its server."""
        if not self._overrides:
            return super().read(visitor, frame)
        found = requests.client_message(frame, None)
        if isinstance(found, DhcpMessage):
            visitor.dhcp_unicast = frame.payload[16:20] != _TO_ALL
        return found

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
        self._relay = self._relay_at(address)
        return []

    def wake(self, now: Now) -> list[MagEffect]:
        effects: list[MagEffect] = []
        for question in self._relay.unanswered(now.monotonic):
            visitor = self._visitors.with_mac(question.message.chaddr)
            if visitor is not None:
                cause = f"no answer from {self._relay.servers_of(question.circuit)} to its {name_of(question.message)}"
                effects.append(
                    observed.visitor_event("dhcp-unanswered", visitor, cause=cause, reason="dhcp-servers")
                )
        return effects

    def next_deadline(self) -> float | None:
        return self._relay.next_deadline()

    def _ask(self, visitor: Visitor, message: DhcpMessage, now: Now) -> list[MagEffect]:
        relayed = self._relay.asked(message, self._circuit(visitor), now.monotonic)
        if isinstance(relayed, Discarded):
            return [observed.frame_dropped(visitor, relayed)]
        noted = observed.visitor_event("dhcp-forwarded", visitor, message=name_of(message))
        effects: list[MagEffect] = [*map(_send, relayed.sent), noted]
        if relayed.shortened:
            reason = "dhcp-option-82-too-long"
            effects.append(observed.visitor_event("dhcp-option-82-left-out", visitor, reason=reason))
        return effects

    def _circuit(self, visitor: Visitor) -> Circuit:
        return circuit_of(visitor, self._policy, self._policy.dhcp_subnet)

    def _return(self, visitor: Visitor, lease: Answer, now: Now) -> list[MagEffect]:
        return [_send(self._relay.release(lease, int.from_bytes(now.entropy(4), "big")))]

    def _relay_at(self, address: Ipv4) -> Relay:
        policy = self._policy.dhcp_relay
        assert policy is not None
        return Relay(attrs.evolve(policy, giaddr=policy.giaddr or address))


def _send(sent: ToServer) -> SendDhcp:
    return SendDhcp(sent.payload, sent.server)
