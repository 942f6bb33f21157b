"""Somebody who answers in the name of RADIUS servers, from their address, and knows no secret.

He hears what is asked and what is answered; he can find any answer that MD5 alone protects, as CVE-2024-3596 has it.
"""

import random
from typing import TYPE_CHECKING

from pmip_tw.aaa.radius.configuration import RequireSignature
from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.interfaces import Datagram
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import NO_ATTRIBUTES, AttributeType, Code, decode_request, encode_answer
from tests.simulation import state
from tests.simulation.radius.at_lma import RadiusAtLma
from tests.simulation.radius.at_mag import RadiusAtMag
from tests.simulation.radius.authorization import CLIENT, SECRET_OF_CLIENT
from tests.simulation.radius.client import WatchedClient
from tests.simulation.radius.house import SECRET, House
from tests.simulation.radius.sockets import SimulatedSocket
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.machines import Machine
    from tests.simulation.world import World

LATE = 900.0
"""Seconds: three times the window of requests of AAA."""

DEMANDS = ("guess", "stranger", "late", "done")

_STRANGER = Endpoint(ipv4("203.0.113.77"), 40_001)

TRICKS = ("repeat", "falsify", "elsewhere", "guess", "unsigned")

_GUESS = Secret(b"a guess")
_YES = {Code.ACCESS_REQUEST: Code.ACCESS_ACCEPT, Code.ACCOUNTING_REQUEST: Code.ACCOUNTING_RESPONSE}

Forgery = tuple[SimulatedSocket, bytes, Endpoint]
"""What arrives where, and from whom as it seems."""


def forge(world: "World", machine: "Machine", client: WatchedClient, trick: str, choice: int) -> None:
    """``trick``: one of TRICKS; ``choice`` says about what. Nothing may come of it."""
    found = _made(client, trick, random.Random(choice))
    if found is None:
        return
    socket, octets, source = found
    before = client.ended, client.states(), state.picture(machine)
    world.note("evil", f"{trick}: {octets[:1].hex()} from {source} to {machine.name}")
    socket.arrive(Datagram(octets, source, machine.address))
    if (client.ended, client.states(), state.picture(machine)) != before:
        raise Violation("forged answers say nothing", f"{trick} of {octets.hex()} changed {machine.name}")


def demand(world: "World", machine: "Machine", kind: str, nai: str, trick: str) -> None:
    """AAA seems to act upon a session. ``trick``: he has a "guess" of the secret, is a "stranger", is "late" by more
    than the window, or repeats what was "done" already.
    """
    assert isinstance(machine.aaa, RadiusAtMag | RadiusAtLma) and isinstance(world.aaa, House)
    edge, asker, source = machine.aaa.authorization, world.aaa.asker, CLIENT
    assert edge is not None
    octets = asker.written(
        kind, nai, _GUESS if trick == "guess" else SECRET_OF_CLIENT, age=LATE if trick == "late" else 0
    )
    if trick == "stranger":
        source = _STRANGER
    elif trick == "done":
        done = edge.done(asker.answers)
        if not done:
            return
        octets = done[-1]
    before = state.picture(machine)
    world.note("evil", f"{trick} {kind} of {nai} to {machine.name}")
    edge.hears(Datagram(octets, source, machine.address))
    if state.picture(machine) != before:
        raise Violation("forged demands change nothing", f"{trick} {kind} of {nai} at {machine.name}")


def _made(client: WatchedClient, trick: str, chance: random.Random) -> Forgery | None:
    if trick in ("repeat", "falsify", "elsewhere"):
        heard = [(socket, one) for socket in client.sockets for one in socket.heard]
        if not heard:
            return None
        socket, datagram = chance.choice(heard)
        if trick == "repeat":
            return socket, datagram.payload, datagram.source
        if trick == "elsewhere":
            port = datagram.source.port + 1
            return chance.choice(client.sockets), datagram.payload, Endpoint(datagram.source.address, port)
        octets = bytearray(datagram.payload)
        octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
        return socket, bytes(octets), datagram.source
    waiting = [one for one in client.in_flight() if one[2] in _YES]
    if not waiting:
        return None
    socket, server, asked, octets = chance.choice(waiting)
    secret, signed = (_GUESS, chance.random() < 0.5) if trick == "guess" else (SECRET, False)
    lenient = client.servers_of[server].require_message_authenticator is RequireSignature.NO
    if trick == "unsigned" and (lenient or not _has_eap(octets)):
        return None  # nothing says that it must be signed, of a server that has not signed before (AA3)
    answer = encode_answer(
        _YES[asked],
        NO_ATTRIBUTES,
        identifier=octets[1],
        request_authenticator=octets[4:20],
        secret=secret,
        signed=signed,
    )
    return socket, answer, server


def _has_eap(request: bytes) -> bool:
    return bool(decode_request(request, SECRET).attributes.all(AttributeType.EAP_MESSAGE))
