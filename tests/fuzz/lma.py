"""Damaged messages that are authentic all the same, and damaged ones that are not, at an LMA with something to lose."""

from collections.abc import Callable, Iterator
from typing import Any

from pmip_tw.addresses import Ipv4
from pmip_tw.lma.mags import KnownMag
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.effects import Send
from pmip_tw.mobility.mn_aaa import AaaAssociation, AaaTable, NodeKey
from pmip_tw.secret import Secret
from pmip_tw.wire import extensions as ext
from pmip_tw.wire.codes import MessageType, accepts
from pmip_tw.wire.extension_fields import BY_FA_HA
from pmip_tw.wire.extension_values import DynamicHomeAgent, RevocationSupport, UdpTunnelRequest
from pmip_tw.wire.registration import (
    BROADCASTS,
    COLOCATED,
    GRE,
    MINIMAL,
    REVERSE_TUNNEL,
    SIMULTANEOUS,
    RegistrationReply,
    RegistrationRequest,
)
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.fuzz.datagrams import EXTENSIONS, sign_again
from tests.fuzz.target import Target
from tests.lma.anchor import BLUE, LMA, MAG1, MAG2, MAG3, NAT, Anchor, association, nai, revocations

HEAD = 2
"""Octets in front of the datagram: in which situation it arrives, and how."""

FORGED = 0x80
SOURCES = (MAG1, MAG2, MAG3, NAT)
DELAYS = (0.0, 0.5, 6.0, 700.0)

MAG_KEY = SecurityAssociation(0x2000, Secret(b"key of the first MAG"))
NAT_KEY = SecurityAssociation(0x2002, Secret(b"key of the MAG behind the NAT"))
AAA_KEY = SecurityAssociation(0x3000, Secret(b"key of the AAA server"))
SENT = {
    MessageType.REGISTRATION_REPLY: RegistrationReply,
    MessageType.REVOCATION: Revocation,
    MessageType.REVOCATION_ACK: RevocationAck,
}
SUPPORT = RevocationSupport(5)


