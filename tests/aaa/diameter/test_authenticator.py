"""Access by Diameter: what a MAG's agent asks and hears, and what the server hears of the end."""

import attrs
import pytest

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.diameter.sessions import MOST_CONVERSATIONS
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.verdicts import (
    Accept,
    AuthorizeOnly,
    Challenge,
    EapCredential,
    MacCredential,
    Reject,
    Unavailable,
    Verdict,
)
from pmip_tw.addresses import ipv4, mac
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.net.diameter_authenticator import DiameterAuthenticator
from pmip_tw.secret import Secret
from pmip_tw.testing.diameter_client import MAG, FakeDiameterClient, Server, answer
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.codes import Application, Code, Result, TerminationCause
from pmip_tw.wire.diameter.message import Message
from tests.aaa.diameter.server import KEY, accept, number, vendor
from tests.conformance import covers

WHO = {"mac": mac("02:00:00:00:00:01"), "port": "acc0"}
PROFILE = Profile(
    nai="mn1@example.net",
    lmas=(ipv4("192.0.2.1"),),
    mn_ha=SecurityAssociation(4096, Secret(KEY)),
    home_address=ipv4("10.1.0.50"),
    classes=(b"\0\xff", b"two"),
)
MAC = MacCredential(**WHO)


class Mag:
    def __init__(
        self, server: Server, *, keys: bool = True, held: bool = False, default_realm: str = ""
    ) -> None:
        self.client = FakeDiameterClient(server, keys=keys, held=held)
        asker = Asker(identity=MAG, realm="example.net")
        rules = ProfileRules(default_realm=default_realm)
        self.authenticator = DiameterAuthenticator(self.client, asker, rules)

    def ask(self, credential: MacCredential | EapCredential | AuthorizeOnly) -> Verdict:
        found: list[Verdict] = []
        self.authenticator.authenticate(credential).addCallback(found.append)
        [verdict] = found
        return verdict

    @property
    def names(self) -> list[str]:
        return [message.name for message in self.client.asked]


def eap(message: bytes, before: Verdict | None = None) -> EapCredential:
    conversation = before.conversation if isinstance(before, Challenge) else None
    return EapCredential(**WHO, identity=b"anonymous@example.net", message=message, conversation=conversation)


