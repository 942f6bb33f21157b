"""One MAG engine on a workbench: its clock, its mobile nodes, and an LMA that says what the test wants said."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import pytest

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept, Verdict
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, ipv4
from pmip_tw.dhcp.configuration import HomeConfiguration
from pmip_tw.mag.effects import (
    AskActivity,
    AskPresence,
    AskTraffic,
    Authenticate,
    MagEffect,
    Promise,
    Save,
    Serve,
    Transmit,
)
from pmip_tw.mag.engine import MagEngine
from pmip_tw.mag.journal.records import MAG_JOURNAL
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import Visitor
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Install, Observe, Send
from pmip_tw.mobility.observations import Observation
from pmip_tw.mobility.tunnels import AccessKey, Activity
from pmip_tw.store.rows import RowCodec
from pmip_tw.testing.clock import START_WALL
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.ethernet import ETHERTYPE_IPV4, EthernetFrame
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation
from pmip_tw.wire.udp import UdpDatagram
from tests.agents.world import GATEWAY, GATEWAY_MAC, HOME, LMA, PORT, Station, association

MAG = ipv4("198.51.100.10")
ADDRESS = ipv4("10.1.0.9")
AGENT = Endpoint(LMA, 434)
LMA_CLOCK = 500_000
"""What the LMA's 137 says: its epoch is its own business (RV6)."""

_ROWS = RowCodec(MAG_JOURNAL)

EffectT = TypeVar("EffectT")

_NODE = Station(1)
having_an_address = pytest.mark.parametrize(
    "frame",
    [
        _NODE.data(ADDRESS),
        _NODE.arp(ADDRESS, GATEWAY),
        _NODE.dhcp(MessageType.REQUEST, ciaddr=ADDRESS, server=ipv4("203.0.113.67")),
    ],
    ids=["packet", "arp", "renewal"],
)
"""For a test of one ``frame``: each that shows that the node has ``ADDRESS`` already."""


