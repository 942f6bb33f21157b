"""A node's AAA server brings its registration to an LMA (RFC 4004 5.3): what is answered, and what becomes of sessions.

AAAH - HAR -> LMA - HAA with the reply -> AAAH
"""

from collections.abc import Iterable
from functools import partial

import attrs
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.home_agent import read
from pmip_tw.aaa.diameter.home_agent_sessions import ENDLESS, HomeAgentSessions
from pmip_tw.aaa.node_keys import Brought, KeyQuestion
from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.agents.brought_at_lma import BroughtToLma, RepliesForAaa
from pmip_tw.agents.lma import Lma
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram
from pmip_tw.lab.home_aaa import har, shared
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.net.diameter_home_agent import PATIENCE, DiameterHomeAgent
from pmip_tw.secret import Secret
from pmip_tw.store.unsaved import Unsaved
from pmip_tw.testing.diameter_client import SERVER, FakeDiameterClient, answer
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.testing.node_keys import FakeNodeKeys
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps
from pmip_tw.wire.diameter.codes import Application, Code, Command, Result, TerminationCause
from pmip_tw.wire.diameter.message import Header, Message, decode
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG1, MAG2, Anchor, nai

NODE = 5
SESSION = "aaa1.example.net;1;1"
AAA = AaaAssociation(0x3000, Secret(b"what node and AAA share"))
KEY = b"a key for the node...."
MN_HA = SecurityAssociation(0x3000, Secret(KEY), Algorithm.HMAC_SHA1)
FA_KEY = b"a key for its agent..."
FA_HA = SecurityAssociation(7000, Secret(FA_KEY), Algorithm.HMAC_SHA1)
SELF = Identity(host="lma1.example.net", realm="example.net", address=LMA, state_id=1, authorization=(1, 2))
FOR_NODE = avps.grouped(
    Code.MIP_HA_TO_MN_MSA,
    avps.unsigned32(Code.MIP_ALGORITHM_TYPE, 2),
    avps.unsigned32(Code.MIP_REPLAY_MODE, 2),
    avps.octets(Code.MIP_SESSION_KEY, KEY),
)
FOR_AGENT = shared(Code.MIP_HA_TO_FA_MSA, FA_HA.spi, FA_KEY)


class Bench:
    """An LMA's agent in memory, and AAA."""

    def __init__(self) -> None:
        self.anchor = Anchor(nodes=1, home="10.1.0.0/24", keys=KeyPolicy(proofs=True))
        self.network = FakeNetwork()
        self.reactor = Clock()
        replies = RepliesForAaa(FakeSignalling(self.network, (LMA,)))
        self.agent = Lma(
            self.anchor.engine,
            clock=self.anchor.clock,
            signalling=replies,
            forwarding=MemoryPlane(monotonic=lambda: self.anchor.clock.monotonic, local=LMA),
            store=Unsaved(),
            node_keys=FakeNodeKeys(),
        )
        self.client = FakeDiameterClient(answer, identity=SELF)
        self.home_agent = DiameterHomeAgent(
            self.client,
            Asker(identity=SELF, realm="example.net"),
            BroughtToLma(self.agent.keys.bring, replies),
            self.agent.sessions,
            LMA,
            self.reactor,
            self.anchor.clock,
        )
        self.agent.start()
        self.by_udp: list[bytes] = []
        for mag in (MAG1, MAG2):
            FakeSignalling(self.network, (mag,)).start(self, None)

    def datagrams_received(self, batch: list[Datagram]) -> None:
        self.by_udp += [datagram.payload for datagram in batch]

    def request(self, **fields: object) -> bytes:
        return self.anchor.request(NODE, **fields).encode(mn_aaa=AAA.over(None))  # type: ignore[arg-type]

    def be_asked(self, request: Message) -> Message | None:
        """Its answer; None: not yet."""
        found: list[Message] = []
        self.client.be_asked(decode(request.encode())).addCallback(found.append)
        self.network.deliver()
        return decode(found[0].encode()) if found else None

    def bring(
        self, octets: bytes | None = None, keys: Iterable[Avp] = (FOR_NODE,), **fields: object
    ) -> Message:
        fields = {"lifetime": 600, "msa_lifetime": 1800} | fields
        asked = brought(self.request() if octets is None else octets, keys, **fields)
        found = self.be_asked(asked)
        assert found is not None
        return found

    def passes(self, seconds: float) -> None:
        self.anchor.clock.advance(seconds)
        self.reactor.advance(seconds)


