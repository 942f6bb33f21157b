"""The relay agent between clients on the access links and DHCP servers in the core (RFC 1542 4.1, RFC 3046; P63).

It passes on only what answers what a client has asked (`questions`). What a message means for
anybody's registration is not its business.
"""

from collections.abc import Iterable
from typing import Final

import attrs

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.dhcp.discarded import Discarded
from pmip_tw.dhcp.questions import Answer, Questions, gives_an_address, release_of
from pmip_tw.wire.dhcp import BOOTREPLY, BOOTREQUEST, DhcpMessage, MessageType, OptionCode

HOPS_BEFORE_US: Final = 4
"""A request that has come through more relays is discarded (D3)."""


@attrs.frozen(slots=True)
class ToServer:
    """Send ``payload`` to port 67 of ``server``, from port 67 of our own address."""

    payload: bytes = attrs.field(repr=False)
    server: Ipv4


class Relay:
    """``address`` is ours, towards the servers: the giaddr of all clients (D4). Times are monotonic seconds."""

    def __init__(self, address: Ipv4, servers: Iterable[Ipv4]) -> None:
        self._address = address
        self._servers = tuple(servers)
        self._questions = Questions()

    def asked(self, message: DhcpMessage, subnet: Ipv4, now: float) -> list[ToServer] | Discarded:
        """A client's message goes to all servers (D5); ``subnet`` is where its address is to come from, 0: anywhere."""
        if message.op != BOOTREQUEST or message.hops > HOPS_BEFORE_US:
            return Discarded.IGNORED
        refused = self._questions.put(message, now, subnet)
        if refused is not None:
            return refused
        payload = self._relayed(message, subnet).payload()
        return [ToServer(payload, server) for server in self._servers]

    def answered(self, payload: bytes, source: Endpoint, now: float) -> Answer | Discarded:
        """A datagram that arrived at our port 67. Raises WireError."""
        if source.address not in self._servers:
            return Discarded.UNKNOWN_SERVER
        message = DhcpMessage.decode(payload)
        if message.op != BOOTREPLY:
            return Discarded.NOT_A_REPLY
        if message.giaddr != self._address:
            return Discarded.OTHER_RELAY
        asked = self._questions.answered_by(message, now)
        if asked is None:
            return Discarded.UNEXPECTED
        if (
            message.message_type is not MessageType.NAK
            and asked.message.message_type is not MessageType.INFORM
        ):
            if asked.subnet and message.option(OptionCode.SUBNET_SELECTION) != _octets(asked.subnet):
                return Discarded.SUBNET_IGNORED
            if not gives_an_address(message):
                return Discarded.INCOMPLETE
        self._questions.settle(asked, message)
        return Answer(
            message=_without(message, OptionCode.SUBNET_SELECTION),
            asked=asked.message,
            asked_at=asked.at,
            server=source.address,
        )

    def release(self, lease: Answer, xid: int) -> ToServer:
        """Give back, in the client's name, what ``lease`` gave it: it will never hear of it (RFC 2131 3.4)."""
        return ToServer(release_of(lease, xid).payload(), lease.server)

    def unanswered(self, now: float) -> list[DhcpMessage]:
        """What no server has answered in time; each is told once."""
        return self._questions.unanswered(now)

    def next_deadline(self) -> float | None:
        """When to ask for ``unanswered``."""
        return self._questions.next_deadline()

    @property
    def servers(self) -> str:
        """For people."""
        return ", ".join(map(ipv4_text, self._servers))

    def _relayed(self, message: DhcpMessage, subnet: Ipv4) -> DhcpMessage:
        """As the servers get it: all else stays (D5). Option 82 will stand behind all others (D6)."""
        relayed = _without(message, OptionCode.SUBNET_SELECTION)
        options = relayed.options
        if subnet:
            options += ((OptionCode.SUBNET_SELECTION, _octets(subnet)),)
        return attrs.evolve(relayed, hops=message.hops + 1, giaddr=self._address, options=options)


def _without(message: DhcpMessage, code: int) -> DhcpMessage:
    if message.option(code) is None:
        return message
    return attrs.evolve(message, options=tuple(option for option in message.options if option[0] != code))


def _octets(address: Ipv4) -> bytes:
    return address.to_bytes(4, "big")
