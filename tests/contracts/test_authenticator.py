"""What every IAuthenticator does: the twin, the user file, and RADIUS against a server on loopback."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from zope.interface.verify import verifyObject

from pmip_tw.aaa.local_users import LocalUsers
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import (
    Accept,
    Challenge,
    Credential,
    EapCredential,
    MacCredential,
    Reject,
    Unavailable,
    Verdict,
)
from pmip_tw.addresses import Endpoint, Mac, ipv4, mac
from pmip_tw.interfaces import IAuthenticator
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.net.local_authenticator import LocalAuthenticator
from pmip_tw.secret import Secret
from pmip_tw.testing.authenticator import FakeAuthenticator
from pmip_tw.testing.eap_server import EapServer, identity_response, md5_response
from pmip_tw.testing.radius_server import RadiusAccount, RadiusTwin, RadiusTwinProtocol
from pmip_tw.wire.eap import Eap, EapCode
from tests.loops import private_reactor, run_until
from tests.radius_clients import authenticator_at

KEY = Secret(b"0123456789abcdef")
MN1, MN2, STRANGER = (mac(f"02:00:00:00:00:0{n}") for n in (1, 2, 9))
PROFILES = {
    MN1: Profile(nai="mn1@example.net", lmas=(ipv4("192.0.2.1"),), mn_ha=SecurityAssociation(4096, KEY)),
    MN2: Profile(
        nai="mn2@example.net",
        lmas=(ipv4("192.0.2.1"),),
        mn_ha=SecurityAssociation(0x1001, KEY),
        home_address=ipv4("10.1.0.50"),
        session_timeout=3600,
        classes=(b"\0\xff",),
    ),
}


PASSWORD = b"open sesame"
EAP = EapServer({profile.nai.encode(): PASSWORD for profile in PROFILES.values()})


class Provider:
    """An authenticator that knows MN1 and MN2, and how to wait for it."""

    def __init__(self, authenticator: IAuthenticator, turn: Callable[[Callable[[], object]], None]) -> None:
        self.authenticator = authenticator
        self._turn = turn

    def ask(self, *who: Mac) -> list[Verdict]:
        return self.ask_for(*(MacCredential(mac=one, port="eth1") for one in who))

    def ask_for(self, *credentials: Credential) -> list[Verdict]:
        found: list[Verdict] = []
        for credential in credentials:
            self.authenticator.authenticate(credential).addCallback(found.append)
        self._turn(lambda: len(found) == len(credentials))
        return found


def at_once(condition: Callable[[], object]) -> None:
    assert condition()


@contextmanager
def provider_of(kind: str) -> Iterator[Provider]:
    if kind == "fake":
        yield Provider(
            FakeAuthenticator({who: Accept(profile) for who, profile in PROFILES.items()}, eap=EAP), at_once
        )
    elif kind == "local":
        yield Provider(LocalAuthenticator(LocalUsers(PROFILES.items())), at_once)
    else:
        with ExitStack() as stack:
            reactor = stack.enter_context(private_reactor())
            twin = RadiusTwin(
                Secret(b"testing123"),
                [RadiusAccount.of(who.hex("-"), profile, KEY) for who, profile in PROFILES.items()],
            )
            twin.eap = EAP
            port = reactor.listenUDP(0, RadiusTwinProtocol(twin), interface="127.0.0.1")
            endpoint = Endpoint(ipv4("127.0.0.1"), port.getHost().port)
            authenticator = authenticator_at(reactor, [endpoint])
            stack.callback(authenticator.stop)
            yield Provider(authenticator, lambda condition: run_until(reactor, condition))


@pytest.fixture(params=["fake", "local", "radius"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    with provider_of(request.param) as made:
        yield made


@pytest.fixture(params=["fake", "radius"])
def eap_provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """One that examines nodes, as all do but the user file."""
    with provider_of(request.param) as made:
        yield made


class TestAuthenticator:
    """One class for all providers."""

    def test_provides_the_interface(self, provider: Provider) -> None:
        assert verifyObject(IAuthenticator, provider.authenticator)

    def test_known_nodes_are_accepted_with_their_whole_profile(self, provider: Provider) -> None:
        assert provider.ask(MN1) == [Accept(PROFILES[MN1])]
        assert provider.ask(MN2) == [Accept(PROFILES[MN2])]

    def test_a_stranger_is_rejected_in_words(self, provider: Provider) -> None:
        [verdict] = provider.ask(STRANGER)
        assert isinstance(verdict, Reject) and verdict.cause

    def test_many_at_a_time(self, provider: Provider) -> None:
        """P83 lets 256 be outstanding; every one is answered, once."""
        crowd = [Mac(b"\2\0\0\1" + index.to_bytes(2, "big")) for index in range(255)]
        verdicts = provider.ask(*crowd, MN1)
        assert sum(isinstance(verdict, Reject) for verdict in verdicts) == 255
        assert Accept(PROFILES[MN1]) in verdicts

    def test_the_same_node_again(self, provider: Provider) -> None:
        assert provider.ask(MN1, MN1) == 2 * [Accept(PROFILES[MN1])]

    def test_stop_is_idempotent_and_what_follows_is_unavailable(self, provider: Provider) -> None:
        provider.ask(MN1)
        provider.authenticator.stop()
        provider.authenticator.stop()
        [verdict] = provider.ask(MN1)
        assert isinstance(verdict, Unavailable) and verdict.cause


class TestEap:
    """A node that proves itself: its responses go in one by one, and what is for it comes out (RFC 3579 2.1)."""

    @staticmethod
    def examine(provider: Provider, who: Mac, identity: bytes, password: bytes) -> list[Verdict]:
        """All verdicts of one conversation."""
        verdicts: list[Verdict] = []
        message, conversation = identity_response(identity), None
        while True:
            credential = EapCredential(
                mac=who, port="eth1", identity=identity, message=message, conversation=conversation
            )
            verdicts += provider.ask_for(credential)
            last = verdicts[-1]
            if not isinstance(last, Challenge):
                return verdicts
            message, conversation = md5_response(last.message, password), last.conversation

    def test_a_conversation_ends_with_the_profile(self, eap_provider: Provider) -> None:
        challenge, accept = self.examine(eap_provider, MN2, PROFILES[MN2].nai.encode(), PASSWORD)
        assert isinstance(challenge, Challenge) and isinstance(accept, Accept)
        assert accept.profile == PROFILES[MN2]
        success = Eap.decode(accept.message)
        assert success.code is EapCode.SUCCESS
        assert success.identifier == Eap.decode(challenge.message).identifier

    @pytest.mark.parametrize(
        ("identity", "password"),
        [(b"mn1@example.net", b"a guess"), (b"nobody@example.net", PASSWORD), (b"", b"")],
    )
    def test_who_proves_nothing_is_rejected(
        self, eap_provider: Provider, identity: bytes, password: bytes
    ) -> None:
        *_, last = self.examine(eap_provider, MN1, identity, password)
        assert isinstance(last, Reject) and last.cause
        assert Eap.decode(last.message).code is EapCode.FAILURE

    def test_the_words_of_another_conversation_are_worth_nothing(self, eap_provider: Provider) -> None:
        identity = PROFILES[MN1].nai.encode()
        first, second = (
            eap_provider.ask_for(
                EapCredential(mac=MN1, port="eth1", identity=identity, message=identity_response(identity))
            )[0]
            for _ in range(2)
        )
        assert isinstance(first, Challenge) and isinstance(second, Challenge)
        assert first.conversation != second.conversation
        answer = EapCredential(
            mac=MN1,
            port="eth1",
            identity=identity,
            message=md5_response(first.message, PASSWORD),
            conversation=first.conversation,
        )
        assert isinstance(eap_provider.ask_for(answer)[0], Accept)
        assert isinstance(eap_provider.ask_for(answer)[0], Reject), "it has ended"

    def test_a_file_of_users_has_no_way_to_examine_anybody(self) -> None:
        local = Provider(LocalAuthenticator(LocalUsers(PROFILES.items())), at_once)
        [verdict] = self.examine(local, MN1, PROFILES[MN1].nai.encode(), PASSWORD)
        assert isinstance(verdict, Reject)


class TestOutstanding:
    """What has not been answered when the authenticator stops."""

    def test_fake(self) -> None:
        fake = FakeAuthenticator({MN1: Accept(PROFILES[MN1])}, held=True)
        found: list[Verdict] = []
        for who in (MN1, STRANGER, MN2):
            fake.authenticate(MacCredential(mac=who, port="eth1")).addCallback(found.append)
        assert fake.outstanding == (MN1, STRANGER, MN2)
        assert fake.release(MN1) == 1
        assert found == [Accept(PROFILES[MN1])]
        fake.stop()
        assert [type(verdict) for verdict in found] == [Accept, Unavailable, Unavailable]
        assert [credential.mac for credential in fake.asked] == [MN1, STRANGER, MN2]

    def test_radius(self) -> None:
        with private_reactor() as reactor:
            twin = RadiusTwin(Secret(b"testing123"))
            twin.silent = True
            port = reactor.listenUDP(0, RadiusTwinProtocol(twin), interface="127.0.0.1")
            endpoint = Endpoint(ipv4("127.0.0.1"), port.getHost().port)
            authenticator = authenticator_at(reactor, [endpoint])
            found: list[Verdict] = []
            authenticator.authenticate(MacCredential(mac=MN1, port="eth1")).addCallback(found.append)
            run_until(reactor, lambda: twin.requests)
            assert found == []
            authenticator.stop()
            assert [type(verdict) for verdict in found] == [Unavailable]
            assert reactor.getDelayedCalls() == []
