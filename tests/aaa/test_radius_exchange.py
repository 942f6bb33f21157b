"""The exchange machine, told about time and datagrams; the servers are twins without sockets."""

import random

import pytest

from pmip_tw.aaa.mac_authentication import MacFormat
from pmip_tw.aaa.profile import Profile
from pmip_tw.aaa.radius_exchange import Effect, Finished, RadiusExchanges, Transmit
from pmip_tw.aaa.radius_servers import RadiusServer, RadiusSettings, RequireSignature
from pmip_tw.aaa.verdicts import Accept, MacCredential, Reject, Unavailable, Verdict
from pmip_tw.addresses import Endpoint, Mac, ipv4, mac
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe
from pmip_tw.mobility.observations import Observation
from pmip_tw.secret import Secret
from pmip_tw.testing.radius_server import RadiusAccount, RadiusTwin
from pmip_tw.wire.radius import decode_request
from tests.conformance import covers

SECRET = Secret(b"testing123")
KEY = Secret(b"0123456789abcdef")
FIRST = Endpoint(ipv4("198.51.100.53"), 1812)
SECOND = Endpoint(ipv4("198.51.100.54"), 1812)
MN1 = mac("02:00:00:00:00:01")
CREDENTIAL = MacCredential(mac=MN1, port="eth1")
PROFILE = Profile(nai="mn1@example.net", lmas=(ipv4("192.0.2.1"),), mn_ha=SecurityAssociation(4096, KEY))
ACCOUNT = RadiusAccount.of("02-00-00-00-00-01", PROFILE, KEY)


class World:
    """A machine, its clock, and twins of its servers; the network delivers when told to."""

    def __init__(
        self,
        *endpoints: Endpoint,
        require: RequireSignature = RequireSignature.AUTO,
        mac_format: MacFormat = MacFormat.DASHES,
    ) -> None:
        self.time = 100.0
        self.random = random.Random(1)
        self.twins = {endpoint: RadiusTwin(SECRET, [ACCOUNT]) for endpoint in endpoints or (FIRST,)}
        settings = RadiusSettings(
            servers=tuple(
                RadiusServer(endpoint=endpoint, secret=SECRET, require_message_authenticator=require)
                for endpoint in self.twins
            ),
            nas_identifier="mag1.example.net",
            nas_address=ipv4("198.51.100.10"),
            mac_format=mac_format,
        )
        self.machine = RadiusExchanges(settings, self.now())
        self.sent: list[tuple[float, Transmit]] = []
        self.verdicts: dict[int, Verdict] = {}
        self.observations: list[Observation] = []

    def now(self) -> Now:
        return Now(self.time, 1_700_000_000.0 + self.time, self.random.randbytes)

    def take(self, effects: list[Effect]) -> list[Transmit]:
        """Note the effects; what was sent is returned."""
        sent = [effect for effect in effects if isinstance(effect, Transmit)]
        self.sent += [(self.time, transmit) for transmit in sent]
        for effect in effects:
            if isinstance(effect, Finished):
                assert effect.exchange not in self.verdicts, "an exchange ends once"
                self.verdicts[effect.exchange] = effect.verdict
            elif isinstance(effect, Observe):
                self.observations.append(effect.observation)
        return sent

    def start(self, who: Mac = MN1) -> tuple[int, list[Transmit]]:
        number, effects = self.machine.start(MacCredential(mac=who, port="eth1"), self.now())
        return number, self.take(effects)

    def deliver(self, *requests: Transmit) -> None:
        """Let the twins have ``requests``, and the machine their answers."""
        for request in requests:
            answer = self.twins[request.destination].answer(request.datagram)
            if answer is not None:
                self.receive(answer, request.destination)

    def receive(self, datagram: bytes, source: Endpoint) -> None:
        self.take(self.machine.datagram_received(datagram, source, self.now()))

    def wake(self) -> list[Transmit]:
        """Go to the next deadline."""
        deadline = self.machine.next_deadline()
        assert deadline is not None
        self.time = deadline
        return self.take(self.machine.wake(self.now()))

    def run_out(self) -> None:
        """Nobody answers any more."""
        while self.machine.next_deadline() is not None:
            self.wake()

    def reasons(self, name: str = "radius-answer-discarded") -> list[str]:
        return [observation.reason for observation in self.observations if observation.name == name]


def cause(verdict: Verdict) -> str:
    assert isinstance(verdict, Unavailable), verdict
    return verdict.cause


