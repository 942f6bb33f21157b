"""Damaged messages at a MAG, signed again and forged, with a visitor in every state; and frames of its visitors."""

from collections.abc import Callable, Iterator
from typing import Any

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept
from pmip_tw.addresses import ALL_ONES, Endpoint, Ipv4
from pmip_tw.mag.effects import Authenticate, MagEffect
from pmip_tw.mag.registration.protection import LmaAssociation
from pmip_tw.mag.visitors import State, Visitor
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.effects import Install, Observe, Remove, Send
from pmip_tw.mobility.tunnels import AccessEntry, AccessKey, Encapsulation
from pmip_tw.secret import Secret
from pmip_tw.wire import extensions as ext
from pmip_tw.wire.authentication import append_signature
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.dhcp import MessageType as Dhcp
from pmip_tw.wire.extension_fields import BY_FA_HA
from pmip_tw.wire.extension_values import DynamicHomeAgent, UdpTunnelReply
from pmip_tw.wire.registration import RegistrationRequest
from pmip_tw.wire.revocation import RevocationAck
from tests.agents.world import GATEWAY, GATEWAY_MAC, LMA, PORT, Station, association
from tests.fuzz.checksums import mend_checksums
from tests.fuzz.datagrams import EXTENSIONS, sign_again, split
from tests.fuzz.target import Target
from tests.fuzz.wire import frames as any_frames
from tests.mag.bench import ADDRESS, Bench, only, reply, requests, revocation

HEAD = 2
FORGED = 0x80
SOURCES = (Endpoint(LMA, 434), Endpoint(LMA, 5000), Endpoint(Ipv4(LMA + 1), 434), Endpoint(Ipv4(0), 0))
DELAYS = (0.0, 0.5, 6.0, 1000.0)
SETTLED = 70_000.0
"""Seconds after which a MAG that nobody speaks to has nothing to do: more than the longest lifetime."""

MAG_KEY = SecurityAssociation(0x2000, Secret(b"key of the MAG"))
SENT = {MessageType.REGISTRATION_REQUEST: RegistrationRequest, MessageType.REVOCATION_ACK: RevocationAck}


class Captured(Bench):
    """Somebody keeps every datagram that arrives."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.captured: list[tuple[bytes, Endpoint]] = []

    def arrive(self, payload: bytes, source: Endpoint = SOURCES[0]) -> list[MagEffect]:
        self.captured.append((payload, source))
        return super().arrive(payload, source)


def nobody() -> Captured:
    return Captured()


def authenticating() -> Captured:
    bench = Captured()
    bench.attach()
    return bench


def registering() -> Captured:
    bench = Captured()
    bench.begin()
    bench.hear(bench.station.data(ADDRESS))
    return bench


def registering_again() -> Captured:
    """Three requests are out."""
    bench = registering()
    bench.wait(4)
    return bench


def registered() -> Captured:
    bench = Captured()
    bench.register()
    bench.hear(bench.station.dhcp(Dhcp.REQUEST, requested=ADDRESS))
    bench.wait(1)
    return bench


def renewing() -> Captured:
    bench = registered()
    bench.renew()
    return bench


def waiting() -> Captured:
    bench = Captured()
    bench.arrive(reply(bench.begin(), 130))
    return bench


def leaving() -> Captured:
    bench = registered()
    bench.take(bench.engine.detach(bench.station.nai, bench.now))
    return bench


def revoked() -> Captured:
    bench = registered()
    bench.arrive(revocation(500_002))
    return bench


def of_agents() -> Captured:
    """The association is the MAG's, and so are GRE and its keys; the first request is out."""
    ours = LmaAssociation(address=LMA, mode=AuthenticationMode.FA_HA, fa_ha=MAG_KEY)
    bench = Captured(
        associations=(ours,),
        encapsulation=Encapsulation.GRE,
        gre_key="own",
        gre_key_with_d=True,
        tunnel_broadcast=True,
    )
    bench.begin()
    return bench


def registered_by_agents() -> Captured:
    bench = of_agents()
    [request] = requests(bench.effects)
    bench.arrive(of_agent(reply(request, 1, gre_key=77)))
    assert bench.visitor.state is State.REGISTERED, bench.effects
    return bench


