"""What clients have asked lately, so that they get what answers it, and nothing else (D10)."""

from collections import OrderedDict
from typing import Final

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4, Mac
from pmip_tw.dhcp.discarded import Discarded
from pmip_tw.wire.dhcp import BOOTREQUEST, DhcpMessage, MessageType, Option, OptionCode
from pmip_tw.wire.ipv4 import is_host_address

REPLY_WINDOW: Final = 30.0
"""Seconds in which a server may answer (D10)."""

SILENCE: Final = 3.0
"""Seconds after which servers count as silent: before the client asks again (RFC 2131 4.1)."""

MOST_IN_A_SECOND: Final = 8
"""Messages of one client that are passed on within a second; a client that works needs three."""

_ANSWERS: Final = {
    MessageType.DISCOVER: (MessageType.OFFER,),
    MessageType.REQUEST: (MessageType.ACK, MessageType.NAK),
    MessageType.INFORM: (MessageType.ACK,),
}
"""What a server says to each message; all others have no answer (RFC 2131 3.1)."""

_PASSED_ON: Final = frozenset((*_ANSWERS, MessageType.RELEASE, MessageType.DECLINE))


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
class Question:
    """``subnet``: selected for the client, 0 for none. ``settled``: an ACK or NAK was passed on."""

    message: DhcpMessage
    subnet: Ipv4
    at: float
    second: int
    in_second: int = 1
    settled: bool = False


class Questions:
    """The last message of each client. Times are monotonic seconds."""

    def __init__(self) -> None:
        # In the order of asking: the first is always the oldest. A dict would look for it among all that have gone.
        self._asked: OrderedDict[Mac, Question] = OrderedDict()
        self._unheard: OrderedDict[Mac, float] = OrderedDict()

    def put(self, message: DhcpMessage, now: float, subnet: Ipv4 = UNSPECIFIED) -> Discarded | None:
        """A client's message is to be passed on; or why it is not."""
        kind = message.message_type
        if kind not in _PASSED_ON:
            return Discarded.IGNORED
        asked = Question(message=message, subnet=subnet, at=now, second=int(now))
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
        return None

    def answered_by(self, message: DhcpMessage, now: float) -> Question | None:
        """What a server's ``message`` answers; None: nothing that is still open."""
        asked = self._asked.get(message.chaddr)
        if asked is None or not _answers(message, asked) or asked.at + REPLY_WINDOW < now:
            return None
        return asked

    def settle(self, question: Question, message: DhcpMessage) -> None:
        """``message`` answers it, and is passed on."""
        question.settled = message.message_type is not MessageType.OFFER
        self._unheard.pop(message.chaddr, None)

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

    def _forget_old(self, now: float) -> None:
        while self._asked:
            client, oldest = next(iter(self._asked.items()))
            if oldest.at + REPLY_WINDOW >= now:
                break
            del self._asked[client]
            self._unheard.pop(client, None)


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


def _answers(message: DhcpMessage, asked: Question) -> bool:
    if message.xid != asked.message.xid or asked.settled:
        return False
    question = asked.message.message_type
    if question is None or message.message_type not in _ANSWERS.get(question, ()):
        return False
    chosen = asked.message.server_identifier
    return chosen is None or message.server_identifier == chosen
