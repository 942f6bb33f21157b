"""Damaged messages at a MAG, signed again and forged, with a visitor in every state; and frames of its visitors."""

from collections.abc import Callable, Iterable, Iterator

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.mag.effects import Authenticate
from pmip_tw.mag.visitors import State, Visitor
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.effects import Install, Observe, Remove, Send
from pmip_tw.mobility.tunnels import AccessEntry, AccessKey
from pmip_tw.secret import Secret
from pmip_tw.wire import extensions as ext
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.dhcp import MessageType as Dhcp
from pmip_tw.wire.registration import RegistrationRequest
from pmip_tw.wire.revocation import RevocationAck
from tests.agents.world import GATEWAY, GATEWAY_MAC, LMA, PORT, association
from tests.fuzz.checksums import mend_checksums
from tests.fuzz.datagrams import EXTENSIONS, sign_again
from tests.fuzz.target import Target
from tests.fuzz.wire import frames as any_frames
from tests.mag.bench import ADDRESS, Bench, only, reply, requests, revocation

HEAD = 2
FORGED = 0x80
SOURCES = (Endpoint(LMA, 434), Endpoint(LMA, 5000), Endpoint(Ipv4(LMA + 1), 434), Endpoint(Ipv4(0), 0))
DELAYS = (0.0, 0.5, 6.0, 1000.0)
SETTLED = 70_000.0
"""Seconds after which a MAG that nobody speaks to has nothing to do: more than the longest lifetime."""

MAG_KEY = SecurityAssociation(0x2000, Secret(b"key of all the MAGs"))


def nobody() -> Bench:
    return Bench()


def authenticating() -> Bench:
    bench = Bench()
    bench.attach()
    return bench


def registering() -> Bench:
    bench = Bench()
    bench.begin()
    bench.hear(bench.station.data(ADDRESS))
    return bench


def registering_again() -> Bench:
    """Three requests are out."""
    bench = registering()
    bench.wait(4)
    return bench


def registered() -> Bench:
    bench = Bench()
    bench.register()
    bench.hear(bench.station.dhcp(Dhcp.REQUEST, requested=ADDRESS))
    bench.wait(1)
    return bench


def renewing() -> Bench:
    bench = registered()
    bench.renew()
    return bench


def waiting() -> Bench:
    bench = Bench()
    bench.arrive(reply(bench.begin(), 130))
    return bench


def leaving() -> Bench:
    bench = registered()
    bench.take(bench.engine.detach(bench.station.nai, bench.now))
    return bench


def revoked() -> Bench:
    bench = registered()
    bench.arrive(revocation(500_002))
    return bench


SITUATIONS: tuple[Callable[[], Bench], ...] = (
    nobody,
    authenticating,
    registering,
    registering_again,
    registered,
    renewing,
    waiting,
    leaving,
    revoked,
)


def keys(kind: int, _nai: bytes, spi: int) -> SecurityAssociation | None:
    """A MAG finds the visitor by other means than the NAI as well."""
    if kind == ext.FA_HA:
        return MAG_KEY if spi == MAG_KEY.spi else None
    return association(1) if spi == association(1).spi else None


def check_datagram(octets: bytes) -> None:
    if len(octets) <= HEAD:
        return
    bench, how = begin(octets)
    forged = bool(how & FORGED)
    payload = sign_again(octets[HEAD:], keys, forged=forged)
    before, deadline = state(bench), bench.engine.next_deadline()
    effects = bench.arrive(payload, SOURCES[how & 3])
    sent = only(Send, effects)
    assert len(sent) <= 1
    for one in sent:
        authentic(one)
    consistent(bench)
    if forged:
        assert all(isinstance(effect, Observe) for effect in effects), "something followed from a forgery"
        assert (state(bench), bench.engine.next_deadline()) == (before, deadline), "forged, and it counts"
        return
    after = state(bench)
    again = only(Send, bench.arrive(payload, SOURCES[how & 3]))
    assert state(bench) == after, "it counts once more"
    assert all(one.datagram[0] == MessageType.REVOCATION_ACK for one in again)
    settle(bench)


def check_frame(octets: bytes) -> None:
    """Whatever a node sends: nothing breaks, and of another node's registration nothing changes."""
    if len(octets) <= HEAD:
        return
    bench, _ = begin(octets)
    frame = octets[HEAD:]
    mended = frame[:14] + mend_checksums(frame[14:])
    other = [visitor for visitor in bench.engine.visitors if visitor.mac != frame[6:12]]
    before = [one_state(visitor) for visitor in other]
    for one in (frame, mended):
        for asked in only(Authenticate, bench.hear(one)):
            assert asked.key == AccessKey(PORT, one[6:12])
        consistent(bench)
    assert [one_state(visitor) for visitor in other] == before
    settle(bench)