def discovering() -> Captured:
    """Any LMA will do, and the first one is asked which."""
    bench = Captured(
        dynamic_home_agent=True, default_lmas=(LMA,), on_revoke="dhcp_nak", unknown_home_address=ALL_ONES
    )
    profile = Profile(nai=bench.station.nai, lmas=(), mn_ha=association(1))
    bench.decide(bench.attach(), Accept(profile))
    assert requests(bench.effects), bench.effects
    return bench


SITUATIONS: tuple[Callable[[], Captured], ...] = (
    nobody,
    authenticating,
    registering,
    registering_again,
    registered,
    renewing,
    waiting,
    leaving,
    revoked,
    of_agents,
    registered_by_agents,
    discovering,
)


def of_agent(message: bytes) -> bytes:
    """A reply or a revocation as an LMA sends it that shares a key with the MAG."""
    parts = split(message, 0)
    assert parts is not None
    others = [extension for extension in parts.extensions if extension[0] != ext.MN_HA]
    if message[0] == MessageType.REGISTRATION_REPLY:
        others.insert(0, ext.long(ext.PROXY_NON_SKIPPABLE, *BY_FA_HA))
    return append_signature(parts.fixed + b"".join(others), ext.FA_HA, MAG_KEY)


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
    for again in tuple(bench.captured):
        sent = only(Send, bench.arrive(*again))
        assert state(bench) == after, "it counts once more"
        assert all(one.datagram[0] == MessageType.REVOCATION_ACK for one in sent)
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


def begin(octets: bytes) -> tuple[Captured, int]:
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
    message = SENT[sent.datagram[0]].decode(sent.datagram)
    assert message.mn_ha or message.fa_ha
    for key, found in ((association(1), message.mn_ha), (MAG_KEY, message.fa_ha)):
        if found is not None:
            assert key.verify(sent.datagram[: found.covered], found.value)


def consistent(bench: Bench) -> None:
    """Who is registered is carried, nobody else is, and nobody is forgotten."""
    carried = {
        key: (entry.home_address, entry.tunnel) for key, entry in installed(bench).items() if entry.upstream
    }
    served = [visitor for visitor in bench.engine.visitors if visitor.state is State.REGISTERED]
    assert {visitor.key: (visitor.home_address, visitor.tunnel) for visitor in served} == carried
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
        yield reply(request, 143, dynamic_home_agent=DynamicHomeAgent(2, Ipv4(LMA + 1)))
        yield reply(request, 1, udp_tunnel=UdpTunnelReply(0, forced=True, keepalive_interval=20))
    for request in sent[-1:]:
        for extension in EXTENSIONS:
            yield reply(request, 1, unknown=(extension,))
            yield reply(request, 1, trailing=(extension,))
    for identifier in (500_000, 500_001, 500_002, 500_300, 600_000):
        yield revocation(identifier)


def datagrams() -> Iterator[bytes]:
    for number, situation in enumerate(SITUATIONS):
        for answer in answers(situation()):
            payload = of_agent(answer) if situation in (of_agents, registered_by_agents) else answer
            yield bytes((number, 0)) + payload
            yield bytes((number, FORGED)) + payload


def frames() -> Iterator[bytes]:
    for number, situation in enumerate(SITUATIONS):
        station = situation().station
        for frame in frames_of(station):
            yield bytes((number, 0)) + frame


def frames_of(station: Station) -> Iterator[bytes]:
    yield station.arp(ADDRESS, GATEWAY)
    yield station.data(ADDRESS)
    yield station.data(ADDRESS, ttl=1)
    for kind in (Dhcp.DISCOVER, Dhcp.REQUEST, Dhcp.DECLINE, Dhcp.RELEASE, Dhcp.INFORM):
        yield station.dhcp(kind, requested=ADDRESS)
        yield station.dhcp(kind, ciaddr=ADDRESS, server=GATEWAY)
    for frame in any_frames():
        yield GATEWAY_MAC + station.mac + frame[12:]


DATAGRAMS = Target(
    name="mag",
    about="messages at a MAG that has a visitor in any state, signed again and forged",
    check=check_datagram,
    seeds=datagrams,
    floors=("wire", "mobility", "mag"),
    head=HEAD,
    runs=700,
    longest=600,
)
FRAMES = Target(
    name="mag-frames",
    about="frames of mobile nodes at a MAG, whatever it knows of them",
    check=check_frame,
    seeds=frames,
    floors=("wire", "access", "dhcp", "mag"),
    runs=700,
    longest=700,
)
