"""Somebody on the path, who hears every datagram, and can send any; he knows no key."""

import random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.errors import WireError
from pmip_tw.interfaces import Datagram
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.registration import RegistrationRequest
from tests.simulation import state
from tests.simulation.machines import LmaMachine, Machine
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

HIS_OWN = Endpoint(ipv4("203.0.113.66"), 434)
_MEMORY = 40
_REVOCATION = bytes((MessageType.REVOCATION,))
_REQUEST = bytes((MessageType.REGISTRATION_REQUEST,))


class Adversary:
    """Whatever he sends, nothing that an agent knows may change: see state.picture."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._heard: list[tuple[Machine, int, Datagram]] = []

    def overhears(self, machine: Machine, datagram: Datagram) -> None:
        """A process got ``datagram``. What a former process had got may be new to its successor, unless it was saved.

        Nor is a revocation of a stay that is over and that the MAG was not told of yet: it is true (RV16).
        """
        if machine.ledger.discarded and datagram.payload[:1] == _REVOCATION:
            return
        self._heard.append((machine, machine.life, datagram))
        if len(self._heard) > _MEMORY:
            del self._heard[0]

    def attack(self, trick: str, choice: int) -> None:
        """See actions.Attack."""
        known = [heard for heard in self._heard if heard[0].up and _is_known(*heard)]
        if not known:
            return
        machine, _, datagram = known[choice % len(known)]
        if trick == "falsify":
            datagram = replace(datagram, payload=_falsified(datagram.payload, random.Random(choice)))
        elif trick == "elsewhere":
            datagram = replace(datagram, source=HIS_OWN)
        before = state.picture(machine)
        self._world.note("evil", f"{trick}: {datagram.payload[:1].hex()} to {machine.name}")
        machine.socket.arrive(datagram)
        if state.picture(machine) != before:
            raise Violation(
                "nothing unauthentic changes state", f"{trick} of {datagram} changed {machine.name}"
            )


def _is_known(machine: Machine, life: int, datagram: Datagram) -> bool:
    """Whether the process that runs there has got ``datagram``, or knows from its disk what came of it."""
    if machine.life == life:
        return True
    if not isinstance(machine, LmaMachine):
        # A reply answers nothing that the next process has asked; what a revocation ended is written down.
        return machine.forgetful.isdisjoint(range(life, machine.life))
    if datagram.payload[:1] != _REQUEST:
        return False
    try:
        request = RegistrationRequest.decode(datagram.payload)
    except WireError:
        return True
    return machine.promises.has_seen(request.nai, request.identification)


def _falsified(payload: bytes, chance: random.Random) -> bytes:
    """Another datagram: bits turned, octets cut off or added."""
    kind = chance.randrange(4)
    if kind == 0:
        return payload[: chance.randrange(len(payload) or 1)]
    if kind == 1:
        return payload + chance.randbytes(1 + chance.randrange(12))
    octets = bytearray(payload)
    for _ in range(kind - 1 if octets else 0):
        octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
    return bytes(octets)
