"""Access-Requests that go through the MAG (AA27).

access point          MAG                server
     |--Access-Request->|--Access-Request-->|   its own secret, Proxy-State and Message-Authenticator
     |<------Challenge--|<------Challenge---|   State as it came
     |--Access-Request->|--Access-Request-->|   to the same server
     |<---------Accept--|<---------Accept---|   keys hidden anew, nothing of a profile
                        * the station is attached
"""

import pytest

from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.proxy.attributes import HIDDEN
from pmip_tw.aaa.proxy.conversations import Conversations, Round
from pmip_tw.aaa.proxy.effects import Admit, Ask, Dismiss, Reply
from pmip_tw.aaa.radius.configuration import RequireSignature
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION
from pmip_tw.addresses import mac
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import CALL_CHECK, AttributeType, Code, number, text, vendor_specific
from pmip_tw.wire.salt_cipher import SaltCipher
from tests.aaa.proxy.bench import (
    CIPHER,
    FIRST,
    KEY,
    NAS,
    OTHER_SERVER,
    OTHER_STATION,
    PROFILE,
    RECEIVE_KEY,
    RESPONSE,
    SECOND,
    SECOND_SECRET,
    SEND_KEY,
    STRANGER,
    SUCCESS,
    Ap,
    Bench,
    mppe_keys,
    notes,
    only,
    profile_attributes,
    reasons,
    unsigned,
)
from tests.conformance import covers

pytestmark = covers("AA27")

BY_EAP, BY_MAC = (Examined(by_eap=by_eap, access_point=FIRST) for by_eap in (True, False))
STATE = (AttributeType.STATE.value, b"\0of the server")
EAP_SUCCESS = (AttributeType.EAP_MESSAGE.value, SUCCESS)


def test_an_accept_is_an_attachment_and_the_access_point_hears_of_it_next() -> None:
    bench, ap = Bench(), Ap()
    [asked] = only(Ask, bench.hear(ap.ask(), ap.source))
    assert (asked.group, asked.pinned, asked.subject) == (AUTHENTICATION, None, str(KEY))
    effects = bench.accept(*profile_attributes(), EAP_SUCCESS)
    assert [effect for effect in effects if isinstance(effect, Admit | Reply)] == [
        Admit(KEY, PROFILE, BY_EAP),
        *only(Reply, effects),
    ]
    answer = ap.read(effects)
    assert answer.code is Code.ACCESS_ACCEPT and answer.signed
    assert answer.attributes.first(AttributeType.EAP_MESSAGE) == SUCCESS
    assert answer.attributes.first(AttributeType.SESSION_TIMEOUT) == (3600).to_bytes(4, "big")


def test_what_the_access_point_says_goes_on_as_it_came() -> None:
    bench, ap = Bench(), Ap()
    extra = [number(AttributeType.NAS_PORT_TYPE, 19), vendor_specific(9, 1, b"ssid=campus"), (250, b"?")]
    [asked] = only(Ask, bench.hear(ap.ask(*extra), ap.source))
    assert [pair for pair in asked.request.attributes if pair in extra] == extra
    assert asked.request.attributes.first(AttributeType.USER_NAME) == b"anonymous"


@covers("AA15")
def test_where_the_station_is_is_kept_as_the_access_point_has_said_it() -> None:
    bench, ap = Bench(), Ap()
    bench.hear(ap.ask((AttributeType.CALLED_STATION_ID.value, b"02-AA-00-00-00-01:caf\xe9")), ap.source)
    [admitted] = only(Admit, bench.accept(*profile_attributes()))
    assert admitted.examined == Examined(called_station=b"02-AA-00-00-00-01:caf\xe9", access_point=FIRST)


PLACE = [
    (AttributeType.NAS_IP_ADDRESS.value, b"\x0a\x4d\0\2"),
    (AttributeType.NAS_PORT.value, bytes(4)),
    (AttributeType.NAS_PORT_ID.value, b"wlan0"),
    (AttributeType.ACCT_MULTI_SESSION_ID.value, b"A1B2"),
]


