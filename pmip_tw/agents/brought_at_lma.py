"""Registrations that AAA brings to an LMA: the reply goes back to AAA, not to the agent that has sent the request."""

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from zope.interface import implementer

from pmip_tw.aaa.node_keys import Brought, KeyQuestion
from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.agents.workers.signalling_wrapper import SignallingWrapper
from pmip_tw.interfaces import IHomeAgent, ISignalling, ISignallingReceiver, ITunnelDataReceiver
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.registration import REPLY_HEADER, RegistrationReply

_REPLY = int(MessageType.REGISTRATION_REPLY)

Whose = tuple[Endpoint, int]
"""To whom a reply goes, and the low half of its Identification, which is that of the request (RFC 5944 3.4)."""


@implementer(ISignalling)
class RepliesForAaa(SignallingWrapper):
    """Port 434 of an LMA, but for replies that somebody waits for."""

    def __init__(self, signalling: ISignalling) -> None:
        super().__init__(signalling)
        self._awaited: dict[Whose, list[tuple[bytes, Deferred[bytes | None]]]] = {}

    def start(self, receiver: ISignallingReceiver, tunnel_data: ITunnelDataReceiver | None) -> None:
        self._signalling.start(receiver, tunnel_data)

    def is_awaited(self, whose: Whose, nai: bytes) -> bool:
        return any(name == nai for name, _ in self._awaited.get(whose, ()))

    def expect(self, whose: Whose, nai: bytes) -> "Deferred[bytes | None]":
        """The next reply of that kind to the node ``nai`` is not sent, but is what this fires with. Cancelled, it is
        sent."""

        def forget(reply: "Deferred[bytes | None]") -> None:
            self._keep(whose, [one for one in self._awaited.get(whose, ()) if one[1] is not reply])

        reply: Deferred[bytes | None] = Deferred(forget)
        self._awaited.setdefault(whose, []).append((nai, reply))
        return reply

    def give(self, whose: Whose, nai: bytes, reply: bytes | None) -> bool:
        """Whether somebody has waited for it. None: there will be no reply."""
        waiting = self._awaited.get(whose, [])
        self._keep(whose, [one for one in waiting if one[0] != nai])
        found = [one for name, one in waiting if name == nai]
        for one in found:
            one.callback(reply)
        return bool(found)

    def _keep(self, whose: Whose, waiting: "list[tuple[bytes, Deferred[bytes | None]]]") -> None:
        if waiting:
            self._awaited[whose] = waiting
        else:
            self._awaited.pop(whose, None)

    def send_all(self, messages: Sequence[tuple[bytes, Endpoint]], source: Ipv4) -> None:
        if self._awaited:
            messages = [message for message in messages if not self._takes(*message)]
        if messages:
            self._signalling.send_all(messages, source)

    def _takes(self, payload: bytes, destination: Endpoint) -> bool:
        if payload[0] != _REPLY or len(payload) < REPLY_HEADER.size:
            return False
        low = int.from_bytes(payload[REPLY_HEADER.size - 4 : REPLY_HEADER.size], "big")
        if (destination, low) not in self._awaited:
            return False
        # An agent may have two nodes that have chosen the same.
        return self.give((destination, low), RegistrationReply.decode(payload).nai, payload)


@implementer(IHomeAgent)
class BroughtToLma:
    """``bring``: gives it to the agent, and says whether an answer is to be expected."""

    def __init__(self, bring: Callable[[KeyQuestion, Brought], bool], replies: RepliesForAaa) -> None:
        self._bring = bring
        self._replies = replies

    def register(
        self, question: KeyQuestion, brought: Brought, identification: int
    ) -> "Deferred[bytes | None]":
        whose = Endpoint(question.care_of_address, SIGNALLING_PORT), identification
        nai = question.nai
        again = self._replies.is_awaited(whose, nai)
        reply = self._replies.expect(whose, nai)
        comes = False
        try:
            comes = again or self._bring(question, brought)
        finally:
            if not comes:
                self._replies.give(whose, nai, None)
        return reply