class Bench:
    """``effects``: all of them so far, with what Serve and Save hold in its place, as if the packet plane took
    everything and the disk wrote it at once.

    ``profile``: what AAA says of all nodes that is not usual. ``journal``: the rows on the disk. ``activity``: what the
    packet plane says of every path; ``moved``: how many packets it says that every node has moved.
    """

    def __init__(self, **policy: object) -> None:
        self.at = 1000.0
        self.wall_ahead = 0.0
        self.random = b"\0"
        self.effects: list[MagEffect] = []
        self.profile: dict[str, object] = {}
        settings: dict[str, object] = {
            "address": MAG,
            "gateway_mac": GATEWAY_MAC,
            "home_links": (HomeConfiguration(prefix=HOME, gateway=GATEWAY),),
        }
        self.policy = settings | policy
        self.engine = MagEngine(MagPolicy(**self.policy))  # type: ignore[arg-type]
        self.journal: list[bytes] = []
        self.station = Station(1)
        self.activity = Activity()
        self.moved = 0

    @property
    def now(self) -> Now:
        wall = START_WALL + self.at - 1000.0 + self.wall_ahead
        return Now(self.at, wall, lambda count: self.random * count)

    @property
    def visitor(self) -> Visitor:
        [visitor] = self.engine.visitors
        return visitor

    # What goes in; each gives what came out

    def hear(self, frame: bytes, port: str = PORT) -> list[MagEffect]:
        return self.take(self.engine.frame_received(port, frame, self.now))

    def decide(self, asked: Authenticate, verdict: Verdict) -> list[MagEffect]:
        return self.take(self.engine.authenticated(asked.attempt, verdict, self.now))

    def arrive(self, payload: bytes, source: Endpoint = AGENT) -> list[MagEffect]:
        return self.take(self.engine.datagram_received(payload, source, MAG, self.now))

    def present(self, last_heard: float = 0.0, station: Station | None = None) -> list[MagEffect]:
        key = AccessKey(PORT, (station or self.station).mac)
        return self.take(self.engine.presence(key, last_heard, self.now))

    def wait(self, seconds: float) -> list[MagEffect]:
        """Time passes; every wake-up that was asked for happens when it is due.

        The packet plane says that it has heard nobody.
        """
        end = self.at + seconds
        spins = 0
        effects: list[MagEffect] = []
        while (deadline := self.engine.next_deadline()) is not None and deadline <= end:
            spins = spins + 1 if deadline <= self.at else 0
            assert spins < 10, "it asks to be woken at once, again and again"
            self.at = max(self.at, deadline)
            woken = self.wake()
            for question in only(AskPresence, woken):
                woken += self.take(self.engine.presence(question.key, 0.0, self.now))
            for asked in only(AskActivity, woken):
                woken += self.take(self.engine.activity(asked, self.activity, self.now))
            for asked in only(AskTraffic, woken):
                woken += self.take(self.engine.traffic(asked.key, self.moved, self.now))
            effects += woken
        self.at = end
        return effects

    def wake(self) -> list[MagEffect]:
        """All that is due now."""
        return self.take([effect for due in self.engine.wake(self.now) for effect in due.act()])

    def restart(self, *, downtime: float = 0.0, reboot: bool = False, **policy: object) -> list[MagEffect]:
        """The process ends where it stands, and another one begins, with ``policy`` changed; the machine too if
        ``reboot``: then its monotonic clock begins anew.
        """
        self.at += downtime
        shift = 5.0 - self.at if reboot else 0.0
        self.at, self.wall_ahead = self.at + shift, self.wall_ahead - shift
        self.policy |= policy
        self.engine = MagEngine(MagPolicy(**self.policy))  # type: ignore[arg-type]
        rows = [(shift, _ROWS.decode(row)) for row in reversed(self.journal)]
        return self.take(self.engine.restore(rows, self.now))

    def take(self, effects: Iterable[MagEffect]) -> list[MagEffect]:
        flat = list(_flattened(effects))
        self.journal += [_ROWS.encode(saved.records) for saved in only(Save, flat)]
        self.effects += flat
        return flat

    # Common beginnings

    def attach(self, frame: bytes | None = None, station: Station | None = None) -> Authenticate:
        effects = self.hear(frame or (station or self.station).dhcp(MessageType.DISCOVER))
        [asked] = only(Authenticate, effects)
        return asked

    def begin(self, frame: bytes | None = None, station: Station | None = None) -> RegistrationRequest:
        """Attached and accepted: the first request."""
        station = station or self.station
        effects = self.decide(self.attach(frame, station), accept(station, **self.profile))
        [request] = requests(effects)
        return request

    def register(
        self,
        frame: bytes | None = None,
        station: Station | None = None,
        home: Ipv4 = ADDRESS,
        lifetime: int = 1800,
    ) -> Visitor:
        station = station or self.station
        request = self.begin(frame, station)
        self.arrive(reply(request, station=station, home=home, lifetime=lifetime))
        visitor = self.engine.visitors.with_nai(station.nai)
        assert visitor is not None and visitor.state.value == "registered"
        return visitor

    def renew(self) -> RegistrationRequest:
        """Half of the lifetime of 1800 s goes by, the node is heard just before: the request for more."""
        assert self.visitor.grant is not None
        self.wait(self.visitor.grant.renew_at - self.at - 1)
        self.hear(self.station.arp(ADDRESS, GATEWAY))
        [request] = requests(self.wait(1.1))
        return request


def _flattened(effects: Iterable[MagEffect]) -> Iterator[MagEffect]:
    for effect in effects:
        if isinstance(effect, Serve):
            yield Install(effect.entry)
            yield from _flattened(effect.then)
        elif isinstance(effect, Save):
            yield Save(effect.records)
            yield from _flattened(effect.then)
        elif isinstance(effect, Promise):
            yield from _flattened(effect.then)
        else:
            yield effect