class Captured(Anchor):
    """Somebody keeps every datagram that arrives."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.captured: list[tuple[bytes, Ipv4, int]] = []

    def hear(self, payload: bytes, source: Ipv4 = MAG1, port: int = 434) -> list[Send]:
        self.captured.append((payload, source, port))
        return super().hear(payload, source, port)


def empty() -> Captured:
    return Captured()


def bound() -> Captured:
    anchor = Captured()
    anchor.accept(1, MAG1, revocation=SUPPORT)
    anchor.accept(2, MAG1)
    return anchor


def behind_a_nat() -> Captured:
    anchor = Captured()
    anchor.accept(1, MAG1, source=NAT, port=5434, udp_tunnel=UdpTunnelRequest(), revocation=SUPPORT)
    return anchor


def moved() -> Captured:
    """A revocation to the first MAG is on its way."""
    anchor = bound()
    anchor.pass_time(2)
    anchor.accept(1, MAG2, revocation=SUPPORT)
    return anchor


def released() -> Captured:
    anchor = bound()
    anchor.release(1)
    return anchor


def full() -> Captured:
    anchor = Captured(home="10.1.0.0/30")
    anchor.accept(1, MAG1)
    return anchor


def strict() -> Captured:
    anchor = Captured(strict_reserved_bits=True, nat_traversal=False, handover_min_interval=0.0)
    anchor.accept(1, MAG1)
    return anchor


def of_agents() -> Captured:
    """MAGs with keys of their own: one direct, one behind a NAT; node 1 is bound by such a key, node 2 by two."""
    mags = [
        KnownMag(address=MAG1, mode=AuthenticationMode.FA_HA, associations=(MAG_KEY,)),
        KnownMag(
            address=MAG2,
            mode=AuthenticationMode.FA_HA,
            associations=(NAT_KEY,),
            behind_nat=True,
            realms=frozenset({b"example.net"}),
        ),
        KnownMag(address=MAG3, proxy=False),
    ]
    at_the_server = NodeKey(AaaAssociation(AAA_KEY.spi, Secret(b"key of the AAA server")), association(1))
    anchor = Captured(mags=mags, aaa=AaaTable([(nai(1).decode(), at_the_server)]), revocation_inform=True)
    asked = anchor.request(1, MAG1, per_node=BY_FA_HA, revocation=RevocationSupport(5, inform=True))
    anchor.hear(asked.encode(fa_ha=MAG_KEY), MAG1)
    asked = anchor.request(2, MAG1, flags=REVERSE_TUNNEL, revocation=SUPPORT, agent_part=frozenset({137}))
    anchor.hear(asked.encode(mn_ha=association(2), fa_ha=MAG_KEY), MAG1)
    assert len(anchor.engine.bindings) == 2, anchor.notes
    return anchor


def generous() -> Captured:
    """Everything that can be offered is; node 1 is at two MAGs at once, one of them by GRE with keys."""
    anchor = Captured(
        max_bindings=2,
        by_technology=True,
        tunnel_broadcast=True,
        dynamic_home_agent=True,
        redirects={b"blue.example": Ipv4(LMA + 1)},
        explain_refusals=True,
        revocation_inform=True,
    )
    flags = COLOCATED | REVERSE_TUNNEL | SIMULTANEOUS | BROADCASTS
    anchor.accept(1, MAG1, flags=flags, revocation=RevocationSupport(5, inform=True))
    anchor.accept(1, MAG2, flags=flags | GRE, gre_key=0, revocation=SUPPORT)
    return anchor


def broken() -> Captured:
    """The packet plane takes nothing any more."""
    anchor = bound()
    anchor.broken = "no memory"
    return anchor


SITUATIONS: tuple[Callable[[], Captured], ...] = (
    empty,
    bound,
    behind_a_nat,
    moved,
    released,
    full,
    strict,
    broken,
    of_agents,
    generous,
)


def keys(kind: int, name: bytes, spi: int) -> SecurityAssociation | None:
    """With what an extension of a message that names ``name`` is signed."""
    if kind == ext.FA_HA:
        return next((key for key in (MAG_KEY, NAT_KEY) if key.spi == spi), None)
    if kind == ext.GENERALIZED_AUTHENTICATION:
        return AAA_KEY if spi == AAA_KEY.spi else None
    for node in (1, 2, 3, BLUE):
        if name == nai(node) and spi == association(node).spi:
            return association(node)
    return None


def check(octets: bytes) -> None:
    if len(octets) <= HEAD:
        return
    situation, how = octets[0], octets[1]
    forged = bool(how & FORGED)
    anchor = SITUATIONS[situation % len(SITUATIONS)]()
    anchor.pass_time(DELAYS[how >> 2 & 3])
    source = SOURCES[how & 3]
    payload = sign_again(octets[HEAD:], keys, forged=forged)
    before, deadline = whole_state(anchor), anchor.engine.next_deadline()
    sent = anchor.hear(payload, source)
    answers = [one for one in sent if one.datagram[0] != MessageType.REVOCATION]
    assert len(answers) <= 1
    for one in sent:
        authentic(one)
    consistent(anchor)
    if forged:
        assert all(one.datagram[0] == MessageType.REGISTRATION_REPLY for one in answers)
        code = RegistrationReply.decode(answers[0].datagram).code if answers else None
        assert code in (None, 131, 132, 144) and len(sent) == len(answers), (
            "something followed from a forgery"
        )
        assert (whole_state(anchor), anchor.engine.next_deadline()) == (before, deadline), (
            "forged, and it counts"
        )
        return
    if payload[0] == MessageType.REGISTRATION_REQUEST:
        about_request(anchor, payload, answers, changed=before != whole_state(anchor))
    after = whole_state(anchor)
    for again in tuple(anchor.captured):
        sent = anchor.hear(*again)
        assert whole_state(anchor) == after, "it counts once more"
        assert all(one.datagram[0] != MessageType.REVOCATION for one in sent)
    for one in anchor.pass_time(anchor.policy.max_lifetime + 1.5):
        authentic(one)
    assert list(anchor.engine.bindings) == []
    consistent(anchor)


def about_request(anchor: Anchor, payload: bytes, answers: list[Send], *, changed: bool) -> None:
    if not answers:
        assert not changed, "a registration without an answer"
        return
    request, reply = RegistrationRequest.decode(payload), RegistrationReply.decode(answers[0].datagram)
    assert reply.nai == request.nai
    assert (reply.identification ^ request.identification) & 0xFFFFFFFF == 0
    if not accepts(reply.code):
        assert not changed, f"refused with {reply.code}, and it counts"
    elif request.lifetime:
        assert 0 < reply.lifetime <= min(request.lifetime, anchor.policy.max_lifetime)
        held = {one.home_address for one in anchor.engine.bindings.of_nai(request.nai)}
        assert reply.home_address in held
    else:
        assert reply.lifetime == 0


def whole_state(anchor: Anchor) -> tuple[object, ...]:
    return (anchor.state(), len(anchor.engine.bindings))


def authentic(sent: Send) -> None:
    """What leaves decodes, and verifies with the key of the node that it names."""
    message = SENT[sent.datagram[0]].decode(sent.datagram)
    assert message.mn_ha or message.fa_ha
    for kind, found in ((ext.MN_HA, message.mn_ha), (ext.FA_HA, message.fa_ha)):
        if found is not None:
            key = keys(kind, message.nai, found.spi)
            assert key is not None and key.verify(sent.datagram[: found.covered], found.value)


def consistent(anchor: Anchor) -> None:
    """The packet plane holds the bindings, nobody has another's address, and all are of the pool."""
    bindings = list(anchor.engine.bindings)
    assert anchor.installed == {one.entry.key: one.entry for one in bindings}
    addresses: list[Ipv4] = [one.home_address for one in bindings]
    assert len(addresses) == len(set(addresses))
    now = anchor.clock.monotonic
    longest = now + anchor.policy.max_lifetime
    assert all(now - 1 < one.deadline <= longest for binding in bindings for one in binding.all)
    assert all(len(binding.all) <= anchor.policy.max_bindings for binding in bindings)