def test_aaa_hears_of_one_session_and_one_nas() -> None:
    """By the same names as in accounting, by which it may also ask for its end. The radio is named as the access point
    named it.
    """
    bench, ap = Bench(), Ap()
    called = text(AttributeType.CALLED_STATION_ID, "02-AA-00-00-00-01:campus")
    [asked] = only(Ask, bench.hear(ap.ask(*PLACE, called), ap.source))
    found = asked.request.attributes
    assert found.all(AttributeType.NAS_IDENTIFIER) == (b"mag1.example.net",)
    assert found.all(AttributeType.NAS_IP_ADDRESS) == (NAS.address.to_bytes(4, "big"),)
    assert found.all(AttributeType.NAS_PORT_ID) == (b"eth1",)
    assert called in found
    for absent in (
        AttributeType.NAS_PORT,
        AttributeType.ACCT_SESSION_ID,
        AttributeType.ACCT_MULTI_SESSION_ID,
    ):
        assert found.all(absent) == ()


def test_or_of_the_access_point() -> None:
    """Where its name decides who may be let in."""
    bench, ap = Bench(as_access_point=True), Ap()
    [asked] = only(Ask, bench.hear(ap.ask(*PLACE), ap.source))
    assert [pair for pair in asked.request.attributes if pair in PLACE] == PLACE
    assert asked.request.attributes.all(AttributeType.NAS_IDENTIFIER) == (b"ap1",)
    assert asked.request.attributes.all(AttributeType.ACCT_SESSION_ID) == (b"5E55",)


@covers("AA19")
def test_proxy_state_is_ours_upwards_and_theirs_downwards() -> None:
    bench, ap = Bench(), Ap()
    theirs = [(AttributeType.PROXY_STATE.value, value) for value in (b"one", b"two")]
    [asked] = only(Ask, bench.hear(ap.ask(*theirs), ap.source))
    [ours] = asked.request.attributes.all(AttributeType.PROXY_STATE)
    assert ours not in (b"one", b"two")
    answer = ap.read(bench.accept(*profile_attributes(), (AttributeType.PROXY_STATE.value, ours)))
    assert answer.attributes.all(AttributeType.PROXY_STATE) == (b"one", b"two")


def test_nothing_of_a_profile_reaches_the_access_point() -> None:
    bench, ap = Bench(), Ap()
    bench.hear(ap.ask(), ap.source)
    wimax = vendor_specific(24757, 5, b"\0" + CIPHER.encrypt(Secret(bytes(64)), b"\x80\7"))
    answer = ap.read(bench.accept(*profile_attributes(), wimax, vendor_specific(9, 1, b"vlan=3")))
    assert {vendor for vendor, _ in answer.attributes.vendor} == {9}


def test_keys_are_hidden_anew_with_a_salt_of_their_own_each() -> None:
    """The MSK for the radio side, a passphrase, and a Tunnel-Password with its tag."""
    bench, ap = Bench(), Ap()
    bench.hear(ap.ask(), ap.source)
    tunnel = (AttributeType.TUNNEL_PASSWORD.value, b"\1" + CIPHER.encrypt(Secret(b"tunnel"), b"\x80\4"))
    passphrase = vendor_specific(14823, 44, CIPHER.encrypt(Secret(b"passphrase"), b"\x80\5"))
    answer = ap.read(bench.accept(*profile_attributes(), *mppe_keys(), tunnel, passphrase))
    hidden = [answer.attributes.vendor[vendor_type][0] for vendor_type in HIDDEN]
    assert [ap.cipher.decrypt(value) for value in hidden] == [SEND_KEY, RECEIVE_KEY, Secret(b"passphrase")]
    [password] = answer.attributes.all(AttributeType.TUNNEL_PASSWORD)
    assert password[:1] == b"\1" and ap.cipher.decrypt(password[1:]) == Secret(b"tunnel")
    salts = [value[:2] for value in [*hidden, password[1:]]]
    assert len(set(salts)) == 4 and all(salt[0] & 0x80 for salt in salts)


