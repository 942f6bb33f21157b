"""A RADIUS client's machine, its clock, and twins of its servers; the network delivers when told to."""

import random
from collections.abc import Sequence

from pmip_tw.aaa.mac_authentication import mac_request
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.radius.configuration import RadiusServer, RadiusSettings, ServerGroup, Strategy
from pmip_tw.aaa.radius.effects import Connect, Disconnect, Effect, Finished, Transmit
from pmip_tw.aaa.radius.exchanges import RadiusExchanges
from pmip_tw.aaa.radius.outcome import AUTHENTICATION, Answered, RadiusOutcome, Unanswered
from pmip_tw.addresses import Endpoint, Mac, ipv4, mac
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.mobility.observations import Observation
from pmip_tw.secret import Secret
from pmip_tw.testing.radius_server import RadiusAccount, RadiusTwin
from pmip_tw.wire.radius import Code, Request

SECRET = Secret(b"testing123")
KEY = Secret(b"0123456789abcdef")
FIRST = Endpoint(ipv4("198.51.100.53"), 1812)
SECOND = Endpoint(ipv4("198.51.100.54"), 1812)
THIRD = Endpoint(ipv4("198.51.100.55"), 1812)
MN1 = mac("02:00:00:00:00:01")
NAS = Nas(identifier="mag1.example.net", address=ipv4("198.51.100.10"))
PROFILE = Profile(nai="mn1@example.net", lmas=(ipv4("192.0.2.1"),), mn_ha=SecurityAssociation(4096, KEY))
ACCOUNT = RadiusAccount.of("02-00-00-00-00-01", PROFILE, KEY)


def server(endpoint: Endpoint = FIRST, **settings: object) -> RadiusServer:
    return RadiusServer(endpoint=endpoint, secret=SECRET, **settings)  # type: ignore[arg-type]


def about(who: Mac) -> Request:
    """May this node be served?"""
    return mac_request(who, "eth1", NAS)


class World:
    """``lost``: to whom nothing gets through."""

    def __init__(
        self,
        *servers: RadiusServer,
        groups: Sequence[ServerGroup] = (),
        strategy: Strategy = Strategy.ORDERED,
        seed: int = 1,
        **settings: object,
    ) -> None:
        self.time = 100.0
        self.random = random.Random(seed)
        groups = groups or [
            ServerGroup(name=AUTHENTICATION, servers=servers or (server(),), strategy=strategy)
        ]
        made = RadiusSettings(groups=tuple(groups), nas=NAS, **settings)  # type: ignore[arg-type]
        self.twins = {one.endpoint: RadiusTwin(SECRET, [ACCOUNT]) for one in made.servers()}
        self.machine = RadiusExchanges(made, self.now())
        self.sent: list[tuple[float, Transmit]] = []
        self.links: list[Connect | Disconnect] = []
        self.outcomes: dict[int, RadiusOutcome] = {}
        self.observations: list[Observation] = []

    def now(self) -> Now:
        return Now(self.time, 1_700_000_000.0 + self.time, self.random.randbytes)

    def take(self, effects: list[Effect]) -> list[Transmit]:
        """Note the effects; what was sent is returned."""
        sent = []
        for effect in effects:
            if isinstance(effect, Transmit):
                sent.append(effect)
                self.sent.append((self.time, effect))
            elif isinstance(effect, Finished):
                assert effect.exchange not in self.outcomes, "an exchange ends once"
                self.outcomes[effect.exchange] = effect.outcome
            elif isinstance(effect, ObserveAlike):
                self.observations += effect.observations
            elif isinstance(effect, Observe):
                self.observations.append(effect.observation)
            else:
                self.links.append(effect)
        return sent

    def ask(
        self,
        who: Mac | Request = MN1,
        group: str = AUTHENTICATION,
        pinned: Endpoint | None = None,
        flow: str = "",
    ) -> tuple[int, list[Transmit]]:
        request = who if isinstance(who, Request) else about(who)
        number, effects = self.machine.ask(request, group, self.now(), pinned=pinned, subject="x", flow=flow)
        return number, self.take(effects)

    def deliver(self, *requests: Transmit) -> list[Transmit]:
        """Let the twins have ``requests``, and the machine their answers; what it sends then."""
        sent = []
        for request in requests:
            answer = self.twins[request.destination].answer(request.datagram)
            if answer is not None:
                sent += self.receive(answer, request.destination, request.socket)
        return sent

    def receive(self, datagram: bytes, source: Endpoint, socket: int = 0) -> list[Transmit]:
        return self.take(self.machine.datagram_received(datagram, source, self.now(), socket))

    def wake(self) -> list[Transmit]:
        """Go to the next deadline."""
        deadline = self.machine.next_deadline()
        assert deadline is not None
        self.time = max(self.time, deadline)
        return self.take(self.machine.wake(self.now()))

    def run(self, seconds: float) -> None:
        """So long, with whoever answers."""
        end = self.time + seconds
        while (deadline := self.machine.next_deadline()) is not None and deadline <= end:
            sent = self.wake()
            while sent:
                sent = self.deliver(*sent)
        self.time = end

    def asked(self, number: int) -> RadiusOutcome:
        """How it ended, after as long as that takes."""
        for _ in range(1000):
            if number in self.outcomes:
                return self.outcomes[number]
            sent = self.wake()
            while sent:
                sent = self.deliver(*sent)
        raise AssertionError("nobody is told how it ends")

    def state(self, endpoint: Endpoint = FIRST) -> str:
        [row] = [row for row in self.machine.rows(self.time) if row["server"] == str(endpoint)]
        return str(row["state"])

    def named(self, name: str) -> list[Observation]:
        return [observation for observation in self.observations if observation.name == name]

    def reasons(self, name: str = "radius-answer-discarded") -> list[str]:
        return [observation.reason for observation in self.named(name)]


def requests(sent: Sequence[Transmit]) -> list[Transmit]:
    """Without Status-Server."""
    return [one for one in sent if one.datagram[0] != Code.STATUS_SERVER]


def cause(outcome: RadiusOutcome) -> str:
    assert isinstance(outcome, Unanswered), outcome
    return outcome.cause


def code(outcome: RadiusOutcome) -> Code:
    assert isinstance(outcome, Answered), outcome
    return outcome.answer.code
