"""An unmodified host: what it sends and hears on Ethernet, and what it believes its address to be."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pmip_tw.addresses import BROADCAST_MAC, UNSPECIFIED, Ipv4, Mac
from pmip_tw.errors import WireError
from pmip_tw.wire.arp import REPLY, REQUEST, Arp
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.eapol import PAE_GROUP
from pmip_tw.wire.ethernet import (
    ETHERTYPE_ARP,
    ETHERTYPE_EAPOL,
    ETHERTYPE_IPV4,
    EthernetFrame,
    ethernet_frame,
)
from pmip_tw.wire.ipv4 import PROTOCOL_UDP, Ipv4Packet
from pmip_tw.wire.udp import UdpDatagram
from tests.agents.world import GATEWAY_MAC, Station
from tests.simulation.radius.eap import Supplicant
from tests.simulation.scenario import DOMAINS, Habit

ASK_AGAIN = 3.0
"""Seconds between two DHCP messages of a client that gets no answer."""

TRIES = 3
"""Of a client that asks for the address it has, or was offered; then it begins anew (RFC 2131 3.1, 3.2)."""


if TYPE_CHECKING:
    from tests.simulation.radius.access_points import AccessPoint


class Surroundings(Protocol):
    """What a node needs of the world."""

    def monotonic(self) -> float: ...
    def later(self, seconds: float, call: Callable[[], None]) -> None: ...
    def hears(self, mag: int, frame: bytes) -> None:
        """A frame gets to the access link of a MAG."""

    def configured(self, node: "MobileNode") -> None:
        """DHCP gave it an address."""

    def associates(self, node: "MobileNode") -> None:
        """It has come to a MAG, or to another place there."""

    def leaves(self, node: "MobileNode") -> None:
        """It is not at any place any more."""


class MobileNode:
    """``where``: the MAG that it is at, None while it is off or asleep; ``overheard_by``: one that hears it as well.

    ``address``: configured in the host, 0 if none. ``visited``: where it has been. ``pace``: how many times as long it
    waits between its packets as its habit says.
    """

    def __init__(self, number: int, habit: Habit, world: Surroundings, seed: str) -> None:
        self.number = number
        self.habit = habit
        self.station = Station(number + 1, habit.realm)
        self.mac: Mac = self.station.mac
        self.nai = self.station.nai
        self.where: int | None = None
        self.overheard_by: int | None = None
        self.asleep = False
        self.pace = 1.0
        self.visited: set[int] = set()
        self.address = Ipv4(0)
        self.lease_ends = float("inf")
        self._renew_at = float("inf")
        self._asking: MessageType | None = None
        self._wanted = Ipv4(0)
        self._server = Ipv4(0)
        self._tries = 0
        self._xid = number << 16
        self._turn = 0
        self._world = world
        self.point: AccessPoint | None = None
        """Where it is, if there are any."""
        knows = habit.proof in ("password", "guess")
        self.supplicant = Supplicant(self, habit.proof) if knows else None
        self._random = random.Random(seed)

    def configure(self, address: Ipv4) -> None:
        """A static address."""
        self.address = address

    @property
    def domain(self) -> str:
        return DOMAINS[self.habit.realm]

    @property
    def deserves_service(self) -> bool:
        """Not who has nothing to prove itself with where that is needed."""
        return self.habit.proof in ("", "password")

    # Where it goes

    def arrive(self, mag: int, by: str) -> None:
        self.where, self.asleep = mag, False
        self._world.associates(self)
        self.visited.add(mag)
        if self.lease_ends <= self._world.monotonic():
            self._lose_address()
        if self.supplicant is not None:
            self.supplicant.logged_off = False
            if by != "data":
                self.supplicant.start()
        if self.address and (by == "data" or self.habit.static):
            self._asking = None
            self._talk()
        elif self.address and by == "reboot":
            self._ask(MessageType.REQUEST, self.address)
        else:
            self._discover()
        self._go_on()

    def sleep(self) -> None:
        if self.where is not None:
            self._world.leaves(self)
            self.where, self.asleep, self._asking = None, True, None

    def switch_off(self) -> None:
        self._world.leaves(self)
        self.where, self.asleep, self._asking = None, False, None
        if not self.habit.static:
            self._lose_address()

    def release(self) -> None:
        if self.where is not None and self.address and not self.habit.static:
            frame = self.station.dhcp(
                MessageType.RELEASE, ciaddr=self.address, server=self._server, xid=self._next_xid()
            )
            self.send(frame)
        self.switch_off()

    def no_longer_overheard(self) -> None:
        self.overheard_by = None

    # What it sends

    def data(self, source: Ipv4 | None = None) -> bytes:
        """A packet that names its sender, so that nobody else's can be taken for it."""
        return self.station.data(self.address if source is None else source, self.nai.encode())

    def _go_on(self) -> None:
        """Its next turn, in place of the one that was planned."""
        self._turn += 1
        turn = self._turn
        wait = ASK_AGAIN if self._asking is not None else self.habit.talks_every * self.pace
        wait = min(wait, max(self._renew_at - self._world.monotonic(), 0.1))
        self._world.later(wait * self._random.uniform(0.8, 1.2), lambda: self._take_turn(turn))

    def _take_turn(self, turn: int) -> None:
        if turn != self._turn or self.where is None:
            return
        now = self._world.monotonic()
        if self.lease_ends <= now:
            self._lose_address()
            self._discover()
        elif self._asking is MessageType.REQUEST and self._tries < TRIES:
            self._ask_once_more()
        elif self._asking is not None or not self.address:
            self._discover()
        elif self._renew_at <= now:
            self._renew_at = now + ASK_AGAIN
            request = self.station.dhcp(
                MessageType.REQUEST, ciaddr=self.address, server=UNSPECIFIED, xid=self._next_xid()
            )
            self.send(request)
        else:
            self._talk()
        self._go_on()

    def _talk(self) -> None:
        self.send(self.data())

    def _discover(self) -> None:
        self._lose_address()
        self._ask(MessageType.DISCOVER, Ipv4(0))

    def _ask(self, kind: MessageType, wanted: Ipv4, server: Ipv4 = UNSPECIFIED) -> None:
        self._asking, self._wanted, self._server, self._tries = kind, wanted, server, 0
        self._next_xid()
        self._ask_once_more()

    def _ask_once_more(self) -> None:
        assert self._asking is not None
        self._tries += 1
        self.send(self.station.dhcp(self._asking, requested=self._wanted, server=self._server, xid=self._xid))

    def _next_xid(self) -> int:
        self._xid += 1
        return self._xid

    def send(self, frame: bytes) -> None:
        for mag in (self.where, self.overheard_by):
            if mag is not None:
                self._world.hears(mag, frame)

    # What it hears

    def hear(self, octets: bytes) -> None:
        """A frame of a MAG that it is at."""
        frame = EthernetFrame.decode(octets)
        if frame.destination not in (self.mac, BROADCAST_MAC, PAE_GROUP):
            return
        if frame.ethertype == ETHERTYPE_ARP:
            self._hear_arp(Arp.decode(frame.payload))
        elif frame.ethertype == ETHERTYPE_EAPOL and self.supplicant is not None:
            self.supplicant.hear(frame)
        elif frame.ethertype == ETHERTYPE_IPV4:
            message = dhcp_answer(frame.payload)
            if message is not None and message.xid == self._xid and not self.habit.static:
                self._hear_dhcp(message)

    def _hear_arp(self, request: Arp) -> None:
        if request.operation != REQUEST or request.target_address != self.address or not self.address:
            return
        reply = Arp(
            operation=REPLY,
            sender_mac=self.mac,
            sender_address=self.address,
            target_mac=request.sender_mac,
            target_address=request.sender_address,
        )
        self.send(ethernet_frame(GATEWAY_MAC, self.mac, ETHERTYPE_ARP, reply.encode()))

    def _hear_dhcp(self, message: DhcpMessage) -> None:
        kind = message.message_type
        if kind is MessageType.OFFER and self._asking is MessageType.DISCOVER:
            self._ask(MessageType.REQUEST, message.yiaddr, message.server_identifier or UNSPECIFIED)
            self._go_on()
        elif kind is MessageType.ACK and self._asking is not MessageType.DISCOVER:
            self._bound(message)
        elif kind is MessageType.NAK and self._asking is not MessageType.DISCOVER:
            self._discover()
            self._go_on()

    def _bound(self, ack: DhcpMessage) -> None:
        now = self._world.monotonic()
        lease = ack.lease_time or 60
        self._asking = None
        self.address, self.lease_ends, self._renew_at = ack.yiaddr, now + lease, now + lease / 2
        self._server = ack.server_identifier or UNSPECIFIED
        self._world.configured(self)
        self._talk()
        self._go_on()

    def _lose_address(self) -> None:
        self.address, self.lease_ends, self._renew_at = Ipv4(0), float("inf"), float("inf")


def dhcp_answer(payload: bytes) -> DhcpMessage | None:
    try:
        packet = Ipv4Packet.decode(payload)
        if packet.protocol != PROTOCOL_UDP or packet.payload[:4] != b"\x00\x43\x00\x44":
            return None
        return DhcpMessage.decode(UdpDatagram.decode(packet).payload)
    except WireError:
        return None