@covers("AA8")
@pytest.mark.parametrize("where", ["MS-MPPE-Send-Key", "Tunnel-Password", "3GPP2", "cut short"])
def test_garbage_for_a_key_refuses_with_its_likely_causes(where: str) -> None:
    """Another proxy has passed it on as it was: nobody is attached, and EAP fails, although the server said Success."""
    bench, ap = Bench(), Ap()
    garbage = SaltCipher(Secret(b"another"), bytes(16)).encrypt(SEND_KEY, b"\x80\2")
    attributes = {
        "MS-MPPE-Send-Key": [*profile_attributes(), vendor_specific(311, 16, garbage)],
        "Tunnel-Password": [*profile_attributes(), (AttributeType.TUNNEL_PASSWORD.value, b"\1" + garbage)],
        "3GPP2": [*profile_attributes()[:-1], vendor_specific(5535, 58, garbage)],
        "cut short": [*profile_attributes(), (26, (311).to_bytes(4, "big") + b"\x10\x40")],
    }[where]
    bench.hear(ap.ask(), ap.source)
    effects = bench.accept(*attributes, EAP_SUCCESS)
    assert only(Admit, effects) == []
    answer = ap.read(effects)
    assert answer.code is Code.ACCESS_REJECT
    assert answer.attributes.joined(AttributeType.EAP_MESSAGE) == bytes((4, RESPONSE[1], 0, 4))
    [note] = [found for found in notes(effects) if found.name == "access-point-refused"]
    assert note.reason in ("key-unreadable", "unusable-profile")
    if where != "cut short":
        assert "proxy on the way" in note.cause


@covers("AA24")
def test_a_mac_makes_a_name_for_whoever_proves_nothing_else() -> None:
    """By EAP somebody has proven to be somebody: an Accept that does not say who refuses him."""
    bench, ap = Bench(), Ap()
    bench.hear(ap.ask(), ap.source)
    effects = bench.accept(EAP_SUCCESS)
    assert only(Admit, effects) == [] and ap.read(effects).code is Code.ACCESS_REJECT
    bench.hear(ap.ask(eap=b""), ap.source)
    [admitted] = only(Admit, bench.accept())
    assert admitted.profile.nai == "02-00-00-00-00-01@by-mac.example"


def test_a_reject_of_ours_says_nothing_to_who_has_no_eap() -> None:
    bench, ap = Bench(), Ap()
    bench.hear(ap.ask(eap=b""), ap.source)
    answer = ap.read(bench.accept((AttributeType.FRAMED_IP_ADDRESS.value, b"\xe0\0\0\1")))
    assert answer.code is Code.ACCESS_REJECT and len(answer.attributes) == 0


def test_a_conversation_stays_with_its_server() -> None:
    bench, ap = Bench(), Ap()
    bench.hear(ap.ask(), ap.source)
    answer = ap.read(bench.say(Code.ACCESS_CHALLENGE, STATE, server=OTHER_SERVER))
    assert answer.code is Code.ACCESS_CHALLENGE and answer.attributes.all(AttributeType.STATE) == (STATE[1],)
    [asked] = only(Ask, bench.hear(ap.ask(STATE), ap.source))
    assert asked.pinned == OTHER_SERVER and asked.request.attributes.all(AttributeType.STATE) == (STATE[1],)


def test_a_state_of_nobody_goes_where_it_may() -> None:
    """We were restarted in the middle of it: with one server it goes on."""
    bench, ap = Bench(), Ap()
    [asked] = only(Ask, bench.hear(ap.ask(STATE), ap.source))
    assert asked.pinned is None


def test_a_state_is_one_station_s() -> None:
    bench, ap = Bench(), Ap()
    bench.hear(ap.ask(), ap.source)
    bench.say(Code.ACCESS_CHALLENGE, STATE)
    assert reasons(bench.hear(ap.ask(STATE, station=OTHER_STATION), ap.source)) == ["other-station"]
    other = Ap(SECOND, SECOND_SECRET)
    [asked] = only(Ask, bench.hear(other.ask(STATE, station=OTHER_STATION), other.source))
    assert asked.pinned is None  # that one has a State of the same octets, which says nothing of ours


