"""What clients have asked and servers may still answer: one question of each client, for half a minute (D10)."""

from collections import OrderedDict
from collections.abc import Collection, Hashable
from typing import Final

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4, Mac
from pmip_tw.dhcp.discarded import Discarded
from pmip_tw.dhcp.relaying import Circuit
from pmip_tw.wire.dhcp import BOOTREQUEST, DhcpMessage, MessageType, Option, OptionCode
from pmip_tw.wire.ipv4 import is_host_address

REPLY_WINDOW: Final = 30.0
"""Seconds in which a server may answer (D10)."""

SILENCE: Final = 4.0
"""Seconds after which servers count as silent: when the client asks again (RFC 2131 4.1). Some servers look for 3 s
whether anybody has an address, before they offer it.
"""

MOST_IN_A_SECOND: Final = 8
"""Messages of one client that are relayed within a second; a client that works needs three."""

MOST_QUESTIONS: Final = 32_768
"""More than that many are not remembered: the oldest is forgotten, whose client asks again."""

NOWHERE: Final = Circuit()
"""Where there is nothing to be told of."""

MOST_LESSORS: Final = 65_536
"""Of more leases it is not known who gave them; those of whom nothing was heard for longest."""

_OFFERS_REMEMBERED: Final = 16
_FORGOTTEN_AT_ONCE = 64
_TOLD_AT_ONCE = 256

ANSWERS: Final = {
    MessageType.DISCOVER: (MessageType.OFFER,),
    MessageType.REQUEST: (MessageType.ACK, MessageType.NAK),
    MessageType.INFORM: (MessageType.ACK,),
}
"""What a server says to each message; all others have no answer (RFC 2131 3.1)."""

CLIENT_MESSAGES: Final = frozenset((*ANSWERS, MessageType.RELEASE, MessageType.DECLINE))

_Client = tuple[Mac, Hashable]


@attrs.frozen(slots=True, kw_only=True)
class Answer:
    """What a server answers, as the client is to see it. ``asked_at``: monotonic, of the newest try."""

    message: DhcpMessage
    asked: DhcpMessage
    asked_at: float
    server: Ipv4
    circuit: Circuit = attrs.field(factory=Circuit)

    @property
    def is_lease(self) -> bool:
        """An ACK that gives or extends an address; one to an INFORM does neither."""
        return self.message.message_type is MessageType.ACK and self.asked.message_type is MessageType.REQUEST


@attrs.define(slots=True, kw_only=True, eq=False)
class Question:
    """``at``: monotonic, of the newest try. ``only``: the servers that may answer, empty: any.

    ``one_name``: all servers go by the same. ``offered``: (address, who offered it) until the client has chosen.
    ``lessor``: who gave the address that is to be renewed, and alone may take it away; 0: any.
    """

    message: DhcpMessage
    circuit: Circuit
    at: float
    only: tuple[Ipv4, ...] = ()
    lessor: Ipv4 = UNSPECIFIED
    one_name: bool = False
    offered: tuple[tuple[Ipv4, Ipv4], ...] = ()

    @property
    def client(self) -> _Client:
        """The same MAC on two circuits is two clients: neither can take the other's answers away."""
        return self.message.chaddr, self.circuit.port

    @property
    def transaction(self) -> tuple[Mac, int]:
        return self.message.chaddr, self.message.xid


