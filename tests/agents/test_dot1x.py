"""802.1X from end to end, in memory: hosts with supplicants, two MAGs that demand proof, an EAP server behind them.

host (supplicant)     MAG              AAA      LMA
     |---- packet ---->|  held          |        |
     |<=== Request ====|                |        |
     |==== Response ==>|--------------->|        |
     |<=== Success ====|<---------------|        |
     |                 |------ registration ---->|
     |                 |=== the packet that was held ==>
"""

import pytest

from pmip_tw.mag.authentication.access_policy import AccessPolicy, Dot1xPolicy, PortAuthentication
from pmip_tw.testing.eap_server import EapServer, identity_response, md5_response
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.eap import IDENTITY, Eap, EapCode
from pmip_tw.wire.eapol import EAP_PACKET, LOGOFF, PAE_GROUP, START, Eapol
from pmip_tw.wire.ethernet import ETHERTYPE_EAPOL, EthernetFrame, ethernet_frame
from tests.agents.world import PORT, MagNode, Station, World
from tests.conformance import covers

PASSWORD = b"open sesame"
OR_MAC = PortAuthentication.DOT1X_OR_MAC


class Examined(World):
    """Hosts answer what they are asked at once, unless they are ``mute``; ``knows``: the password of each."""

    def __init__(
        self, authentication: PortAuthentication = PortAuthentication.DOT1X, nodes: int = 2, **dot1x: float
    ) -> None:
        access = AccessPolicy(
            ports={PORT: authentication, "acc1": authentication},
            dot1x=Dot1xPolicy(**dot1x),  # type: ignore[arg-type]
        )
        super().__init__(mag_settings={"access": access}, nodes=nodes)
        for node in self.mags:
            node.aaa.eap = EapServer({station.nai.encode(): PASSWORD for station in self.stations})
        self.knows = {station.mac: PASSWORD for station in self.stations}
        self.mute: set[bytes] = set()
        self.successes = 0

    def eapol(self, node: MagNode, station: Station, kind: int, body: bytes = b"") -> None:
        payload = Eapol(kind=kind, body=body).encode()
        self.hear(node, ethernet_frame(PAE_GROUP, station.mac, ETHERTYPE_EAPOL, payload))

    def hear(self, node: MagNode, frame: bytes, port: str = PORT) -> None:
        super().hear(node, frame, port)
        self._answer(node)

    def advance(self, seconds: float, step: float = 0.25) -> None:
        passed = 0.0
        while passed < seconds:
            super().advance(step, step)
            for node in self.mags:
                self._answer(node)
            passed += step

    def _answer(self, node: MagNode) -> None:
        """What supplicants say to what they were sent."""
        sent, node.plane.transmitted[:] = list(node.plane.transmitted), []
        for port, octets in sent:
            frame = EthernetFrame.decode(octets)
            if frame.ethertype != ETHERTYPE_EAPOL:
                node.plane.transmitted.append((port, octets))
                continue
            [station] = [one for one in self.stations if frame.destination == one.mac] or [None]
            request = Eap.decode(Eapol.decode(frame.payload).body)
            self.successes += request.code is EapCode.SUCCESS
            if station is None or request.code is not EapCode.REQUEST or station.mac in self.mute:
                continue
            if request.kind == IDENTITY:
                answer = identity_response(station.nai.encode(), request.identifier)
            else:
                answer = md5_response(request.encode(), self.knows[station.mac])
            self.eapol(node, station, EAP_PACKET, answer)


@covers("X1", "X2", "X3", "P78")
def test_a_host_that_moves_is_examined_and_loses_nothing() -> None:
    world = Examined()
    station, (first, second) = world.stations[0], world.mags
    world.eapol(first, station, START)
    address = world.attach(station, first)
    world.advance(2)
    before = len(world.plane.delivered)
    world.hear(second, station.data(address, b"moved"))
    assert world.plane.delivered[before:][0].endswith(b"moved")
    assert second.states == {station.nai: "registered"} and first.states == {}
    assert world.successes == 2


@covers("X1")
def test_who_knows_no_password_gets_no_packet_anywhere() -> None:
    world = Examined()
    impostor, node = world.stations[0], world.mags[0]
    world.knows[impostor.mac] = b"a guess"
    for _ in range(10):
        world.hear(node, impostor.dhcp(MessageType.DISCOVER))
        world.hear(node, impostor.data(world.stations[1].number + 0x0A010000))  # any address
        world.advance(5)
    assert world.plane.delivered == [] and node.plane.snapshot() == () and node.told() == []
    assert list(world.lma_engine.bindings) == [] and world.successes == 0


@covers("X6", "X10")
def test_examinations_of_many_on_time_interrupt_nobody() -> None:
    world = Examined(nodes=5, reauth_period=60)
    addresses = {station: world.attach(station, world.mags[0]) for station in world.stations}
    for _ in range(30):
        world.advance(10)
        for station, address in addresses.items():
            before = len(world.plane.delivered)
            world.hear(world.mags[0], station.data(address, b"still here"))
            assert len(world.plane.delivered) == before + 1
    assert world.successes >= 5 * 5


@covers("X6")
def test_nobody_is_put_off_by_an_aaa_that_is_down_and_new_ones_come_when_it_is_back() -> None:
    world = Examined(reauth_period=30)
    (old, new), node = world.stations, world.mags[0]
    address = world.attach(old, node)
    node.aaa.stop()
    world.eapol(node, new, START)
    for _ in range(12):
        world.advance(10)
        world.hear(node, old.data(address))
    assert node.states == {old.nai: "registered"}
    node.aaa._stopped = False  # it is back
    world.advance(6)
    assert node.states[new.nai] == "registered", "it has not said a word since"


@covers("X7")
@pytest.mark.parametrize("really", [False, True])
def test_a_logoff(really: bool) -> None:
    world = Examined()
    station, node = world.stations[0], world.mags[0]
    world.attach(station, node)
    world.advance(2)
    if really:
        world.mute.add(station.mac)
    world.eapol(node, station, LOGOFF)
    world.advance(3)
    assert node.states == ({} if really else {station.nai: "registered"})
    assert len(list(world.lma_engine.bindings)) == (0 if really else 1)


@covers("X8")
def test_a_printer_beside_a_laptop() -> None:
    world = Examined(OR_MAC, mac_after=3)
    (printer, laptop), node = world.stations, world.mags[0]
    world.mute.add(printer.mac)
    world.hear(node, printer.dhcp(MessageType.DISCOVER))
    world.attach(laptop, node)
    world.advance(4)
    methods = {visitor.nai: visitor.method for visitor in node.engine.visitors}
    assert methods == {printer.nai: "mac", laptop.nai: "eap-md5"}


@covers("X6")
def test_a_restart_examines_nobody_before_its_time() -> None:
    world = Examined(reauth_period=60)
    station, node = world.stations[0], world.mags[0]
    address = world.attach(station, node)
    world.advance(10)
    asked = world.successes
    node.kill()
    node.start()
    node.aaa.eap = EapServer({station.nai.encode(): PASSWORD})
    world.hear(node, station.data(address, b"on"))
    assert world.plane.delivered[-1].endswith(b"on") and world.successes == asked
    world.advance(60)
    assert world.successes == asked + 1 and node.states == {station.nai: "registered"}