def brought(octets: bytes, keys: Iterable[Avp] = (FOR_NODE,), **fields: object) -> Message:
    values = {
        "session": SESSION,
        "user": nai(NODE).decode(),
        "home_agent": (SELF.host, SELF.realm),
        "lifetime": 600,
        "msa_lifetime": 1800,
    }
    return har(SERVER, octets, keys=keys, **(values | fields))  # type: ignore[arg-type]


def reply_in(haa: Message) -> RegistrationReply:
    octets = haa.avps.first(Code.MIP_REG_REPLY)
    assert octets is not None
    return RegistrationReply.decode(octets)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@covers("AA23")
def test_the_reply_goes_back_to_aaa(bench: Bench) -> None:
    haa = bench.bring(keys=(FOR_NODE, FOR_AGENT))
    assert (haa.name, haa.result, haa.session_id) == ("HAA", Result.SUCCESS, SESSION)
    found = haa.avps
    assert found.number(Code.AUTH_APPLICATION_ID) == Application.MOBILE_IPV4
    assert found.text(Code.USER_NAME) == nai(NODE).decode()
    octets, reply = found.first(Code.MIP_REG_REPLY) or b"", reply_in(haa)
    assert reply.code in (0, 1) and reply.mn_ha is not None and reply.fa_ha is not None
    assert MN_HA.verify(octets[: reply.mn_ha.covered], reply.mn_ha.value)
    assert FA_HA.verify(octets[: reply.fa_ha.covered], reply.fa_ha.value)
    assert found.address(Code.MIP_MOBILE_NODE_ADDRESS) == reply.home_address
    assert found.address(Code.MIP_HOME_AGENT_ADDRESS) == LMA
    assert found.number(Code.MIP_FA_TO_HA_SPI) == FA_HA.spi
    bound = bench.anchor.binding(NODE)
    assert bound is not None and bound.place.care_of_address == MAG1
    assert bench.by_udp == [], "and not to the agent"


def test_others_get_theirs_as_ever(bench: Bench) -> None:
    bench.agent.datagrams_received([Datagram(bench.anchor.datagram(1), Endpoint(MAG1, 434), LMA)])
    bench.network.deliver()
    assert len(bench.by_udp) == 1
    bench.bring()
    assert len(bench.by_udp) == 1


def test_what_the_lma_refuses_is_4005_with_its_reply(bench: Bench) -> None:
    old = bench.request()
    bench.bring()
    haa = bench.bring(old)
    assert haa.result == Result.MIP_REPLY_FAILURE and not haa.header.error
    assert reply_in(haa).code == 133
    assert haa.avps.first(Code.MIP_HOME_AGENT_ADDRESS) is None


def test_what_it_does_not_answer_is_4005_without(bench: Bench) -> None:
    bench.bring()
    bench.agent.stop()
    haa = bench.bring()
    assert haa.result == Result.MIP_REPLY_FAILURE and haa.avps.first(Code.MIP_REG_REPLY) is None


def without(message: Message, code: Code) -> Message:
    return attrs.evolve(message, avps=Avps(tuple(avp for avp in message.avps if avp.code != code)))


def with_more(message: Message, *more: Avp) -> Message:
    return attrs.evolve(message, avps=Avps((*message.avps, *more)))


@pytest.mark.parametrize(
    "code",
    [
        Code.AUTHORIZATION_LIFETIME,
        Code.AUTH_SESSION_STATE,
        Code.MIP_REG_REQUEST,
        Code.USER_NAME,
        Code.MIP_FEATURE_VECTOR,
        Code.MIP_HA_TO_MN_MSA,
    ],
)
def test_what_must_be_there_is_named_if_it_is_not(bench: Bench, code: Code) -> None:
    haa = bench.be_asked(without(brought(bench.request()), code))
    assert haa is not None and haa.result == Result.MISSING_AVP
    failed = haa.avps.group(Code.FAILED_AVP)
    assert failed is not None and failed.first(code) is not None
    assert bench.anchor.binding(NODE) is None


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"features": 1}, Result.INVALID_AVP_VALUE),
        ({"lifetime": 0}, Result.INVALID_AVP_VALUE),
        ({"features": 16 | 8 | 128}, Result.INVALID_AVP_VALUE),
        ({"user": "somebody.else@example.net"}, Result.INVALID_AVP_VALUE),
        ({"octets": b"\1 no request"}, Result.INVALID_AVP_VALUE),
        ({"keys": [shared(Code.MIP_HA_TO_MN_MSA, 4096, b"short")]}, Result.BAD_KEY),
        ({"keys": [shared(Code.MIP_HA_TO_MN_MSA, 255, KEY)]}, Result.BAD_KEY),
        ({"keys": [FOR_NODE, avps.grouped(Code.MIP_HA_TO_FA_MSA)]}, Result.BAD_KEY),
        ({"keys": [avps.octets(Code.MIP_HA_TO_MN_MSA, b"\1")]}, Result.INVALID_AVP_VALUE),
        (
            {"keys": [FOR_NODE, avps.octets(Code.MIP_FILTER_RULE, b"permit in ip from any to any")]},
            Result.MIP_FILTER_NOT_SUPPORTED,
        ),
    ],
)
def test_what_cannot_be_used_says_so(bench: Bench, fields: dict[str, object], result: Result) -> None:
    haa = bench.bring(**fields)  # type: ignore[arg-type]
    assert haa.result == result and haa.avps.first(Code.ERROR_MESSAGE)
    assert bench.anchor.binding(NODE) is None


