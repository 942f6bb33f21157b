"""The relay agent between clients on access links and DHCP servers (RFC 1542 4.1, RFC 3046; D1-D18).

For each client it remembers what was asked last, and passes on only what answers that. What a message means for
anybody's registration is not its business. It never changes more of a message than a relay has to.
"""

from collections import OrderedDict
from collections.abc import Collection
from typing import Final
from zlib import crc32

import attrs

from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, Mac, ipv4_text
from pmip_tw.dhcp.circuit_information import information
from pmip_tw.dhcp.discarded import Discarded
from pmip_tw.dhcp.questions import CLIENT_MESSAGES, Answer, Question, Questions, gives_an_address, release_of
from pmip_tw.dhcp.relaying import Circuit, Fact, RelayPolicy, Spread
from pmip_tw.errors import WireError
from pmip_tw.wire import dhcp_octets
from pmip_tw.wire.dhcp import (
    BOOTREPLY,
    BOOTREQUEST,
    MINIMUM_PAYLOAD,
    DhcpMessage,
    MessageType,
    OptionCode,
)
from pmip_tw.wire.ipv4 import is_host_address
from pmip_tw.wire.relay_information import RelayInformation

MOST_HOPS: Final = 16
"""More are discarded whatever an operator wants (D3)."""

MOST_FURTHER: Final = 256
"""Servers that are asked for single clients, besides those for all."""

LEAST_MAXIMUM: Final = 576
"""Octets that every client takes (RFC 2132 9.10)."""

_HEADERS: Final = 28
"""Of IPv4 and UDP."""


@attrs.frozen(slots=True)
class ToServer:
    """Send ``payload`` to port 67 of ``server``, from port 67 of ``source``, which is ours."""

    payload: bytes = attrs.field(repr=False)
    server: Ipv4
    source: Ipv4


@attrs.frozen(slots=True)
class Relayed:
    """What the servers get of a client's message. ``shortened``: option 82 was too long to be sent along (D8)."""

    sent: tuple[ToServer, ...]
    shortened: bool = False