class Questions:
    """All that is done takes the same time however many there are."""

    def __init__(self) -> None:
        # In the order of asking: the first is always the oldest. A dict would look for it among all that have gone.
        self._asked: OrderedDict[_Client, Question] = OrderedDict()
        self._unheard: OrderedDict[_Client, float] = OrderedDict()
        # Two clients may have the same MAC and transaction, if one of them pretends to be the other.
        self._by_transaction: dict[tuple[Mac, int], tuple[_Client, ...]] = {}
        self._lessors: OrderedDict[tuple[Mac, Ipv4], Ipv4] = OrderedDict()
        self._second = 0
        self._in_second: dict[_Client, int] = {}
        self._servers_heard_at = float("-inf")
        self.servers_silent = False

    @property
    def waiting(self) -> Collection[Question]:
        return self._asked.values()

    def may_ask(self, mac: Mac, port: Hashable, now: float) -> bool:
        """Counts what it is asked about. Whoever pretends to have that MAC on another port takes nothing away."""
        if self._second != int(now):
            self._second, self._in_second = int(now), {}
        client = mac, port
        asked = self._in_second.get(client, 0)
        self._in_second[client] = asked + 1
        return asked < MOST_IN_A_SECOND

    def put(
        self,
        message: DhcpMessage,
        now: float,
        circuit: Circuit = NOWHERE,
        *,
        override: Ipv4 = UNSPECIFIED,
    ) -> Discarded | None:
        """A client's message is to be passed on, in place of what it asked before; or why it is not.

        ``override``: the name that all servers go by (D14), 0 if each has its own.
        """
        if message.message_type not in CLIENT_MESSAGES:
            return Discarded.IGNORED
        if not self.may_ask(message.chaddr, circuit.port, now):
            return Discarded.TOO_OFTEN
        self._forget_old(now)
        question = Question(message=message, circuit=circuit, at=now, one_name=bool(override))
        before = self._asked.get(question.client)
        if before is not None:
            self._replace(before)
        if message.message_type not in ANSWERS:
            self._unheard.pop(question.client, None)
            return None
        if before is not None and override:
            question.offered = before.offered
            if message.message_type is MessageType.REQUEST and message.server_identifier == override:
                chosen = message.requested_address
                question.only = tuple(who for address, who in before.offered if address == chosen)
        if override and message.ciaddr:
            question.lessor = self._lessors.get((message.chaddr, message.ciaddr), UNSPECIFIED)
        self._asked[question.client] = question
        others = self._by_transaction.get(question.transaction, ())
        self._by_transaction[question.transaction] = (question.client, *others)
        # Who asks again has waited since the first time, however often that is.
        self._unheard.setdefault(question.client, now + SILENCE)
        return None

    def answered_by(
        self, message: DhcpMessage, now: float, server: Ipv4 = UNSPECIFIED, circuit_id: bytes | None = None
    ) -> Question | None:
        """The question that ``message``, of ``server``, answers; None: nothing that is still open.

        ``circuit_id``: what the server says of the client's place, if anything. It decides between clients that are
        alike otherwise (D10), and without it the newest is believed.
        """
        clients = self._by_transaction.get((message.chaddr, message.xid), ())
        alike = [self._asked[client] for client in clients]
        named = [question for question in alike if question.circuit.circuit_id == circuit_id]
        question = next(iter(named or alike), None)
        if question is None or question.at + REPLY_WINDOW < now:
            return None
        kind, chosen = question.message.message_type, question.message.server_identifier
        if kind is None or message.message_type not in ANSWERS[kind]:
            return None
        if chosen is not None and message.server_identifier != chosen:
            return None
        if message.message_type is MessageType.NAK and question.lessor not in (UNSPECIFIED, server):
            return None  # under one name a renewal comes to servers that know nothing of the lease (D14)
        return question if not question.only or server in question.only else None

    def settle(self, question: Question, message: DhcpMessage, server: Ipv4 = UNSPECIFIED) -> None:
        """``message`` answers it, and is passed on; after a DISCOVER others may offer something, too."""
        self._unheard.pop(question.client, None)
        if message.message_type is not MessageType.OFFER:
            self._remove(question)
            if question.one_name and message.message_type is MessageType.ACK and message.yiaddr:
                self._remember_lessor(message, server)
        elif (offer := (message.yiaddr, server)) not in question.offered:
            question.offered = (*question.offered[1 - _OFFERS_REMEMBERED :], offer)

    def servers_heard(self, now: float) -> None:
        """One of them has answered something."""
        self._servers_heard_at, self.servers_silent = now, False

    def unanswered(self, now: float) -> list[Question]:
        """Those of which this is not told yet; the next ones when asked again."""
        self._forget_old(now)
        silent: list[Question] = []
        while self._unheard and len(silent) < _TOLD_AT_ONCE:
            client, until = next(iter(self._unheard.items()))
            if until > now:
                break
            del self._unheard[client]
            silent.append(self._asked[client])
        if any(question.at > self._servers_heard_at for question in silent):
            self.servers_silent = True
        return silent

    def next_deadline(self) -> float | None:
        """When to ask for ``unanswered``."""
        return next(iter(self._unheard.values()), None)

    def _remember_lessor(self, message: DhcpMessage, server: Ipv4) -> None:
        self._lessors[message.chaddr, message.yiaddr] = server
        self._lessors.move_to_end((message.chaddr, message.yiaddr))
        if len(self._lessors) > MOST_LESSORS:
            self._lessors.popitem(last=False)

    def _remove(self, question: Question) -> None:
        self._replace(question)
        self._unheard.pop(question.client, None)

    def _replace(self, question: Question) -> None:
        """Its client has another one; what it waits for is the same."""
        del self._asked[question.client]
        others = tuple(one for one in self._by_transaction[question.transaction] if one != question.client)
        if others:
            self._by_transaction[question.transaction] = others
        else:
            del self._by_transaction[question.transaction]

    def _forget_old(self, now: float) -> None:
        """A few more than come in, so that there is never much to do at once."""
        for _ in range(_FORGOTTEN_AT_ONCE):
            if not self._asked:
                break
            oldest = next(iter(self._asked.values()))
            if oldest.at + REPLY_WINDOW >= now and len(self._asked) < MOST_QUESTIONS:
                break
            self._remove(oldest)


def gives_an_address(message: DhcpMessage) -> bool:
    """Whether an OFFER or ACK is complete."""
    return is_host_address(message.yiaddr) and bool(message.lease_time)


def release_of(lease: Answer, xid: int) -> DhcpMessage:
    """Gives back, in the client's name, what ``lease`` gave it: it will never hear of it (RFC 2131 3.4)."""
    given = lease.message
    identifier = given.server_identifier or lease.server
    options: list[Option] = [
        (OptionCode.MESSAGE_TYPE, bytes((MessageType.RELEASE,))),
        (OptionCode.SERVER_IDENTIFIER, identifier.to_bytes(4, "big")),
    ]
    if lease.asked.client_identifier is not None:
        options.append((OptionCode.CLIENT_IDENTIFIER, lease.asked.client_identifier))
    return DhcpMessage(
        op=BOOTREQUEST, xid=xid, chaddr=given.chaddr, ciaddr=given.yiaddr, options=tuple(options)
    )