def test_a_long_round_is_waited_for() -> None:
    """Session-Timeout of a Challenge: a token takes its time (RFC 3579 2.6.5)."""
    bench, ap = Bench(), Ap()
    bench.hear(ap.ask(), ap.source)
    bench.say(Code.ACCESS_CHALLENGE, STATE, number(AttributeType.SESSION_TIMEOUT, 300), server=OTHER_SERVER)
    bench.at += 299
    [asked] = only(Ask, bench.hear(ap.ask(STATE), ap.source))
    assert asked.pinned == OTHER_SERVER
    bench.at += 2
    [asked] = only(Ask, bench.hear(ap.ask(STATE), ap.source))
    assert asked.pinned is None


def test_conversations_are_remembered_within_bounds() -> None:
    rounds = Conversations(most=2)
    for count in range(3):
        rounds.challenged(FIRST, bytes((count,)), Round(KEY.mac, OTHER_SERVER, 100.0), 0.0)
    assert len(rounds) == 2 and rounds.find(FIRST, b"\0", 0.0) is None
    assert rounds.find(FIRST, b"\2", 0.0) == Round(KEY.mac, OTHER_SERVER, 100.0)


def test_a_password_is_shown_to_the_next_hop_alone() -> None:
    bench, ap = Bench(), Ap()
    [asked] = only(Ask, bench.hear(ap.ask(eap=b"", password=Secret(b"letmein")), ap.source))
    assert asked.request.password == Secret(b"letmein")
    assert asked.request.attributes.all(AttributeType.USER_PASSWORD) == ()


def test_chap_takes_its_challenge_along() -> None:
    """Without the attribute it is the Request Authenticator, of which the server sees another (RFC 2865 5.40)."""
    bench, ap = Bench(), Ap()
    chap = (AttributeType.CHAP_PASSWORD.value, bytes(17))
    [asked] = only(Ask, bench.hear(ap.ask(chap, eap=b""), ap.source))
    assert asked.request.attributes.all(AttributeType.CHAP_CHALLENGE) == (ap.request[4:20],)
    own = (AttributeType.CHAP_CHALLENGE.value, b"its own")
    [asked] = only(Ask, bench.hear(ap.ask(chap, own, eap=b""), ap.source))
    assert asked.request.attributes.all(AttributeType.CHAP_CHALLENGE) == (b"its own",)


def test_a_reject_goes_on_and_attaches_nobody() -> None:
    bench, ap = Bench(), Ap()
    bench.hear(ap.ask(), ap.source)
    effects = bench.say(Code.ACCESS_REJECT, *profile_attributes())
    answer = ap.read(effects)
    assert only(Admit, effects) == [] and answer.code is Code.ACCESS_REJECT
    assert answer.attributes.vendor == {}  # a careless server leaves keys in it