class Relay:
    """``own``: further addresses of ours, those of circuits. Times are monotonic seconds."""

    def __init__(self, policy: RelayPolicy, own: Collection[Ipv4] = ()) -> None:
        self._policy = policy
        self._own = frozenset((policy.giaddr, *own)) - {UNSPECIFIED}
        self._questions = Questions()
        # Besides those of the policy, which are asked for some clients; those asked last.
        self._further: OrderedDict[Ipv4, None] = OrderedDict()

    def asked(self, message: DhcpMessage, circuit: Circuit, now: float) -> Relayed | Discarded:
        """A client's message goes to the servers (D5), and is waited for if they are to answer it."""
        why = self._worthless(message, circuit)
        if why is not None:
            return why
        if message.giaddr:  # what another relay has asked is answered there
            if not self._questions.may_ask(message.chaddr, circuit.port, now):
                return Discarded.TOO_OFTEN
        else:
            why = self._questions.put(message, now, circuit, override=self._override(circuit))
            if why is not None:
                return why
        payload, shortened = self._as_relayed(message, circuit)
        chosen = self._servers_for(message.chaddr, circuit)
        source = self._giaddr(circuit)
        return Relayed(tuple(ToServer(payload, server, source) for server in chosen), shortened)

    def answered(self, payload: bytes, source: Endpoint, now: float) -> Answer | Discarded:
        """A datagram that arrived at our port 67. Raises WireError."""
        if source.address not in self._policy.servers and source.address not in self._further:
            return Discarded.UNKNOWN_SERVER
        message = DhcpMessage.decode(payload)
        if message.op != BOOTREPLY:
            return Discarded.NOT_A_REPLY
        if message.giaddr not in self._own:
            return Discarded.OTHER_RELAY
        self._questions.servers_heard(now)
        question = self._questions.answered_by(message, now, source.address, _circuit_named(message))
        if question is None or message.giaddr != self._giaddr(question.circuit):
            return Discarded.UNEXPECTED
        if source.address not in self._asked_for(question.circuit):
            return Discarded.UNKNOWN_SERVER
        why = self._unusable(message, question)
        if why is not None:
            return why
        self._questions.settle(question, message, source.address)
        return Answer(
            message=self._as_answered(message, question),
            asked=question.message,
            asked_at=question.at,
            server=source.address,
            circuit=question.circuit,
        )

    def release(self, lease: Answer, xid: int) -> ToServer:
        """Give back, in the client's name, what ``lease`` gave it: it will never hear of it (RFC 2131 3.4).

        Where servers know the client by option 82 they are told by it again.
        """
        message = release_of(lease, xid)
        source = self._giaddr(lease.circuit)
        if not self._policy.option_82:
            return ToServer(message.payload(), lease.server, source)
        circuit = attrs.evolve(lease.circuit, unicast=True)  # as clients send it (RFC 2131 4.4.4)
        return ToServer(self._as_relayed(message, circuit)[0], lease.server, source)

    def unanswered(self, now: float) -> list[Question]:
        """What no server has answered in time, each told once; if there are very many, some of them."""
        return self._questions.unanswered(now)

    def next_deadline(self) -> float | None:
        """When to ask for ``unanswered``."""
        return self._questions.next_deadline()

    @property
    def silent(self) -> bool:
        """No server has said anything since a question that was not answered in time."""
        return self._questions.servers_silent

    @property
    def servers(self) -> str:
        """For people."""
        return self.servers_of(Circuit())

    def servers_of(self, circuit: Circuit) -> str:
        """Who may answer there, for people."""
        return ", ".join(map(ipv4_text, self._asked_for(circuit)))

    @property
    def waiting(self) -> Collection[Question]:
        """What may still be answered, the oldest first."""
        return self._questions.waiting

    def _worthless(self, message: DhcpMessage, circuit: Circuit) -> Discarded | None:
        """Why a client's message goes no further."""
        if message.op != BOOTREQUEST or message.message_type not in CLIENT_MESSAGES:
            return Discarded.IGNORED
        if message.hops > min(self._policy.max_hops, MOST_HOPS):
            return Discarded.TOO_MANY_HOPS
        if message.giaddr in self._own or (message.giaddr and not is_host_address(message.giaddr)):
            return Discarded.SPOOFED_RELAY
        told = message.option(OptionCode.RELAY_AGENT_INFORMATION)
        if message.giaddr or told is None:
            return None
        if not circuit.trusted:
            return Discarded.UNTRUSTED
        try:
            RelayInformation.decode(told)
        except WireError:
            return Discarded.BROKEN_INFORMATION
        return None

    def _as_relayed(self, message: DhcpMessage, circuit: Circuit) -> tuple[bytes, bool]:
        """As the servers get it, all else as it came (D5); and whether option 82 had to be left out."""
        payload = message.payload()
        hops = message.hops + 1
        if message.giaddr:  # another relay was there first, whose business the rest is (D4, D6)
            return dhcp_octets.relayed(payload, hops=hops, giaddr=message.giaddr), False
        payload = dhcp_octets.relayed(payload, hops=hops, giaddr=self._giaddr(circuit))
        # Every server that hears a DISCOVER would give an address, at once and without being chosen (RFC 4039 3.1).
        payload = dhcp_octets.without_option(payload, OptionCode.RAPID_COMMIT)
        if not self._policy.client_subnet_selection or self._selects(circuit):
            payload = dhcp_octets.without_option(payload, OptionCode.SUBNET_SELECTION)
        if self._selects(circuit):
            subnet = circuit.subnet.to_bytes(4, "big")
            payload = dhcp_octets.with_option_last(payload, OptionCode.SUBNET_SELECTION, subnet)
        told = self._told(message, circuit)
        if told is None:
            return _padded(payload), False
        if told.fits:
            whole = dhcp_octets.with_option_last(payload, OptionCode.RELAY_AGENT_INFORMATION, told.encode())
            if len(whole) + _HEADERS <= self._policy.max_size:
                return _padded(whole), False
        return _padded(payload), True

    def _told(self, message: DhcpMessage, circuit: Circuit) -> RelayInformation | None:
        """Our option 82. A second one is never added (D6, D7)."""
        if message.giaddr or message.option(OptionCode.RELAY_AGENT_INFORMATION) is not None:
            return None
        return information(self._policy.option_82, circuit, message.chaddr, self._giaddr(circuit))

    def _unusable(self, message: DhcpMessage, question: Question) -> Discarded | None:
        """Why an answer to ``question`` is not for its client."""
        circuit, echoed = question.circuit, message.option(OptionCode.RELAY_AGENT_INFORMATION)
        if echoed is not None and not self._is_echo(echoed, question):
            return Discarded.OTHER_CIRCUIT
        if self._is_too_long(message, question):
            return Discarded.TOO_LONG
        if message.message_type is MessageType.NAK or question.message.message_type is MessageType.INFORM:
            return None
        if self._selects(circuit):
            subnet = message.option(OptionCode.SUBNET_SELECTION)
            if subnet != circuit.subnet.to_bytes(4, "big"):
                return Discarded.SUBNET_IGNORED
        return None if gives_an_address(message) else Discarded.INCOMPLETE

    def _is_too_long(self, message: DhcpMessage, question: Question) -> bool:
        """For the client (D8), which does not get our option 82."""
        longest = question.message.maximum_size
        if longest is None:
            return False
        most = max(longest, LEAST_MAXIMUM)
        return len(message.octets) > most and len(self._as_answered(message, question).octets) > most

    def _is_echo(self, echoed: bytes, question: Question) -> bool:
        """Whether it names the circuit that we named, if any: servers should copy all, and need not (D10, D18)."""
        asked = question.message
        try:
            named = RelayInformation.decode(echoed).circuit_id
            brought = asked.option(OptionCode.RELAY_AGENT_INFORMATION)
            told = (
                self._told(asked, question.circuit) if brought is None else RelayInformation.decode(brought)
            )
        except WireError:
            return False
        return named is None or (told is not None and named == told.circuit_id)

    def _as_answered(self, message: DhcpMessage, question: Question) -> DhcpMessage:
        """As the client gets it: without what only we asked for, all else as it came (D9)."""
        octets, asked = message.octets, question.message
        if asked.option(OptionCode.RELAY_AGENT_INFORMATION) is None:
            octets = dhcp_octets.without_option(octets, OptionCode.RELAY_AGENT_INFORMATION)
        if self._selects(question.circuit) or not self._policy.client_subnet_selection:
            octets = dhcp_octets.without_option(octets, OptionCode.SUBNET_SELECTION)
        return message if octets == message.octets else DhcpMessage.decode(octets)

    def _selects(self, circuit: Circuit) -> bool:
        """Whether option 118 is ours; link selection says the same, and wins (D13)."""
        links = Fact.LINK_SELECTION in self._policy.option_82
        return self._policy.subnet_selection and circuit.subnet != UNSPECIFIED and not links

    def _giaddr(self, circuit: Circuit) -> Ipv4:
        return circuit.giaddr or self._policy.giaddr

    def _override(self, circuit: Circuit) -> Ipv4:
        """As whom servers present themselves to the client, 0: as who they are (D14)."""
        told = Fact.SERVER_IDENTIFIER_OVERRIDE in self._policy.option_82
        return self._giaddr(circuit) if told else UNSPECIFIED

    def _asked_for(self, circuit: Circuit) -> tuple[Ipv4, ...]:
        return (circuit.server,) if circuit.server else self._policy.servers

    def _servers_for(self, client: Mac, circuit: Circuit) -> tuple[Ipv4, ...]:
        servers = self._asked_for(circuit)
        if circuit.server:
            self._further[circuit.server] = None
            self._further.move_to_end(circuit.server)
            if len(self._further) > MOST_FURTHER:
                self._further.popitem(last=False)
        if self._policy.spread is Spread.ALL or not servers:
            return servers
        return (servers[crc32(client) % len(servers)],)


def _circuit_named(message: DhcpMessage) -> bytes | None:
    """In a server's copy of option 82."""
    copied = message.option(OptionCode.RELAY_AGENT_INFORMATION)
    try:
        return None if copied is None else RelayInformation.decode(copied).circuit_id
    except WireError:
        return None


def _padded(payload: bytes) -> bytes:
    return payload.ljust(MINIMUM_PAYLOAD, b"\0")
