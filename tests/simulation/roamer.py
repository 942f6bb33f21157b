"""A host that does Mobile IP itself, and is at several places at once (RFC 5944 3.8.3, L3, L4)."""

from collections import Counter
from typing import TYPE_CHECKING

from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.interfaces import Datagram, Unreachable
from pmip_tw.lma.bindings import Binding
from pmip_tw.mobility.replay import ntp_timestamp
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, SIMULTANEOUS, RegistrationRequest
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import CORRESPONDENT, LMA, association
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

NAI = "roamer@example.net"
ASSOCIATION = association(90)
PLACES = tuple(ipv4(f"198.51.200.{number}") for number in (1, 2, 3))


class Roamer:
    """It asks, and believes what it likes: what is promised of it is what the first LMA holds."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._asked = 0
        for place in PLACES:
            world.network.attach(Endpoint(place, SIGNALLING_PORT), self)

    def ask(self, place: int, lifetime: int, *, beside: bool) -> None:
        """Be registered at a place, and if ``beside`` at the others as well (the S bit); 0 seconds: not any more."""
        self._asked += 1
        request = RegistrationRequest(
            flags=REVERSE_TUNNEL | COLOCATED | (SIMULTANEOUS if beside else 0),
            nai=NAI.encode(),
            lifetime=lifetime,
            home_agent=LMA,
            care_of_address=PLACES[place],
            identification=ntp_timestamp(self._world.clock.wall) + self._asked,
        )
        source, destination = Endpoint(PLACES[place], SIGNALLING_PORT), Endpoint(LMA, SIGNALLING_PORT)
        self._world.network.send(source, destination, request.encode(mn_ha=ASSOCIATION))

    def arrive(self, datagram: Datagram) -> None:
        """An answer: that of the LMA's table counts."""

    def report(self, unreachable: Unreachable) -> None:
        """It will ask again."""

    def check(self, binding: Binding | None) -> None:
        """What is sent to it leaves once for each of its bindings, of which there are not too many."""
        if binding is None:
            return
        lma = self._world.lmas[0]
        if len(binding.all) > int(str(self._world.scenario.lma_settings["max_bindings"])):
            raise Violation("not too many bindings", f"{NAI} has {len(binding.all)}")
        lma.plane.tunnelled.clear()
        lma.plane.host_sends(_packet(binding.home_address))
        left = Counter(tunnel for tunnel, _ in lma.plane.tunnelled)
        lma.plane.tunnelled.clear()
        if left != Counter(one.tunnel for one in binding.all):
            raise Violation("packets flow", f"to {NAI} left {left} for {binding.all}")


def _packet(home_address: Ipv4) -> bytes:
    return udp_packet(Endpoint(CORRESPONDENT, 7), Endpoint(home_address, 5000), b"to wherever you are")