class TestWhoIsServed:
    """Of whom the access point has let in, and asks again."""

    def serve(self, bench: Bench, ap: Ap) -> None:
        bench.hear(ap.ask(), ap.source)
        assert only(Admit, bench.accept(*profile_attributes())) == [Admit(KEY, PROFILE, BY_EAP)]

    def test_a_reject_ends_it(self) -> None:
        bench, ap = Bench(), Ap()
        self.serve(bench, ap)
        bench.hear(ap.ask(), ap.source)
        effects = bench.say(Code.ACCESS_REJECT)
        assert [dismissed.key for dismissed in only(Dismiss, effects)] == [KEY]
        assert ap.read(effects).code is Code.ACCESS_REJECT
        assert bench.proxy.rows()[0]["stations"] == 0

    def test_an_accept_that_we_cannot_use_ends_it(self) -> None:
        bench, ap = Bench(), Ap()
        self.serve(bench, ap)
        bench.hear(ap.ask(), ap.source)
        assert [dismissed.key for dismissed in only(Dismiss, bench.accept())] == [KEY]

    def test_what_another_access_point_is_told_does_not(self) -> None:
        """Somebody with the same MAC has tried elsewhere."""
        bench, ap, other = Bench(), Ap(), Ap(SECOND, SECOND_SECRET)
        self.serve(bench, ap)
        bench.hear(other.ask(), other.source)
        effects = bench.say(Code.ACCESS_REJECT)
        assert only(Dismiss, effects) == [] and other.read(effects).code is Code.ACCESS_REJECT

    def test_what_anybody_may_have_asked_does_not(self) -> None:
        """The request was not signed: a Reject of it is no word of the access point."""
        bench = Bench(require_message_authenticator=RequireSignature.NO)
        ap = Ap()
        self.serve(bench, ap)
        forged = ap.ask(eap=b"", password=Secret(b"guess"))
        bench.hear(unsigned(forged), ap.source)
        assert only(Dismiss, bench.say(Code.ACCESS_REJECT)) == []

    def test_what_somebody_repeats_of_an_old_conversation_does_not(self) -> None:
        """Servers reject a State that they have forgotten; a process that begins knows no request to be repeated."""
        ap, former, bench = Ap(), Bench(), Bench()
        former.hear(ap.ask(), ap.source)
        former.say(Code.ACCESS_CHALLENGE, STATE)
        heard = ap.ask(STATE)
        former.hear(heard, ap.source)
        assert only(Admit, former.accept(*profile_attributes())) == [Admit(KEY, PROFILE, BY_EAP)]
        self.serve(bench, ap)
        bench.hear(heard, ap.source)
        effects = bench.say(Code.ACCESS_REJECT)
        assert only(Dismiss, effects) == [] and len(only(Reply, effects)) == 1

    def test_a_reject_at_the_end_of_a_conversation_ends_it(self) -> None:
        bench, ap = Bench(), Ap()
        self.serve(bench, ap)
        bench.hear(ap.ask(), ap.source)
        bench.say(Code.ACCESS_CHALLENGE, STATE)
        bench.hear(ap.ask(STATE), ap.source)
        assert [dismissed.key for dismissed in only(Dismiss, bench.say(Code.ACCESS_REJECT))] == [KEY]

    @pytest.mark.parametrize("restarted", [False, True])
    def test_what_is_said_of_its_mac_does_not(self, restarted: bool) -> None:
        """It has proven itself by EAP, and somebody with its MAC asks to be let in by that alone."""
        bench, ap = Bench(), Ap()
        if not restarted:
            self.serve(bench, ap)
        bench.hear(ap.ask(eap=b""), ap.source)
        effects = bench.say(Code.ACCESS_REJECT)
        assert only(Dismiss, effects) == [] and ap.read(effects).code is Code.ACCESS_REJECT

    @pytest.mark.parametrize("same", [True, False])
    def test_nor_who_is_let_in_by_its_mac_and_leaves(self, same: bool) -> None:
        bench, ap = Bench(), Ap()
        other = ap if same else Ap(SECOND, SECOND_SECRET)
        self.serve(bench, ap)
        bench.hear(other.ask(eap=b"", session="MAC"), other.source)
        by_mac = Examined(by_eap=False, access_point=other.source.address)
        assert only(Admit, bench.accept(*profile_attributes())) == [Admit(KEY, PROFILE, by_mac)]
        bench.hear(other.ask(eap=b""), other.source)
        assert only(Dismiss, bench.say(Code.ACCESS_REJECT)) == []
        assert only(Dismiss, bench.hear(other.account(2, session="MAC"), other.source, ACCOUNTING)) == []
        [gone] = only(Dismiss, bench.hear(ap.account(2), ap.source, ACCOUNTING))
        assert gone.key == KEY

    def test_a_mac_that_is_asked_about_by_eap_proves_nothing_more(self) -> None:
        """Access points that do so make the EAP themselves, of the MAC, and say Call Check (RFC 2865 5.6)."""
        bench, ap = Bench(), Ap()
        self.serve(bench, ap)
        call_check = number(AttributeType.SERVICE_TYPE, CALL_CHECK)
        bench.hear(ap.ask(call_check), ap.source)
        assert only(Admit, bench.accept(*profile_attributes())) == [Admit(KEY, PROFILE, BY_MAC)]
        bench.hear(ap.ask(call_check), ap.source)
        assert only(Dismiss, bench.say(Code.ACCESS_REJECT)) == []

    def test_whose_mac_has_let_it_in_is_rejected_by_it(self) -> None:
        bench, ap = Bench(), Ap()
        bench.hear(ap.ask(eap=b""), ap.source)
        bench.accept(*profile_attributes())
        bench.hear(ap.ask(eap=b""), ap.source)
        assert [gone.key for gone in only(Dismiss, bench.say(Code.ACCESS_REJECT))] == [KEY]

    def test_silence_of_the_servers_does_not(self) -> None:
        bench, ap = Bench(), Ap()
        self.serve(bench, ap)
        bench.hear(ap.ask(), ap.source)
        assert reasons(bench.silence()) == ["no-answer"]