def test_only_the_servers_that_we_ask_bring_anything(bench: Bench) -> None:
    """A MAG may reach the LMA through a relay as well, and is no AAA server."""
    asked = brought(bench.request())
    other = attrs.evolve(SERVER, realm="access.example.net")
    changed = [other.origin[1] if avp.code == Code.ORIGIN_REALM else avp for avp in asked.avps]
    haa = bench.be_asked(attrs.evolve(asked, avps=Avps(tuple(changed))))
    assert haa is not None and haa.result == Result.AUTHORIZATION_REJECTED
    assert bench.anchor.binding(NODE) is None


def test_a_request_that_nobody_can_have_proven(bench: Bench) -> None:
    """Without MN-AAA: AAA's word would be about nothing."""
    octets = bench.anchor.request(NODE).encode(mn_ha=MN_HA)
    assert bench.bring(octets).result == Result.INVALID_AVP_VALUE
    assert bench.anchor.binding(NODE) is None


def test_a_mn_ha_that_another_key_proves_goes_on(bench: Bench) -> None:
    """Its answer is signed with what the request names; the key that comes with it is there from then on."""
    bench.bring()
    new = shared(Code.MIP_HA_TO_MN_MSA, 0x3001, b"the next key of the node")
    octets = bench.anchor.request(NODE).encode(mn_ha=MN_HA, mn_aaa=AAA.over(None))
    haa = bench.bring(octets, [new])
    assert haa.result == Result.SUCCESS
    assert (reply := reply_in(haa)).mn_ha is not None and reply.mn_ha.spi == MN_HA.spi
    after = SecurityAssociation(0x3001, Secret(b"the next key of the node"), Algorithm.HMAC_SHA1)
    payload = bench.anchor.request(NODE).encode(mn_ha=after)
    bench.agent.datagrams_received([Datagram(payload, Endpoint(MAG1, 434), LMA)])
    bench.network.deliver()
    assert RegistrationReply.decode(bench.by_udp[0]).code in (0, 1)


def test_the_registration_is_no_longer_than_the_authorization(bench: Bench) -> None:
    assert reply_in(bench.bring(lifetime=120)).lifetime == 120
    assert reply_in(bench.bring(lifetime=ENDLESS)).lifetime == 600


def renewed(bench: Bench) -> int:
    """The node comes by UDP, with the key that was brought: seconds that it gets."""
    payload = bench.anchor.request(NODE).encode(mn_ha=MN_HA)
    bench.by_udp.clear()
    bench.agent.datagrams_received([Datagram(payload, Endpoint(MAG1, 434), LMA)])
    bench.network.deliver()
    [reply] = [found for found in bench.by_udp if found[0] == MessageType.REGISTRATION_REPLY]
    return RegistrationReply.decode(reply).lifetime


@pytest.mark.parametrize("state", [0, 1])
def test_who_renews_without_aaa_is_served_no_longer_either(bench: Bench, state: int) -> None:
    """The server frees at the end of the authorization what it has, such as the home address."""
    bench.bring(lifetime=120, msa_lifetime=0, state=state)
    bench.passes(100)
    assert renewed(bench) == 600
    bench.passes(22)
    assert bench.anchor.binding(NODE) is None
    bench.passes(3600)
    assert not renewed(bench)
    assert bench.anchor.binding(NODE) is None, "AAA is asked first, and it refuses"