class TestMac:
    @covers("AA23")
    def test_success_is_the_whole_profile_and_the_name_of_its_session(self) -> None:
        mag = Mag(lambda asked: accept(asked, PROFILE))
        verdict = mag.ask(MAC)
        assert isinstance(verdict, Accept)
        [asked] = mag.client.asked
        assert verdict.profile == attrs.evolve(PROFILE, aaa_session_id=asked.session_id.encode())
        assert asked.session_id.endswith(";mac")

    def test_attributes_of_wimax_are_whole_and_without_continuation(self) -> None:
        wimax = [
            vendor(6, number(ipv4("192.0.2.7")), 24757),
            vendor(10, KEY + b"wimx", 24757),
            vendor(11, number(5000), 24757),
        ]
        mag = Mag(lambda asked: answer(asked, avps.text(Code.USER_NAME, "mn1@example.net"), *wimax))
        verdict = mag.ask(MAC)
        assert isinstance(verdict, Accept)
        assert verdict.profile.lmas == (ipv4("192.0.2.7"),)
        assert verdict.profile.mn_ha == SecurityAssociation(5000, Secret(KEY + b"wimx"))

    @pytest.mark.parametrize(
        ("result", "kind"),
        [
            (Result.AUTHENTICATION_REJECTED, Reject),
            (Result.AUTHORIZATION_REJECTED, Reject),
            (Result.AVP_UNSUPPORTED, Reject),
            (Result.MULTI_ROUND_AUTH, Reject),
            (Result.UNABLE_TO_DELIVER, Unavailable),
            (Result.TOO_BUSY, Unavailable),
            (Result.REDIRECT_INDICATION, Unavailable),
            (Result.UNABLE_TO_COMPLY, Unavailable),
        ],
    )
    def test_every_other_result_says_why(self, result: Result, kind: type[Verdict]) -> None:
        said = avps.text(Code.ERROR_MESSAGE, "not today")
        verdict = Mag(lambda asked: answer(asked, said, result=result)).ask(MAC)
        assert type(verdict) is kind
        if result not in (Result.MULTI_ROUND_AUTH, Result.REDIRECT_INDICATION):
            assert "not today" in verdict.cause  # type: ignore[union-attr]
            assert str(result.value) in verdict.cause  # type: ignore[union-attr]

    def test_a_refusal_authorizes_nothing_whatever_is_in_it(self) -> None:
        careless = accept
        mag = Mag(
            lambda asked: answer(
                asked,
                *(avp for avp in careless(asked, PROFILE).avps if avp.code < 256),
                result=Result.AUTHORIZATION_REJECTED,
            )
        )
        assert isinstance(mag.ask(MAC), Reject)

    @covers("AA23")
    def test_keys_that_everybody_could_read_refuse_the_node(self) -> None:
        mag = Mag(lambda asked: accept(asked, PROFILE), keys=False)
        verdict = mag.ask(MAC)
        assert isinstance(verdict, Reject) and "allow_plain_keys" in verdict.cause
        without = attrs.evolve(PROFILE, mn_ha=None)
        assert isinstance(Mag(lambda asked: accept(asked, without), keys=False).ask(MAC), Accept)

    @pytest.mark.parametrize(
        "wrong",
        [
            vendor(57, b"\0\0\1"),
            vendor(57, number(255)),
            vendor(58, b"short"),
            vendor(7, b"\1"),
            avps.octets(Code.AUTHORIZATION_LIFETIME, b"\1"),
            avps.octets(Code.AUTH_SESSION_STATE, b""),
        ],
    )
    def test_what_cannot_be_used_refuses_the_node_and_ends_its_session(self, wrong: avps.Avp) -> None:
        others = attrs.evolve(PROFILE, mn_ha=None, lmas=())
        mag = Mag(lambda asked: accept(asked, others, wrong))
        verdict = mag.ask(MAC)
        assert isinstance(verdict, Reject) and verdict.cause
        assert mag.names == ["AAR", "STR"]
        assert mag.client.asked[1].avps.number(Code.TERMINATION_CAUSE) == TerminationCause.BAD_ANSWER

    @pytest.mark.parametrize(
        ("timeout", "lifetime", "expected", "again"),
        [
            (0, 600, 600, True),
            (300, 600, 300, False),
            (900, 600, 600, True),
            (900, 0xFFFFFFFF, 900, False),
            (900, None, 900, False),
        ],
    )
    def test_authorization_lifetime(
        self, timeout: int, lifetime: int | None, expected: int, again: bool
    ) -> None:
        more = () if lifetime is None else (avps.unsigned32(Code.AUTHORIZATION_LIFETIME, lifetime),)
        mag = Mag(lambda asked: accept(asked, attrs.evolve(PROFILE, session_timeout=timeout), *more))
        verdict = mag.ask(MAC)
        assert isinstance(verdict, Accept)
        assert (verdict.profile.session_timeout, verdict.profile.reauthenticate) == (expected, again)

    def test_silence(self) -> None:
        verdict = Mag(lambda asked: None).ask(MAC)
        assert isinstance(verdict, Unavailable) and "no answer" in verdict.cause


class EapServer:
    """Wants two rounds, each with State; then it accepts."""

    def __init__(self, rounds: int = 2) -> None:
        self.rounds = rounds
        self.seen: list[Message] = []

    def __call__(self, asked: Message) -> Message:
        self.seen.append(asked)
        if asked.name == "STR":
            return answer(asked)
        if len(self.seen) <= self.rounds:
            return answer(
                asked,
                avps.octets(Code.EAP_PAYLOAD, b"\1challenge"),
                avps.octets(Code.STATE, b"state %d" % len(self.seen)),
                avps.unsigned32(Code.MULTI_ROUND_TIME_OUT, 20),
                result=Result.MULTI_ROUND_AUTH,
            )
        msk = avps.octets(Code.EAP_MASTER_SESSION_KEY, bytes(64))
        return accept(asked, PROFILE, avps.octets(Code.EAP_PAYLOAD, b"\3success"), msk)