class TestRepeated:
    """RFC 5080 2.2.2."""

    def test_while_it_is_under_way_nothing_happens(self) -> None:
        bench, ap = Bench(), Ap()
        request = ap.ask()
        bench.hear(request, ap.source)
        assert bench.hear(request, ap.source) == []

    def test_the_same_request_has_the_same_answer_and_no_effect(self) -> None:
        bench, ap = Bench(), Ap()
        request = ap.ask()
        bench.hear(request, ap.source)
        [first] = only(Reply, bench.accept(*profile_attributes()))
        bench.at += 29
        assert bench.hear(request, ap.source) == [first]

    def test_what_was_recorded_does_nothing_later(self) -> None:
        """Whoever repeats an access point's request attaches nobody by it."""
        bench, ap = Bench(), Ap()
        request = ap.ask(eap=b"", password=Secret(b"letmein"))
        bench.hear(request, ap.source)
        bench.accept(*profile_attributes())
        bench.at += 31
        assert reasons(bench.hear(request, ap.source)) == ["repeated"]

    def test_an_unanswered_one_is_a_new_try(self) -> None:
        bench, ap = Bench(), Ap()
        request = ap.ask()
        bench.hear(request, ap.source)
        bench.silence()
        assert len(only(Ask, bench.hear(request, ap.source))) == 1

    def test_a_new_one_of_that_identifier_makes_the_old_one_void(self) -> None:
        """The access point has given it up: what the server says of it attaches nobody."""
        bench, ap = Bench(), Ap()
        [old] = only(Ask, bench.hear(ap.ask(), ap.source))
        for _ in range(256):
            newer = ap.ask()
        [new] = only(Ask, bench.hear(newer, ap.source))
        assert bench.accept(*profile_attributes(), ask=old) == []
        assert only(Admit, bench.accept(*profile_attributes(), ask=new)) == [Admit(KEY, PROFILE, BY_EAP)]


