"""The relay agent between clients on the access links and DHCP servers in the core (RFC 1542 4.1, RFC 3046; P63).

For each client it remembers what was asked last, and passes on only what answers that. What a message means for
anybody's registration is not its business.
"""

from collections import OrderedDict
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import attrs

from pmip_tw.addresses import Endpoint, Ipv4, Mac, ipv4_text
from pmip_tw.wire.dhcp import BOOTREPLY, BOOTREQUEST, DhcpMessage, MessageType, Option, OptionCode
from pmip_tw.wire.ipv4 import is_host_address

HOPS_BEFORE_US: Final = 4
"""A request that has come through more relays is discarded (D3)."""

REPLY_WINDOW: Final = 30.0
"""Seconds in which a server may answer (D10)."""

SILENCE: Final = 3.0
"""Seconds after which servers count as silent: before the client asks again (RFC 2131 4.1)."""

MOST_IN_A_SECOND: Final = 8
"""Messages of one client that are relayed within a second; a client that works needs three."""

_ANSWERS: Final = {
    MessageType.DISCOVER: (MessageType.OFFER,),
    MessageType.REQUEST: (MessageType.ACK, MessageType.NAK),
    MessageType.INFORM: (MessageType.ACK,),
}
"""What a server says to each message; all others have no answer (RFC 2131 3.1)."""

_RELAYED: Final = frozenset((*_ANSWERS, MessageType.RELEASE, MessageType.DECLINE))


class Discarded(StrEnum):
    """Why a message is not relayed, as a word for counters."""

    IGNORED = "dhcp-ignored"
    """Not what a client says to a server."""
    TOO_OFTEN = "dhcp-too-often"
    UNKNOWN_SERVER = "dhcp-unknown-server"
    """From an address that is none of the servers'."""
    NOT_A_REPLY = "dhcp-not-a-reply"
    OTHER_RELAY = "dhcp-other-relay"
    """Its giaddr is not ours (D9)."""
    UNEXPECTED = "dhcp-unexpected-reply"
    """It answers nothing that was asked here lately, or what has an answer already, or comes from a server that the
    client did not choose (D10)."""
    SUBNET_IGNORED = "dhcp-subnet-ignored"
    """Without a copy of the subnet selection option: the address is from another subnet (D17)."""
    INCOMPLETE = "dhcp-incomplete-reply"
    """No address, or no lease time."""

    @property
    def cause(self) -> str:
        """For people."""
        return _CAUSES.get(self, "")


_CAUSES: Final = {
    Discarded.UNKNOWN_SERVER: "it is none of the DHCP servers that are configured",
    Discarded.NOT_A_REPLY: "it is no answer of a DHCP server",
    Discarded.OTHER_RELAY: "it is for another relay: giaddr is not our address",
    Discarded.UNEXPECTED: "it answers nothing that a node asked here in the last 30 s",
    Discarded.SUBNET_IGNORED: "it does not confirm the subnet: does the server know option 118 (RFC 3011)?",
    Discarded.INCOMPLETE: "it gives no address, or no lease time",
}


@attrs.frozen(slots=True)
class ToServer:
    """Send ``payload`` to port 67 of ``server``, from port 67 of our own address."""

    payload: bytes = attrs.field(repr=False)
    server: Ipv4


@attrs.frozen(slots=True, kw_only=True)
class Answer:
    """What a server answers, as the client is to see it. ``asked_at``: monotonic, of the newest try."""

    message: DhcpMessage
    asked: DhcpMessage
    asked_at: float
    server: Ipv4

    @property
    def is_lease(self) -> bool:
        """An ACK that gives or extends an address; one to an INFORM does neither."""
        return self.message.message_type is MessageType.ACK and self.asked.message_type is MessageType.REQUEST


@attrs.define(slots=True, kw_only=True)
class _Asked:
    """``subnet``: selected for the client, 0 for none. ``settled``: an ACK or NAK was passed on."""

    message: DhcpMessage
    subnet: Ipv4
    at: float
    second: int
    in_second: int = 1
    settled: bool = False