class TestEap:
    @covers("AA23")
    def test_rounds_are_one_session_with_one_server_and_its_state(self) -> None:
        server = EapServer()
        mag = Mag(server)
        first = mag.ask(eap(b"identity"))
        assert isinstance(first, Challenge) and first.message == b"\1challenge" and first.timeout == 20
        second = mag.ask(eap(b"response 1", first))
        last = mag.ask(eap(b"response 2", second))
        assert isinstance(last, Accept) and last.message == b"\3success"
        assert len({asked.session_id for asked in server.seen}) == 1
        assert [asked.avps.first(Code.STATE) for asked in server.seen] == [None, b"state 1", b"state 2"]
        hosts = [asked.avps.text(Code.DESTINATION_HOST) for asked in server.seen]
        assert hosts == [None, "aaa1.example.net", "aaa1.example.net"]
        assert last.profile.nai == "mn1@example.net"

    @covers("AA24")
    def test_no_name_is_made_of_what_a_node_calls_itself(self) -> None:
        """The outer identity is unproven: it may be that of another node."""
        mag = Mag(
            lambda asked: answer(asked, avps.octets(Code.EAP_PAYLOAD, b"\3")), default_realm="example.net"
        )
        verdict = mag.ask(attrs.evolve(eap(b"identity"), identity=b"mn1"))
        assert isinstance(verdict, Reject) and "names nobody" in verdict.cause
        of_mac = mag.ask(MAC)
        assert isinstance(of_mac, Accept) and of_mac.profile.nai == "02-00-00-00-00-01@example.net"

    def test_a_refusal_has_its_words_for_the_node(self) -> None:
        failure = avps.octets(Code.EAP_PAYLOAD, b"\4failure")
        mag = Mag(lambda asked: answer(asked, failure, result=Result.AUTHENTICATION_REJECTED))
        verdict = mag.ask(eap(b"identity"))
        assert isinstance(verdict, Reject) and verdict.message == b"\4failure"

    def test_a_challenge_without_eap_is_none(self) -> None:
        mag = Mag(lambda asked: answer(asked, result=Result.MULTI_ROUND_AUTH))
        assert isinstance(mag.ask(eap(b"identity")), Reject)

    def test_a_conversation_that_is_not_known_any_more_begins_anew(self) -> None:
        server = EapServer(rounds=2)
        mag = Mag(server)
        first = mag.ask(eap(b"identity"))
        mag.ask(eap(b"response", first))
        mag.ask(eap(b"response, replayed", first))
        assert server.seen[2].session_id != server.seen[1].session_id

    def test_conversations_that_nobody_ends_do_not_pile_up(self) -> None:
        mag = Mag(EapServer(rounds=1 << 30))
        for _ in range(MOST_CONVERSATIONS + 10):
            mag.ask(eap(b"identity"))
        assert len(mag.authenticator._sessions._conversations) == MOST_CONVERSATIONS