class TestWhoeverIsNot:
    """An access point, or cannot prove it: it is told what to configure, and nothing happens."""

    def test_from_an_unknown_address(self) -> None:
        bench, ap = Bench(), Ap(STRANGER)
        effects = bench.hear(ap.ask(), ap.source)
        assert reasons(effects) == ["unknown-access-point"]
        assert "[[mag.radius_proxy.clients]]" in notes(effects)[0].cause

    def test_with_another_secret(self) -> None:
        bench, ap = Bench(), Ap(secret=Secret(b"wrong"))
        effects = bench.hear(ap.ask(), ap.source)
        assert reasons(effects) == ["bad-authenticator"]
        assert "shared secret" in notes(effects)[0].cause and "wrong" not in notes(effects)[0].cause
        assert reasons(bench.hear(ap.account(1), ap.source, ACCOUNTING)) == ["bad-authenticator"]

    def test_another_access_point_s_secret_is_no_proof(self) -> None:
        bench, ap = Bench(), Ap(SECOND)
        assert reasons(bench.hear(ap.ask(), ap.source)) == ["bad-authenticator"]

    def test_is_proven_by_nothing_else_than_what_only_an_access_point_can_make(self) -> None:
        """Who is heard first in a flood: replays and whatever can be forged do not make anybody be."""
        bench, ap = Bench(require_message_authenticator=RequireSignature.NO), Ap()
        signed, account = ap.ask(), ap.account(1)
        heard = [
            (signed, AUTHENTICATION, True),
            (signed, AUTHENTICATION, False),
            (unsigned(ap.ask(eap=b"")), AUTHENTICATION, False),
            (Ap(secret=Secret(b"wrong")).ask(), AUTHENTICATION, False),
            (account, ACCOUNTING, True),
            (account, ACCOUNTING, False),
        ]
        for datagram, group, proven in heard:
            bench.hear(datagram, ap.source, group)
            assert bench.proven is proven
        bench.accept(*profile_attributes(), ask=bench.asked[0])
        bench.at += 31
        for datagram, group in ((signed, AUTHENTICATION), (account, ACCOUNTING)):
            bench.hear(datagram, ap.source, group)
            assert not bench.proven

    @pytest.mark.parametrize("rule", RequireSignature)
    def test_eap_is_signed_whatever_is_configured(self, rule: RequireSignature) -> None:
        bench, ap = Bench(require_message_authenticator=rule), Ap()
        assert reasons(bench.hear(unsigned(ap.ask()), ap.source)) == ["no-message-authenticator"]

    @pytest.mark.parametrize(
        ("rule", "taken"),
        [("auto", True), ("yes", False), ("eap-only", True), ("no", True)],
    )
    def test_without_eap_it_depends(self, rule: str, taken: bool) -> None:
        bench, ap = Bench(require_message_authenticator=RequireSignature(rule)), Ap()
        effects = bench.hear(unsigned(ap.ask(eap=b"")), ap.source)
        assert bool(only(Ask, effects)) == taken
        warned = [note for note in notes(effects) if note.name == "access-point-unsigned"]
        assert len(warned) == (rule == "auto")

    @covers("AA3")
    def test_who_has_signed_once_is_held_to_that(self) -> None:
        bench, ap = Bench(), Ap()
        assert only(Ask, bench.hear(unsigned(ap.ask(eap=b"")), ap.source))
        assert only(Ask, bench.hear(ap.ask(eap=b""), ap.source))
        assert reasons(bench.hear(unsigned(ap.ask(eap=b"")), ap.source)) == ["no-message-authenticator"]

    @covers("AA3")
    @pytest.mark.parametrize(("rule", "taken"), [("auto", False), ("eap-only", False), ("no", True)])
    def test_proxy_state_without_a_signature_is_how_answers_are_forged(self, rule: str, taken: bool) -> None:
        """CVE-2024-3596."""
        bench, ap = Bench(require_message_authenticator=RequireSignature(rule)), Ap()
        prepared = unsigned(ap.ask((AttributeType.PROXY_STATE.value, bytes(100)), eap=b""))
        assert bool(only(Ask, bench.hear(prepared, ap.source))) == taken

    @pytest.mark.parametrize("cut", [0, 19, 30])
    def test_cut_short(self, cut: int) -> None:
        bench, ap = Bench(), Ap()
        assert reasons(bench.hear(ap.ask()[:cut], ap.source)) == ["truncated"]

    def test_at_the_wrong_port(self) -> None:
        bench, ap = Bench(), Ap()
        assert reasons(bench.hear(ap.account(1), ap.source, AUTHENTICATION)) == ["wrong-port"]
        assert reasons(bench.hear(ap.ask(), ap.source, ACCOUNTING)) == ["wrong-port"]
        forged = Ap().ask(code=Code.DISCONNECT_REQUEST)
        assert reasons(bench.hear(forged, ap.source)) == ["wrong-port"]

    @pytest.mark.parametrize(
        "name", [b"", b"mn1", b"02-00-00-00-00", b"03-00-00-00-00-01", b"02-00:00-00-00-01"]
    )
    def test_without_a_station(self, name: bytes) -> None:
        bench, ap = Bench(), Ap()
        given = ap.ask((AttributeType.CALLING_STATION_ID.value, name), station=None)
        assert reasons(bench.hear(given, ap.source)) == ["no-calling-station"]

    def test_with_two_stations(self) -> None:
        bench, ap = Bench(), Ap()
        given = ap.ask((AttributeType.CALLING_STATION_ID.value, b"02-00-00-00-00-02"))
        assert reasons(bench.hear(given, ap.source)) == ["no-calling-station"]