def test_who_is_brought_again_goes_on(bench: Bench) -> None:
    bench.bring(lifetime=120)
    bench.passes(100)
    # Without another key: the one that it has proves it.
    octets = bench.anchor.request(NODE).encode(mn_ha=MN_HA, mn_aaa=AAA.over(None))
    assert bench.bring(octets, (), lifetime=300).result == Result.SUCCESS
    bench.passes(250)
    assert renewed(bench) == 600
    bench.passes(40)
    assert bench.anchor.binding(NODE) is not None
    bench.passes(20)
    assert bench.anchor.binding(NODE) is None
    bench.bring(lifetime=120)
    bench.bring(lifetime=ENDLESS)
    bench.passes(300)
    assert renewed(bench) == 600
    bench.passes(599)
    assert bench.anchor.binding(NODE) is not None


def test_two_that_bring_the_same_get_the_same(bench: Bench) -> None:
    """A relay has lost its connection, and another has it now (RFC 6733 5.5.4)."""
    asked = brought(bench.request())
    slow: list[Deferred[bytes | None]] = []
    replies = bench.home_agent._home_agent
    question = read(asked, LMA)
    twin = BroughtToLma(lambda *_: True, RepliesForAaa(FakeSignalling(FakeNetwork(), (LMA,))))
    assert isinstance(replies, BroughtToLma)
    for _ in range(2):
        slow.append(twin.register(question.question, question.brought, question.identification))
    said: list[bytes | None] = []
    for one in slow:
        one.addCallback(said.append)
    request = RegistrationRequest.decode(question.question.request)
    reply = RegistrationReply(
        code=0,
        lifetime=1,
        home_address=ipv4("10.1.0.2"),
        home_agent=LMA,
        identification=request.identification,
        nai=nai(NODE),
    ).encode()
    twin._replies.send_all([(reply, Endpoint(MAG1, 434)), (reply, Endpoint(MAG2, 434))], LMA)
    assert said == [reply, reply]


def test_two_nodes_of_an_agent_that_have_chosen_the_same_identification(bench: Bench) -> None:
    """Its low half is all that a reply has for sure (RFC 5944 3.4): anybody can choose that of somebody else."""
    carried: list[bytes] = []

    def bring(question: KeyQuestion, _: Brought) -> bool:
        carried.append(question.nai)
        return True

    twin = BroughtToLma(bring, RepliesForAaa(FakeSignalling(FakeNetwork(), (LMA,))))
    said: dict[bytes, bytes | None] = {}
    question, replies = read(brought(bench.request()), LMA).question, []
    for name in (nai(NODE), nai(6)):
        waiting = twin.register(attrs.evolve(question, nai=name), Brought(), 77)
        waiting.addCallback(partial(said.__setitem__, name))
        replies.append(
            RegistrationReply(
                code=0, lifetime=1, home_address=6, home_agent=LMA, identification=77, nai=name
            ).encode()
        )
    assert carried == [nai(NODE), nai(6)]
    twin._replies.send_all([(replies[1], Endpoint(MAG1, 434))], LMA)
    assert said == {nai(6): replies[1]}
    twin._replies.send_all([(replies[0], Endpoint(MAG1, 434))], LMA)
    assert said == {nai(6): replies[1], nai(NODE): replies[0]}
    assert not twin._replies._awaited


def test_a_defect_leaves_nobody_behind_who_waits(bench: Bench) -> None:
    """Who would take the next reply."""

    def breaks(*_: object) -> bool:
        raise ZeroDivisionError

    twin = BroughtToLma(breaks, RepliesForAaa(FakeSignalling(FakeNetwork(), (LMA,))))
    with pytest.raises(ZeroDivisionError):
        twin.register(read(brought(bench.request()), LMA).question, Brought(), 77)
    assert not twin._replies._awaited


def test_a_reply_that_comes_too_late_goes_to_the_agent(bench: Bench) -> None:
    replies = RepliesForAaa(FakeSignalling(bench.network, (ipv4("192.0.2.9"),)))
    slow = BroughtToLma(lambda *_: True, replies)
    client = FakeDiameterClient(answer, identity=SELF)
    asker = Asker(identity=SELF, realm="example.net")
    DiameterHomeAgent(client, asker, slow, bench.agent.sessions, LMA, bench.reactor, bench.anchor.clock)
    found: list[Message] = []
    client.be_asked(brought(bench.request())).addCallback(found.append)
    bench.reactor.advance(PATIENCE - 0.1)
    assert not found
    bench.reactor.advance(0.2)
    assert found[0].result == Result.MIP_REPLY_FAILURE
    assert not replies._awaited