def begin(octets: bytes) -> tuple[Bench, int]:
    bench = SITUATIONS[octets[0] % len(SITUATIONS)]()
    how = octets[1]
    bench.wait(DELAYS[how >> 2 & 3])
    return bench, how


def settle(bench: Bench) -> None:
    """Nobody answers any more, and nobody is heard: in the end nothing is left."""
    for one in only(Send, bench.wait(SETTLED)):
        authentic(one)
    consistent(bench)
    assert [visitor for visitor in bench.engine.visitors if visitor.state is not State.AUTHENTICATING] == []
    assert installed(bench) == {}


def state(bench: Bench) -> list[object]:
    return [one_state(visitor) for visitor in bench.engine.visitors]


def one_state(visitor: Visitor) -> object:
    """All that matters; an exchange's complaint is only words."""
    exchange = visitor.exchange
    tried = (
        None if exchange is None else (exchange.lifetime, tuple(exchange.identifications), exchange.next_try)
    )
    return (visitor.key, visitor.state, visitor.home_address, visitor.tunnel, visitor.grant, tried)


def installed(bench: Bench) -> dict[object, AccessEntry]:
    held: dict[object, AccessEntry] = {}
    for effect in bench.effects:
        if isinstance(effect, Install) and isinstance(effect.entry, AccessEntry):
            held[effect.entry.key] = effect.entry
        elif isinstance(effect, Remove):
            held.pop(effect.key, None)
    return held


def authentic(sent: Send) -> None:
    kind = RegistrationRequest if sent.datagram[0] == MessageType.REGISTRATION_REQUEST else RevocationAck
    message = kind.decode(sent.datagram)
    found = message.mn_ha
    assert found is not None and association(1).verify(sent.datagram[: found.covered], found.value)


def consistent(bench: Bench) -> None:
    """Who is registered is carried, nobody else is, and nobody is forgotten."""
    carried = {key: entry for key, entry in installed(bench).items() if entry.upstream}
    served = [visitor for visitor in bench.engine.visitors if visitor.state is State.REGISTERED]
    assert {visitor.key: visitor.entry(upstream=True) for visitor in served} == carried
    for visitor in bench.engine.visitors:
        assert visitor.state is State.AUTHENTICATING or visitor.next_deadline() is not None
        if visitor.grant is not None:
            assert 0 < visitor.grant.lifetime <= 65535
            assert visitor.grant.ends_at <= bench.at + visitor.grant.lifetime


def answers(bench: Bench) -> Iterator[bytes]:
    """What an LMA may well say now."""
    sent = requests(bench.effects)
    for request in sent[-2:]:
        for code in (0, 1, 69, 128, 129, 130, 131, 133, 136, 143, 149, 150):
            yield reply(request, code)
        for extension in EXTENSIONS:
            yield reply(request, 1, unknown=(extension,))
            yield reply(request, 1, trailing=(extension,))
    for identifier in (500_000, 500_001, 500_002, 500_300, 600_000):
        yield revocation(identifier)


def datagrams() -> Iterator[bytes]:
    for number, situation in enumerate(SITUATIONS):
        for payload in answers(situation()):
            yield bytes((number, 0)) + payload
            yield bytes((number, FORGED)) + payload


def frames() -> Iterator[bytes]:
    for number, situation in enumerate(SITUATIONS):
        station = situation().station
        for frame in known_frames(station.mac, station):
            yield bytes((number, 0)) + frame


def known_frames(mac: bytes, station: object) -> Iterable[bytes]:
    from tests.agents.world import Station

    assert isinstance(station, Station)
    yield station.arp(ADDRESS, GATEWAY)
    yield station.data(ADDRESS)
    yield station.data(ADDRESS, ttl=1)
    for kind in (Dhcp.DISCOVER, Dhcp.REQUEST, Dhcp.DECLINE, Dhcp.RELEASE, Dhcp.INFORM):
        yield station.dhcp(kind, requested=ADDRESS)
        yield station.dhcp(kind, ciaddr=ADDRESS, server=GATEWAY)
    for frame in any_frames():
        yield GATEWAY_MAC + mac + frame[12:]


DATAGRAMS = Target(
    name="mag",
    about="messages at a MAG that has a visitor in any state, signed again and forged",
    check=check_datagram,
    seeds=datagrams,
    floors=("wire", "mobility", "mag"),
    head=HEAD,
    runs=1000,
    longest=600,
)
FRAMES = Target(
    name="mag-frames",
    about="frames of mobile nodes at a MAG, whatever it knows of them",
    check=check_frame,
    seeds=frames,
    floors=("wire", "access", "dhcp", "mag"),
    runs=1000,
    longest=700,
)