def test_accept() -> None:
    world = World()
    number, sent = world.start()
    world.deliver(*sent)
    assert world.verdicts == {number: Accept(PROFILE)}
    assert world.machine.next_deadline() is None
    assert [observation.name for observation in world.observations] == [
        "radius-request-sent",
        "radius-answer",
    ]


def test_reject() -> None:
    world = World()
    number, sent = world.start(mac("02:00:00:00:00:09"))
    world.deliver(*sent)
    assert isinstance(world.verdicts[number], Reject)


@covers("AA24")
def test_the_request_says_who_and_where() -> None:
    """AA24; Calling-Station-Id is upper case with dashes whatever the user name looks like (RFC 3580 3.21)."""
    world = World(mac_format=MacFormat.PLAIN)
    _, [sent] = world.start(mac("02:00:00:00:00:ab"))
    request = decode_request(sent.datagram, SECRET)
    assert request.password == Secret(b"0200000000ab")
    assert [request.attributes.first(kind) for kind in (1, 31, 6, 61, 87, 32, 4)] == [
        b"0200000000ab",
        b"02-00-00-00-00-AB",
        b"\0\0\0\x0a",
        b"\0\0\0\x0f",
        b"eth1",
        b"mag1.example.net",
        b"\xc6\x33\x64\x0a",
    ]


@pytest.mark.parametrize("mac_format", MacFormat)
def test_mac_formats_are_written_as_they_are_called(mac_format: MacFormat) -> None:
    assert mac_format.write(mac("aa:bb:cc:dd:ee:ff")) == mac_format.value


@covers("AA6")
def test_retransmissions_are_the_same_octets_at_doubling_distances() -> None:
    """AA6: 2-4-8 s, each within a tenth (RFC 5080 2.2.1)."""
    world = World()
    number, _ = world.start()
    world.run_out()
    times = [when for when, _ in world.sent]
    assert len({transmit.datagram for _, transmit in world.sent}) == 1
    assert len(times) == 3
    waits = [later - earlier for earlier, later in zip(times, [*times[1:], world.time], strict=True)]
    assert waits[0] == pytest.approx(2.0, rel=0.1)
    assert waits[1:] == [pytest.approx(2 * previous, rel=0.05) for previous in waits[:-1]]
    assert "no answer in 3 tries" in cause(world.verdicts[number])
    assert world.machine.asking == 0


def test_an_early_wake_up_sends_nothing() -> None:
    world = World()
    world.start()
    world.time += 0.5
    assert world.take(world.machine.wake(world.now())) == []


def test_a_retransmission_is_answered_like_the_first_and_a_late_answer_is_ignored() -> None:
    world = World()
    number, [first] = world.start()
    [second] = world.wake()
    world.deliver(second)
    world.deliver(first)
    assert world.verdicts == {number: Accept(PROFILE)}
    assert world.reasons() == ["unexpected"]


@covers("AA6")
def test_the_next_server_gets_its_own_authenticator_and_each_cause_is_told() -> None:
    world = World(FIRST, SECOND)
    number, _ = world.start()
    world.take(world.machine.peer_unreachable(FIRST, 3))
    world.run_out()
    by_server = {
        endpoint: {t.datagram for _, t in world.sent if t.destination == endpoint} for endpoint in world.twins
    }
    assert [len(datagrams) for datagrams in by_server.values()] == [1, 1]
    [one], [other] = by_server.values()
    assert one[4:20] != other[4:20]
    assert cause(world.verdicts[number]) == (
        "198.51.100.53:1812: nothing listens on that port (ICMP port unreachable); "
        "198.51.100.54:1812: no answer in 3 tries - the server is down, or drops requests of an unknown client"
        " or with a wrong shared secret"
    )


def test_icmp_ends_nothing() -> None:
    """Anybody can forge it: an answer that still comes counts."""
    world = World()
    number, sent = world.start()
    world.take(world.machine.peer_unreachable(FIRST, 3))
    assert number not in world.verdicts
    world.deliver(*sent)
    assert world.verdicts == {number: Accept(PROFILE)}


def test_answers_of_another_secret_are_dropped_and_named_in_the_end() -> None:
    world = World()
    world.twins[FIRST].answer_secret = Secret(b"another")
    number, sent = world.start()
    world.deliver(*sent)
    assert number not in world.verdicts
    world.run_out()
    assert cause(world.verdicts[number]) == (
        "198.51.100.53:1812: answer does not verify - is the shared secret the same on both sides?"
    )
    assert world.reasons() == ["bad-authenticator"]


