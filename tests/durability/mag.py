"""One MAG that asks for one thing at a time, for tests that tell a story."""

import select
import time

from bench.generator import Clients
from bench.nodes import is_authentic, node_in
from bench.requests import REGISTRATION_REPLY, Requests
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.wire.registration import RegistrationReply
from tests.durability.subject import MAX_LIFETIME, Subject

ACCEPTED = 1
"""The code of a registration without simultaneous bindings (RFC 5944 3.4)."""


class Mag:
    """The first one of those that the ``subject`` hears."""

    def __init__(self, subject: Subject) -> None:
        (self._socket,) = Clients(
            subject.mags[:1], subject.address, SIGNALLING_PORT, own_port=SIGNALLING_PORT
        ).sockets
        self._address = subject.mags[0]
        self._requests = Requests(subject.address)

    def register(self, node: int, *, within: float = 20.0) -> int | None:
        """The code of the reply; None: there was none, or nobody is there."""
        return self._ask(node, MAX_LIFETIME, within)

    def deregister(self, node: int, *, within: float = 20.0) -> int | None:
        return self._ask(node, 0, within)

    def _ask(self, node: int, lifetime: int, within: float) -> int | None:
        message = self._requests.signed(node, self._address, lifetime=lifetime, wall=time.time())
        try:
            self._socket.send(message)
            return self._code(node, message, time.monotonic() + within)
        except ConnectionRefusedError:
            return None

    def _code(self, node: int, message: bytes, deadline: float) -> int | None:
        """Of the reply to ``message``. ConnectionRefusedError: nobody is there."""
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._socket], [], [], left)[0]:
                break
            answer = self._socket.recv(2048)
            if answer[0] != REGISTRATION_REPLY or node_in(answer) != node:
                continue
            reply = RegistrationReply.decode(answer)
            if answer[12:20] == message[16:24]:
                assert is_authentic(answer)
                return reply.code
        return None