class TestTheEnd:
    def served(self, *more: avps.Avp) -> tuple[Mag, bytes]:
        mag = Mag(lambda asked: accept(asked, PROFILE, *more) if asked.name != "STR" else answer(asked))
        verdict = mag.ask(MAC)
        assert isinstance(verdict, Accept)
        return mag, verdict.profile.aaa_session_id

    @covers("AA23")
    def test_the_server_hears_of_it_once(self) -> None:
        mag, session = self.served()
        for _ in range(2):
            mag.authenticator.session_over(session, TerminateCause.USER_REQUEST)
        told = mag.client.asked[1]
        assert told.name == "STR" and told.session_id == session.decode()
        assert told.header.application == Application.NASREQ
        assert told.avps.number(Code.TERMINATION_CAUSE) == TerminationCause.LOGOUT
        assert told.avps.first(Code.USER_NAME) == b"02-00-00-00-00-01"

    def test_not_if_it_keeps_nothing(self) -> None:
        mag, session = self.served(avps.unsigned32(Code.AUTH_SESSION_STATE, 1))
        mag.authenticator.session_over(session, TerminateCause.USER_REQUEST)
        assert mag.names == ["AAR"]

    def test_of_what_is_none_of_ours_nobody_hears(self) -> None:
        mag, _ = self.served()
        for other in (b"", b"a WiMAX session", b"mag2.example.net;1;1"):
            mag.authenticator.session_over(other, TerminateCause.USER_REQUEST)
        assert mag.names == ["AAR"]

    @pytest.mark.parametrize(("kind", "application"), [("eap", 5), ("mac", 1)])
    def test_of_a_session_from_before_our_start_the_realm_hears(self, kind: str, application: int) -> None:
        mag = Mag(answer)
        mag.authenticator.session_over(f"{MAG.host};7;8;{kind}".encode(), TerminateCause.LOST_CARRIER)
        [told] = mag.client.asked
        assert told.header.application == application
        assert told.avps.number(Code.TERMINATION_CAUSE) == TerminationCause.LINK_BROKEN

    def test_a_new_authentication_ends_the_session_before(self) -> None:
        mag, session = self.served()
        again = mag.ask(MAC)
        assert isinstance(again, Accept) and again.profile.aaa_session_id != session
        assert mag.names == ["AAR", "AAR", "STR"]
        assert mag.client.asked[2].session_id.encode() == session

    def test_asking_anew_is_the_same_session(self) -> None:
        mag, session = self.served()
        verdict = mag.ask(AuthorizeOnly(**WHO, nai=PROFILE.nai, state=b""))
        assert isinstance(verdict, Accept) and verdict.profile.aaa_session_id == session
        assert mag.names == ["AAR", "AAR"]

    def test_asking_anew_leaves_it_its_name_if_the_server_says_none(self) -> None:
        mag, _ = self.served()
        mag.client.server = answer
        verdict = mag.ask(AuthorizeOnly(**WHO, nai=PROFILE.nai, state=b""))
        assert isinstance(verdict, Accept) and verdict.profile.nai == PROFILE.nai

    def test_asking_anew_after_a_restart_is_the_same_session_too(self) -> None:
        _, session = self.served()
        again = Mag(lambda asked: accept(asked, PROFILE))
        verdict = again.ask(AuthorizeOnly(**WHO, nai=PROFILE.nai, state=b"", aaa_session=session))
        assert isinstance(verdict, Accept) and verdict.profile.aaa_session_id == session
        again.authenticator.session_over(session, TerminateCause.USER_REQUEST)
        assert again.names == ["AAR", "STR"]

    def test_but_not_of_a_node_that_nobody_knows(self) -> None:
        mag = Mag(answer)
        assert isinstance(mag.ask(AuthorizeOnly(**WHO, nai=PROFILE.nai, state=b"")), Reject)
        assert mag.names == []

    def test_stopping(self) -> None:
        mag = Mag(lambda asked: accept(asked, PROFILE), held=True)
        found: list[Verdict] = []
        mag.authenticator.authenticate(MAC).addCallback(found.append)
        mag.authenticator.stop()
        mag.authenticator.stop()
        assert [type(verdict) for verdict in found] == [Unavailable]
        mag.client.release()
        assert len(found) == 1
        assert isinstance(mag.ask(MAC), Unavailable)


def test_no_key_is_shown() -> None:
    mag = Mag(lambda asked: accept(asked, PROFILE))
    verdict = mag.ask(MAC)
    assert KEY.decode() not in repr(verdict) + repr(mag.client.asked)