# --- sessions -------------------------------------------------------------------------------------------


def terminations(bench: Bench) -> list[tuple[str, int]]:
    told = [one for one in bench.client.asked if one.name == "STR"]
    assert all(one.header.application == 2 for one in told), "a relay gives application 0 back"
    assert all(one.avps.number(Code.AUTH_APPLICATION_ID) == 2 for one in told)
    # Another one of that realm knows nothing of it.
    assert all(one.avps.text(Code.DESTINATION_HOST) == SERVER.host for one in told)
    return [(one.session_id, one.avps.required_number(Code.TERMINATION_CAUSE)) for one in told]


@covers("AA23")
def test_the_server_hears_when_the_authorization_is_over(bench: Bench) -> None:
    bench.bring()
    bench.passes(599)
    bench.bring()  # another registration: the same session goes on
    bench.passes(500)
    assert terminations(bench) == []
    bench.passes(110)
    assert terminations(bench) == [(SESSION, TerminationCause.AUTH_EXPIRED)]
    bench.passes(2000)
    assert len(terminations(bench)) == 1


def test_and_when_the_node_has_left(bench: Bench) -> None:
    bench.bring()
    assert bench.bring(bench.request(lifetime=0), lifetime=0).result == Result.SUCCESS
    assert bench.anchor.binding(NODE) is None
    bench.passes(0)
    assert terminations(bench) == [(SESSION, TerminationCause.LOGOUT)]


def test_a_server_that_keeps_no_session_hears_nothing(bench: Bench) -> None:
    bench.bring(state=1)
    bench.passes(2000)
    assert terminations(bench) == []


def test_what_was_refused_is_no_session(bench: Bench) -> None:
    old = bench.request()
    bench.bring(state=1)
    bench.bring(old)
    bench.passes(2000)
    assert terminations(bench) == []


def test_another_session_of_the_node_ends_the_one_before(bench: Bench) -> None:
    bench.bring()
    bench.bring(session="aaa2.example.net;1;1")
    bench.passes(0)
    assert terminations(bench) == [(SESSION, TerminationCause.USER_MOVED)]


def asr(session: str = SESSION, application: int = 2) -> Message:
    return Message(
        header=Header(command=Command.ABORT_SESSION, application=application, request=True),
        avps=Avps(
            (
                avps.text(Code.SESSION_ID, session),
                *SERVER.origin,
                avps.text(Code.DESTINATION_REALM, SELF.realm),
                avps.text(Code.DESTINATION_HOST, SELF.host),
                avps.unsigned32(Code.AUTH_APPLICATION_ID, 2),
            )
        ),
    )


@covers("AA23", "AA17")
@pytest.mark.parametrize("application", [2, 0])
def test_asr_ends_the_binding_and_then_its_session(bench: Bench, application: int) -> None:
    """RFC 4004 4 has application 0."""
    bench.bring()
    asa = bench.be_asked(asr(application=application))
    assert asa is not None and (asa.name, asa.result) == ("ASA", Result.SUCCESS)
    assert bench.anchor.binding(NODE) is None
    assert terminations(bench) == [], "the ASA first"
    bench.passes(0)
    assert terminations(bench) == [(SESSION, TerminationCause.ADMINISTRATIVE)]
    again = bench.be_asked(asr())
    assert again is not None and again.result == Result.UNKNOWN_SESSION_ID


def test_nobody_else_ends_it(bench: Bench) -> None:
    """A Session-Id is no secret: it can be counted (RFC 6733 8.8)."""
    bench.bring()
    other = attrs.evolve(SERVER, realm="access.example.net").origin[1]
    asked = asr()
    changed = tuple(other if avp.code == Code.ORIGIN_REALM else avp for avp in asked.avps)
    asa = bench.be_asked(attrs.evolve(asked, avps=Avps(changed)))
    assert asa is not None and asa.result == Result.UNKNOWN_SESSION_ID
    assert bench.anchor.binding(NODE) is not None


def test_sessions_in_time() -> None:
    kept = HomeAgentSessions()
    assert kept.accepted("a", "mn1", 10, 100.0) is None
    assert kept.accepted("b", "mn2", 0, 100.0) is None
    assert kept.accepted("a", "mn1", ENDLESS, 105.0) is None
    assert kept.expired(200.0) == [] and len(kept) == 2
    assert kept.accepted("a", "mn1", 10, 300.0) is None
    assert [one.id for one in kept.expired(312.0)] == ["a"]
    assert kept.over("b") is not None and kept.over("b") is None