def seeds() -> Iterator[bytes]:
    """In every situation: what a MAG may well ask, plain, signed by its MAG as well, and with one extension more."""
    for number, situation in enumerate(SITUATIONS):
        anchor = situation()
        for how, request in enumerate(requests(anchor)):
            source = how % len(SOURCES)
            yield bytes((number, source)) + request.encode(mn_ha=association(1))
            yield bytes((number, source | FORGED)) + request.encode(mn_ha=association(1))
            yield bytes((number, source | 4)) + request.encode(mn_ha=association(1), fa_ha=MAG_KEY)
            request.per_node = BY_FA_HA
            yield bytes((number, source)) + request.encode(fa_ha=MAG_KEY)
            yield bytes((number, source | FORGED)) + request.encode(fa_ha=MAG_KEY)
        for sent in revocations(anchor.sent):
            ack = RevocationAck(nai=sent.nai, home_address=sent.home_address, identifier=sent.identifier)
            yield bytes((number, 0)) + ack.encode(mn_ha=association(1))
            yield bytes((number, FORGED)) + ack.encode(mn_ha=association(1))
    for number in (1, SITUATIONS.index(of_agents), SITUATIONS.index(generous)):
        anchor = SITUATIONS[number]()
        for extension in EXTENSIONS:
            request = anchor.request(1, unknown=(extension,))
            yield bytes((number, 0)) + request.encode(mn_ha=association(1))
            request = anchor.request(1, trailing=(extension,))
            yield bytes((number, 0)) + request.encode(mn_ha=association(1), fa_ha=MAG_KEY)
    yield from from_agents()


def from_agents() -> Iterator[bytes]:
    """What only MAGs with keys of their own send."""
    number = SITUATIONS.index(of_agents)
    anchor = of_agents()
    for node in (1, 2):
        binding = anchor.binding(node)
        assert binding is not None
        for identifier in (5, 6, 300):
            revocation = Revocation(
                nai=nai(node),
                from_home_agent=False,
                inform=True,
                home_address=binding.home_address,
                home_domain=LMA,
                foreign_domain=MAG1,
                identifier=identifier,
            )
            for how in (0, FORGED):
                yield bytes((number, how)) + revocation.encode(fa_ha=MAG_KEY)
                yield bytes((number, how)) + revocation.encode(mn_ha=association(node))
    for request in requests(anchor):
        for challenge in (None, b"challenge"):
            request.challenge = challenge
            yield bytes((number, 0)) + request.encode(mn_aaa=AAA_KEY)
            yield bytes((number, 0)) + request.encode(mn_ha=association(1), mn_aaa=AAA_KEY)


def requests(anchor: Anchor) -> Iterator[RegistrationRequest]:
    held = anchor.binding()
    home = held.home_address if held else Ipv4(0)
    yield anchor.request(1, MAG1, home_address=home, revocation=SUPPORT)
    yield anchor.request(1, MAG2, revocation=SUPPORT, access_technology=3)
    yield anchor.request(1, MAG3, lifetime=0, home_address=home)
    yield anchor.request(1, MAG1, udp_tunnel=UdpTunnelRequest(forced=True))
    yield anchor.request(1, MAG1, lifetime=0, home_address=home)
    yield anchor.request(1, home, lifetime=0, home_address=home)
    yield anchor.request(1, MAG2, gre_key=7, flags=REVERSE_TUNNEL | GRE | SIMULTANEOUS)
    yield anchor.request(1, MAG2, flags=REVERSE_TUNNEL | COLOCATED | MINIMAL | BROADCASTS)
    yield anchor.request(1, MAG1, home_agent=Ipv4(0), dynamic_home_agent=DynamicHomeAgent(1, LMA))
    yield anchor.request(BLUE, MAG1, home_agent=Ipv4(0), dynamic_home_agent=DynamicHomeAgent(1, LMA))
    yield anchor.request(3, MAG3, home_address=Ipv4(0xFFFFFFFF), lifetime=65535)


TARGET = Target(
    name="lma",
    about="messages at an LMA that has bindings and revocations on their way, signed again and forged",
    check=check,
    seeds=seeds,
    floors=("wire", "mobility", "lma"),
    head=HEAD,
    runs=1500,
    longest=600,
)