def test_a_forged_answer_does_not_keep_the_true_one_out() -> None:
    world = World()
    number, [request] = world.start()
    world.receive(b"\x03" + request.datagram[1:2] + b"\0\x14" + bytes(16), FIRST)
    world.receive(b"\x02" + request.datagram[1:2] + b"\0\x14", FIRST)
    world.receive(request.datagram, Endpoint(FIRST.address, 1645))
    assert world.reasons() == ["bad-authenticator", "truncated", "unknown-source"]
    world.deliver(request)
    assert world.verdicts == {number: Accept(PROFILE)}


def test_a_silent_server_is_asked_last_for_a_while_and_then_by_one_exchange() -> None:
    world = World(FIRST, SECOND)
    world.twins[FIRST].silent = True
    number, sent = world.start()
    while number not in world.verdicts:
        world.deliver(*sent)
        sent = world.wake() if number not in world.verdicts else []
    _, [request] = world.start()
    assert request.destination == SECOND
    world.deliver(request)
    world.time += 31
    assert [world.start()[1][0].destination for _ in range(2)] == [FIRST, SECOND]


def test_a_server_that_answers_again_is_first_again() -> None:
    world = World(FIRST, SECOND)
    world.start()
    world.run_out()
    world.time += 31
    _, [probe] = world.start()
    world.deliver(probe)
    assert world.start()[1][0].destination == FIRST


@covers("AA3")
def test_auto_demands_signatures_from_the_first_signed_answer_on() -> None:
    """AA3."""
    world = World()
    twin = world.twins[FIRST]
    twin.signs = False
    for _ in range(2):
        number, sent = world.start()
        world.deliver(*sent)
        assert world.verdicts[number] == Accept(PROFILE)
    assert world.reasons("radius-server-unsigned") == ["unsigned"], "said once"
    twin.signs = True
    world.deliver(*world.start()[1])
    twin.signs = False
    number, sent = world.start()
    world.deliver(*sent)
    assert world.reasons() == ["no-message-authenticator"]
    world.run_out()
    assert "no Message-Authenticator" in cause(world.verdicts[number])


@covers("AA3")
@pytest.mark.parametrize(
    ("require", "accepted"),
    [(RequireSignature.YES, False), (RequireSignature.EAP_ONLY, True), (RequireSignature.NO, True)],
)
def test_other_demands(require: RequireSignature, accepted: bool) -> None:
    world = World(require=require)
    world.twins[FIRST].signs = False
    number, sent = world.start()
    world.deliver(*sent)
    assert (number in world.verdicts) is accepted
    assert world.reasons("radius-server-unsigned") == []


def test_256_ask_256_wait_and_the_next_is_told_at_once() -> None:
    """No identifier is used twice at a time, and everybody gets a verdict."""
    world = World()
    requests: list[Transmit] = []
    for index in range(512):
        requests += world.start(Mac(b"\2\0\0\1" + index.to_bytes(2, "big")))[1]
    assert (world.machine.asking, world.machine.waiting) == (256, 256)
    assert len({request.datagram[1] for request in requests}) == 256
    number, sent = world.start()
    assert sent == []
    assert "outstanding" in cause(world.verdicts[number])
    answered = 0
    while answered < len(world.sent):
        _, request = world.sent[answered]
        answered += 1
        world.deliver(request)
    assert len(world.verdicts) == 513
    assert (world.machine.asking, world.machine.waiting) == (0, 0)
    assert world.reasons() == []


def test_those_who_wait_are_served_when_nobody_answers_either() -> None:
    world = World()
    for index in range(300):
        world.start(Mac(b"\2\0\0\1" + index.to_bytes(2, "big")))
    world.run_out()
    assert len(world.verdicts) == 300


def test_identifiers_go_round_before_one_is_used_again() -> None:
    world = World()
    used = []
    for _ in range(256):
        _, [request] = world.start()
        used.append(request.datagram[1])
        world.deliver(request)
    assert len(set(used)) == 256


def test_settings_that_cannot_be() -> None:
    server = RadiusServer(endpoint=FIRST, secret=SECRET)
    with pytest.raises(ValueError, match="no RADIUS server"):
        RadiusSettings(servers=())
    with pytest.raises(ValueError, match="twice"):
        RadiusSettings(servers=(server, server))
    with pytest.raises(ValueError, match="try"):
        RadiusSettings(servers=(server,), tries=0)
    with pytest.raises(ValueError, match="NAS-Identifier"):
        RadiusSettings(servers=(server,), nas_identifier="x" * 254)


def test_no_secret_is_shown() -> None:
    world = World()
    world.start()
    shown = repr((world.sent, world.observations, world.machine, RadiusServer(endpoint=FIRST, secret=SECRET)))
    assert "testing123" not in shown and "02-00-00-00-00-01" not in shown
