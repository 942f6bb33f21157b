"""AAA that acts upon sessions (RFC 5176): a real edge at each MAG, and somebody who asks it."""

import struct
from typing import TYPE_CHECKING

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.authorization_server import AuthorizationPolicy
from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.interfaces import Datagram, ISessions, Unreachable
from pmip_tw.net.dynamic_authorization import DynamicAuthorization
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import (
    ETHERNET,
    Attribute,
    Attributes,
    AttributeType,
    Code,
    Request,
    encode_request,
    number,
    text,
)
from tests.simulation.ledger import Elsewhere
from tests.simulation.radius.sockets import SimulatedPort, Timers

if TYPE_CHECKING:
    from tests.simulation.machines import Machine
    from tests.simulation.world import World

PORT = 3799
SECRET_OF_CLIENT = Secret(b"what changes sessions")
CLIENT = Endpoint(ipv4("192.0.2.60"), 40_001)

_AUTHORIZE_ONLY = 17
_CODES = {"disconnect": Code.DISCONNECT_REQUEST, "change": Code.COA_REQUEST, "authorize": Code.COA_REQUEST}
KINDS = tuple(_CODES)


class SimulatedAuthorization(DynamicAuthorization):
    """Of one process of ``machine``."""

    def __init__(
        self, machine: "Machine", sessions: ISessions, nas: Nas, *, port_type: int = ETHERNET
    ) -> None:
        policy = AuthorizationPolicy(clients={CLIENT.address: SECRET_OF_CLIENT}, nas=nas, port_type=port_type)
        super().__init__(
            Timers(machine),  # type: ignore[arg-type]
            machine.clock,
            policy,
            sessions,
            Elsewhere(machine.ledger),
            local=machine.address,
            port=PORT,
            address=lambda: machine.address,
        )
        self._process = machine

    def start(self) -> None:
        self._door = SimulatedPort(self._process, PORT, hear=self._heard, run=self._run)
        self._socket = self._door

    def hears(self, datagram: Datagram) -> None:
        self._door.socket.arrive(datagram)

    def done(self, answers: list[Datagram]) -> list[bytes]:
        """Of what it has heard in this life, what was answered."""
        socket = self._door.socket
        answered = {one.payload[1] for one in answers if one.source == socket.endpoint}
        return [one.payload for one in socket.heard if one.source == CLIENT and one.payload[1] in answered]


class Asker:
    """An AAA server that acts upon sessions. ``asked``: what it has sent, to whom, newest last; ``answers``: heard."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._count = 0
        self.asked: list[tuple[Endpoint, bytes]] = []
        self.answers: list[Datagram] = []
        world.network.attach(CLIENT, self)

    def ask(self, machine: "Machine", kind: str, nai: str) -> None:
        octets = self.written(kind, nai, SECRET_OF_CLIENT)
        to = Endpoint(machine.address, PORT)
        self.asked.append((to, octets))
        self._world.network.send(CLIENT, to, octets)

    def written(self, kind: str, nai: str, secret: Secret, *, age: float = 0.0) -> bytes:
        self._count += 1
        pairs: list[Attribute] = [
            text(AttributeType.USER_NAME, nai),
            (AttributeType.EVENT_TIMESTAMP.value, struct.pack("!L", int(self._world.clock.wall - age))),
        ]
        if kind == "change":
            pairs.append(number(AttributeType.SESSION_TIMEOUT, 3600))
        elif kind == "authorize":
            pairs.append(number(AttributeType.SERVICE_TYPE, _AUTHORIZE_ONLY))
            pairs.append((AttributeType.STATE.value, b"\0state of %d" % self._count))
        return encode_request(
            Request(code=_CODES[kind], attributes=Attributes(pairs)),
            identifier=self._count % 256,
            authenticator=bytes(16),
            secret=secret,
        )

    def arrive(self, datagram: Datagram) -> None:
        self.answers.append(datagram)

    def report(self, unreachable: Unreachable) -> None:
        """It has no agent at present."""