def accept(station: Station, home: Ipv4 = UNSPECIFIED, **profile: object) -> Accept:
    values: dict[str, object] = {"nai": station.nai, "lmas": (LMA,), "mn_ha": association(station.number)}
    return Accept(Profile(home_address=home, **(values | profile)))  # type: ignore[arg-type]


def only(kind: type[EffectT], effects: Iterable[object]) -> list[EffectT]:
    return [effect for effect in effects if isinstance(effect, kind)]


def notes(effects: Iterable[MagEffect]) -> list[Observation]:
    return [effect.observation for effect in only(Observe, effects)]


def names(effects: Iterable[MagEffect]) -> list[str]:
    return [note.name for note in notes(effects)]


def note(name: str, effects: Iterable[MagEffect]) -> Observation:
    [found] = [found for found in notes(effects) if found.name == name]
    return found


def requests(effects: Iterable[MagEffect]) -> list[RegistrationRequest]:
    return [
        RegistrationRequest.decode(send.datagram) for send in only(Send, effects) if send.datagram[0] == 1
    ]


def told(effects: Iterable[MagEffect]) -> list[DhcpMessage]:
    """The DHCP messages among what is sent to the mobile node."""
    messages = []
    for transmit in only(Transmit, effects):
        frame = EthernetFrame.decode(transmit.frame)
        if frame.ethertype == ETHERTYPE_IPV4:
            packet = Ipv4Packet.decode(frame.payload)
            if packet.protocol == 17:
                messages.append(DhcpMessage.decode(UdpDatagram.decode(packet).payload))
    return messages


def reply(
    request: RegistrationRequest,
    code: int = 1,
    *,
    home: Ipv4 = ADDRESS,
    lifetime: int = 1800,
    agent: Ipv4 = LMA,
    identification: int | None = None,
    key: SecurityAssociation | None = None,
    station: Station | None = None,
    nai: bytes | None = None,
    timestamp: int | None = LMA_CLOCK,
    inform: bool = False,
    fa_ha: SecurityAssociation | None = None,
    **more: object,
) -> bytes:
    """The LMA's answer to ``request``, right in everything that is not said otherwise.

    With ``fa_ha`` it is proven by that; by a node's key, too, only if the request was.
    """
    signer = key or (association(station.number if station else 1) if request.mn_ha or not fa_ha else None)
    more.setdefault("per_node", request.per_node)
    answer = RegistrationReply(
        code=code,
        lifetime=lifetime if request.lifetime else 0,
        home_address=home,
        home_agent=agent,
        identification=request.identification if identification is None else identification,
        nai=request.nai if nai is None else nai,
        revocation=None
        if timestamp is None or not request.lifetime
        else RevocationSupport(timestamp, inform),
        **more,  # type: ignore[arg-type]
    )
    return answer.encode(mn_ha=signer, fa_ha=fa_ha)


def revocation(
    identifier: int,
    *,
    key: SecurityAssociation | None = None,
    fa_ha: SecurityAssociation | None = None,
    **fields: object,
) -> bytes:
    """The LMA's revocation of ``ADDRESS``, proven by the node's key or by ``fa_ha``."""
    values: dict[str, object] = {
        "from_home_agent": True,
        "nai": b"mn1@example.net",
        "home_address": ADDRESS,
        "home_domain": LMA,
        "foreign_domain": MAG,
    }
    message = Revocation(identifier=identifier, **(values | fields))  # type: ignore[arg-type]
    return message.encode(mn_ha=key or (None if fa_ha else association(1)), fa_ha=fa_ha)


def in_one_row(journal: Iterable[bytes]) -> bytes:
    """The records of all rows, as one group commit would have them."""
    return _ROWS.encode([record for row in journal for record in _ROWS.decode(row)])


def order(effects: Sequence[object], *kinds: type) -> list[str]:
    """The names of those effects that are of ``kinds``, in order."""
    return [type(effect).__name__ for effect in effects if isinstance(effect, kinds)]