class Relay:
    """``address`` is ours, towards the servers: the giaddr of all clients (D4). Times are monotonic seconds."""

    def __init__(self, address: Ipv4, servers: Iterable[Ipv4]) -> None:
        self._address = address
        self._servers = tuple(servers)
        # In the order of asking: the first is always the oldest. A dict would look for it among all that have gone.
        self._asked: OrderedDict[Mac, _Asked] = OrderedDict()
        self._unheard: OrderedDict[Mac, float] = OrderedDict()

    def asked(self, message: DhcpMessage, subnet: Ipv4, now: float) -> list[ToServer] | Discarded:
        """A client's message goes to all servers (D5); ``subnet`` is where its address is to come from, 0: anywhere."""
        kind = message.message_type
        if kind not in _RELAYED or message.op != BOOTREQUEST or message.hops > HOPS_BEFORE_US:
            return Discarded.IGNORED
        asked = _Asked(message=message, subnet=subnet, at=now, second=int(now))
        before = self._asked.get(message.chaddr)
        if before is not None and before.second == asked.second:
            asked.in_second += before.in_second
            if asked.in_second > MOST_IN_A_SECOND:
                return Discarded.TOO_OFTEN
        self._forget_old(now)
        self._asked.pop(message.chaddr, None)
        self._asked[message.chaddr] = asked
        self._unheard.pop(message.chaddr, None)
        if kind in _ANSWERS:
            self._unheard[message.chaddr] = now + SILENCE
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
        asked = self._asked.get(message.chaddr)
        if asked is None or not _answers(message, asked) or asked.at + REPLY_WINDOW < now:
            return Discarded.UNEXPECTED
        kind = message.message_type
        if kind is not MessageType.NAK and asked.message.message_type is not MessageType.INFORM:
            if asked.subnet and message.option(OptionCode.SUBNET_SELECTION) != _octets(asked.subnet):
                return Discarded.SUBNET_IGNORED
            if not is_host_address(message.yiaddr) or not message.lease_time:
                return Discarded.INCOMPLETE
        asked.settled = kind is not MessageType.OFFER
        self._unheard.pop(message.chaddr, None)
        return Answer(
            message=_without(message, OptionCode.SUBNET_SELECTION),
            asked=asked.message,
            asked_at=asked.at,
            server=source.address,
        )

    def release(self, lease: Answer, xid: int) -> ToServer:
        """Give back, in the client's name, what ``lease`` gave it: it will never hear of it (RFC 2131 3.4)."""
        given = lease.message
        identifier = given.server_identifier or lease.server
        options: list[Option] = [
            (OptionCode.MESSAGE_TYPE, bytes((MessageType.RELEASE,))),
            (OptionCode.SERVER_IDENTIFIER, _octets(identifier)),
        ]
        if lease.asked.client_identifier is not None:
            options.append((OptionCode.CLIENT_IDENTIFIER, lease.asked.client_identifier))
        message = DhcpMessage(
            op=BOOTREQUEST, xid=xid, chaddr=given.chaddr, ciaddr=given.yiaddr, options=tuple(options)
        )
        return ToServer(message.payload(), lease.server)

    def unanswered(self, now: float) -> list[DhcpMessage]:
        """What no server has answered in time; each is told once."""
        silent = []
        while self._unheard:
            client, until = next(iter(self._unheard.items()))
            if until > now:
                break
            del self._unheard[client]
            silent.append(self._asked[client].message)
        return silent

    def next_deadline(self) -> float | None:
        """When to ask for ``unanswered``."""
        return next(iter(self._unheard.values()), None)

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

    def _forget_old(self, now: float) -> None:
        while self._asked:
            client, oldest = next(iter(self._asked.items()))
            if oldest.at + REPLY_WINDOW >= now:
                break
            del self._asked[client]
            self._unheard.pop(client, None)


def _answers(message: DhcpMessage, asked: _Asked) -> bool:
    if message.xid != asked.message.xid or asked.settled:
        return False
    question = asked.message.message_type
    if question is None or message.message_type not in _ANSWERS.get(question, ()):
        return False
    chosen = asked.message.server_identifier
    return chosen is None or message.server_identifier == chosen


def _without(message: DhcpMessage, code: int) -> DhcpMessage:
    if message.option(code) is None:
        return message
    return attrs.evolve(message, options=tuple(option for option in message.options if option[0] != code))


def _octets(address: Ipv4) -> bytes:
    return address.to_bytes(4, "big")