def test_a_circle_is_cut() -> None:
    """The server is a proxy that sends everything on to us."""
    bench, ap, upstream = Bench(), Ap(), Ap(SECOND, SECOND_SECRET)
    [asked] = only(Ask, bench.hear(ap.ask(), ap.source))
    [ours] = asked.request.attributes.all(AttributeType.PROXY_STATE)
    again = upstream.ask(
        (AttributeType.PROXY_STATE.value, ours), (AttributeType.PROXY_STATE.value, b"theirs")
    )
    assert reasons(bench.hear(again, upstream.source)) == ["loop"]
    named = upstream.ask((AttributeType.NAS_IDENTIFIER.value, b"mag1.example.net"))
    assert reasons(bench.hear(named, upstream.source)) == ["loop"]


def test_a_flood_of_one_access_point_is_bounded_and_no_other_s_loss() -> None:
    bench, ap, other = Bench(), Ap(), Ap(SECOND, SECOND_SECRET)
    for count in range(256):
        source = ap.source._replace(port=1024 + count)
        assert len(only(Ask, bench.hear(ap.ask(), source))) == 1
    assert reasons(bench.hear(ap.ask(), ap.source)) == ["overload"]
    assert len(only(Ask, bench.hear(other.ask(), other.source))) == 1
    bench.silence(bench.asked[0])
    assert len(only(Ask, bench.hear(ap.ask(), ap.source))) == 1


def test_what_anybody_may_ask_in_its_name_takes_half_of_the_room() -> None:
    bench, ap = Bench(require_message_authenticator=RequireSignature.NO), Ap()
    for count in range(128):
        source = ap.source._replace(port=1024 + count)
        assert len(only(Ask, bench.hear(unsigned(ap.ask(eap=b"")), source))) == 1
    effects = bench.hear(unsigned(ap.ask(eap=b"")), ap.source)
    assert reasons(effects) == ["overload"] and "Message-Authenticator" in notes(effects)[0].cause
    assert len(only(Ask, bench.hear(ap.ask(), ap.source))) == 1
    bench.silence(bench.asked[0])
    assert len(only(Ask, bench.hear(unsigned(ap.ask(eap=b"")), ap.source))) == 1


def test_an_access_point_asks_whether_we_are_there() -> None:
    """RFC 5997."""
    bench, ap = Bench(), Ap()
    status = ap.ask(code=Code.STATUS_SERVER, eap=b"", station=None)
    assert ap.read(bench.hear(status, ap.source)).code is Code.ACCESS_ACCEPT
    status = ap.ask(code=Code.STATUS_SERVER, eap=b"", station=None)
    assert ap.read(bench.hear(status, ap.source, ACCOUNTING)).code is Code.ACCOUNTING_RESPONSE
    assert bench.asked == []


@pytest.mark.parametrize(
    "spelling",
    [
        "02-00-00-00-00-AB",
        "02:00:00:00:00:ab",
        "0200000000ab",
        "0200.0000.00AB",
        "0200-0000-00ab",
        "020000-0000ab",
    ],
)
def test_macs_as_access_points_write_them(spelling: str) -> None:
    bench, ap = Bench(), Ap()
    given = ap.ask((AttributeType.CALLING_STATION_ID.value, spelling.encode()), station=None)
    bench.hear(given, ap.source)
    [admitted] = only(Admit, bench.accept(*profile_attributes()))
    assert admitted.key.mac == mac("02:00:00:00:00:ab")


def test_no_secret_is_in_what_is_told_or_shown() -> None:
    bench, ap = Bench(), Ap()
    effects = bench.hear(ap.ask(), ap.source)
    effects += bench.accept(*profile_attributes(), *mppe_keys())
    shown = repr(effects) + repr(bench.proxy.rows())
    for key in (SEND_KEY, RECEIVE_KEY, Secret(b"0123456789abcdef"), Secret(b"of the first access point")):
        assert key.reveal().decode("latin1") not in shown and key.reveal().hex() not in shown
    assert bench.proxy.rows()[0]["access_point"] == "10.77.0.2"
