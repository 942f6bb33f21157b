"""A relay agent by itself: between the links where clients are and DHCP servers somewhere (D1-D18).

It reads what comes from clients and servers, asks the relay what becomes of it, and says so.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from pmip_tw.addresses import ALL_ONES, Endpoint, Ipv4, Mac, Prefix, ipv4_text, mac_text
from pmip_tw.dhcp.clients import Client, Clients
from pmip_tw.dhcp.discarded import Discarded
from pmip_tw.dhcp.questions import Answer, Question
from pmip_tw.dhcp.relay import Relay, ToServer
from pmip_tw.dhcp.relaying import Circuit, RelayPolicy
from pmip_tw.dhcp.requests import Refusal
from pmip_tw.dhcp.server import packet_for
from pmip_tw.errors import WireError
from pmip_tw.mobility.effects import Observe
from pmip_tw.mobility.observations import Detail, Observation
from pmip_tw.wire.dhcp import BOOTREQUEST, SERVER_PORT, DhcpMessage, MessageType
from pmip_tw.wire.ipv4 import PROTOCOL_UDP, Ipv4Packet
from pmip_tw.wire.udp import UdpDatagram

_PARTINGS: Final = (MessageType.RELEASE, MessageType.DECLINE)


@attrs.frozen(slots=True, kw_only=True)
class ClientLink:
    """A link with clients. ``name``: its interface. ``prefix``: the addresses that clients have there, as far as the
    interface's own address tells. ``circuit``: what servers are told of it; its ``port`` is the name, its ``giaddr``
    our address there.
    """

    name: str
    prefix: Prefix
    circuit: Circuit


@attrs.frozen(slots=True)
class ToClient:
    """Send the IPv4 ``packet`` on ``link`` to the station ``destination``, without ARP (D9)."""

    link: str
    packet: bytes = attrs.field(repr=False)
    destination: Mac


RelayEffect = ToServer | ToClient | Observe


class RelayAgent:
    """Times are monotonic seconds."""

    def __init__(self, policy: RelayPolicy, links: Sequence[ClientLink]) -> None:
        self._links = {link.name: link for link in links}
        self._relay = Relay(policy, {link.circuit.giaddr for link in links})
        self._clients = Clients()
        self._silent = False

    def packet_received(self, link: str, packet: bytes, now: float) -> list[RelayEffect]:
        """What was broadcast on ``link``. What is sent to us alone comes as a datagram."""
        try:
            payload = self._broadcast(self._links[link], packet)
            if payload is None:
                return []
            message = DhcpMessage.decode(payload)
        except WireError as error:
            return [_dropped(link, error.reason, str(error))]
        if message.op != BOOTREQUEST:
            return [_dropped(link, Refusal.NOT_A_REQUEST)]
        return self._ask(message, self._links[link].circuit, now)

    def datagram_received(
        self, payload: bytes, source: Endpoint, local: Ipv4, now: float
    ) -> list[RelayEffect]:
        """What was sent to port 67 of ``local``, one of our addresses."""
        try:
            if payload[:1] == bytes((BOOTREQUEST,)):
                return self._asked_alone(DhcpMessage.decode(payload), source, local, now)
            answer = self._relay.answered(payload, source, now)
        except WireError as error:
            return [_discarded(error.reason, source, str(error))]
        if isinstance(answer, Discarded):
            return [_discarded(answer, source, answer.cause)]
        return [*self._deliver(answer), *self._heard()]

    def wake(self, now: float) -> list[RelayEffect]:
        """Tell which clients nobody answers, and once that nobody answers at all."""
        effects: list[RelayEffect] = [self._unanswered(question) for question in self._relay.unanswered(now)]
        if self._relay.silent and not self._silent:
            self._silent = True
            cause = f"nothing comes from {self._relay.servers}: are they up, and do they have a way to our address?"
            effects.append(
                Observe(Observation(name="dhcp-servers-silent", reason="dhcp-servers", cause=cause))
            )
        return effects

    def next_deadline(self) -> float | None:
        return self._relay.next_deadline()

    @property
    def clients(self) -> Iterable[Client]:
        return self._clients

    @property
    def waiting(self) -> Iterable[Question]:
        """What clients have asked and may still get an answer to."""
        return self._relay.waiting

    def _broadcast(self, link: ClientLink, octets: bytes) -> bytes | None:
        """What a packet brings to any server on the link; None: nothing, as what IPsec protects (D11). WireError."""
        packet = Ipv4Packet.decode(octets)
        if packet.protocol != PROTOCOL_UDP or packet.is_fragment:
            return None
        if packet.destination not in (ALL_ONES, link.prefix.broadcast):
            return None
        datagram = UdpDatagram.decode(packet)
        return datagram.payload if datagram.destination_port == SERVER_PORT else None

    def _asked_alone(
        self, message: DhcpMessage, source: Endpoint, local: Ipv4, now: float
    ) -> list[RelayEffect]:
        """Another relay takes us for a server, or a client does, because servers go by our name (D14)."""
        for link in self._links.values():
            known = link.circuit.giaddr == local and (message.giaddr or message.ciaddr in link.prefix)
            if known and (message.giaddr or source.address == message.ciaddr):
                return self._ask(message, attrs.evolve(link.circuit, unicast=True), now)
        reason = Refusal.SPOOFED_SOURCE if source.address != message.ciaddr else Discarded.IGNORED
        return [_discarded(reason, source, "it is of no client on our links")]

    def _ask(self, message: DhcpMessage, circuit: Circuit, now: float) -> list[RelayEffect]:
        link = str(circuit.port)
        relayed = self._relay.asked(message, circuit, now)
        if isinstance(relayed, Discarded):
            return [_dropped(link, relayed)]
        if message.message_type in _PARTINGS:
            self._clients.parted(link, message)
        effects: list[RelayEffect] = [
            *relayed.sent,
            _told("dhcp-forwarded", link, message, message=_name(message), hops=message.hops),
        ]
        if relayed.shortened:
            effects.append(_told("dhcp-option-82-left-out", link, message, reason="dhcp-option-82-too-long"))
        return effects

    def _deliver(self, answer: Answer) -> list[RelayEffect]:
        link, reply = str(answer.circuit.port), answer.message
        destination, packet = packet_for(reply, reply.chaddr, answer.circuit.giaddr)
        if answer.is_lease:
            self._clients.leased(answer)
        told = _told(
            f"dhcp-{_name(reply)}",
            link,
            reply,
            address=ipv4_text(reply.yiaddr),
            server=ipv4_text(answer.server),
            lease=reply.lease_time or 0,
        )
        return [ToClient(link, packet, destination), told]

    def _heard(self) -> list[RelayEffect]:
        if not self._silent or self._relay.silent:
            return []
        self._silent = False
        return [Observe(Observation(name="dhcp-servers-heard"))]

    def _unanswered(self, question: Question) -> Observe:
        message = question.message
        cause = f"no answer from {self._relay.servers} to its {_name(message)}"
        return _told(
            "dhcp-unanswered", str(question.circuit.port), message, cause=cause, reason="dhcp-servers"
        )


def _told(
    name: str, link: str, about: DhcpMessage, *, cause: str = "", reason: str = "", **details: Detail
) -> Observe:
    """Something about one client."""
    session = f"{mac_text(about.chaddr)} on {link}"
    return Observe(Observation(name=name, session=session, cause=cause, reason=reason, details=details))


def _dropped(link: str, reason: str, cause: str = "") -> Observe:
    """Of nobody in particular: counted, in no trace, because a flood of them must cost little."""
    return Observe(Observation(name="frame-dropped", reason=reason, cause=cause, details={"port": link}))


def _discarded(reason: str, source: Endpoint, cause: str) -> Observe:
    details = {"source": str(source)}
    return Observe(Observation(name="message-discarded", reason=reason, cause=cause, details=details))


def _name(message: DhcpMessage) -> str:
    kind = message.message_type
    return "" if kind is None else kind.name.lower()
