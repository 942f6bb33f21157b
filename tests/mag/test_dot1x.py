"""802.1X on an access link: who is asked, what passes before it is proven, and what may end a visit."""

from random import Random

import pytest

from pmip_tw.aaa.verdicts import Reject, Unavailable
from pmip_tw.addresses import Ipv4, Mac, ipv4, mac
from pmip_tw.mag.authentication.access_policy import PortAuthentication
from pmip_tw.mag.effects import AskPresence, Authenticate, Forward, MagEffect, Transmit
from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.eap import Eap, EapCode
from pmip_tw.wire.eapol import EAP_PACKET, KEY, PAE_GROUP
from tests.agents.world import GATEWAY, GATEWAY_MAC, LMA, PORT, Station, association
from tests.conformance import covers
from tests.mag.bench import (
    ADDRESS,
    LMA_CLOCK,
    accept,
    names,
    note,
    notes,
    only,
    reply,
    requests,
    revocation,
    told,
)
from tests.mag.supplicants import FAILURE, OTHER_PORT, SUCCESS, TTLS, EapBench, by_mac, challenge, dot1x, said

STATION, OTHER = Station(1), Station(2)
IDENTITY = 1
OR_MAC = PortAuthentication.DOT1X_OR_MAC


@covers("X2", "X3")
class TestFirstWords:
    def test_of_a_supplicant(self) -> None:
        """EAPOL-Start, Request/Identity to its own MAC, Response, and AAA is asked as the node said it."""
        bench = EapBench()
        effects = bench.start()
        [(code, first, kind)] = said(effects, STATION.mac)
        assert (code, kind) == (EapCode.REQUEST, IDENTITY)
        assert said(effects) == said(effects, STATION.mac), "nobody else is disturbed"
        assert len(bench.engine.visitors) == 0, "it is nobody yet"
        asked, credential = bench.ask(bench.respond(data=b"mn1@elsewhere.example"))
        assert (credential.mac, credential.port) == (STATION.mac, PORT)
        assert credential.identity == b"mn1@elsewhere.example" and credential.conversation is None
        assert Eap.decode(credential.message).identifier == first
        effects = bench.decide(asked, challenge(77))
        assert said(effects) == [(EapCode.REQUEST, 77, TTLS)]
        _, credential = bench.ask(bench.respond(TTLS, b"hello"))
        assert credential.conversation is not None and credential.conversation.state == b"state 77"
        assert credential.identity == b"mn1@elsewhere.example"

    def test_of_a_node_that_does_not_know_that_it_has_moved(self) -> None:
        """Its first packet is held, and it is asked who it is in the same moment."""
        bench = EapBench()
        effects = bench.hear(STATION.data(ADDRESS))
        assert said(effects, STATION.mac)[0][2] == IDENTITY
        assert only(Authenticate, effects) == []
        effects = bench.decide(bench.examine(), accept(STATION))
        assert [code for code, *_ in said(effects)] == [SUCCESS]
        [request] = requests(effects)
        assert request.home_address == ADDRESS
        effects = bench.arrive(reply(request))
        assert [held.frame for held in only(Forward, effects)] == [STATION.data(ADDRESS)]

    def test_of_one_that_goes_on_with_its_former_mag(self) -> None:
        """A Response to nobody shows a supplicant as well as a Start does."""
        bench = EapBench()
        assert said(bench.respond())[0][2] == IDENTITY

    def test_a_repeated_request_goes_to_the_group_if_nobody_else_is_there(self) -> None:
        bench = EapBench()
        bench.hear(STATION.data(ADDRESS))
        effects = bench.wait(3.1)
        assert len(said(effects, STATION.mac)) == len(said(effects, PAE_GROUP)) == 1
        bench.start(OTHER)
        assert said(bench.wait(3), PAE_GROUP) == []

    def test_on_a_port_without_it_eapol_means_nothing(self) -> None:
        bench = EapBench(dot1x(PortAuthentication.MAC))
        assert bench.start() == bench.logoff() == bench.respond() == []


@covers("X1")
class TestBeforeSuccess:
    @pytest.mark.parametrize(
        "frame",
        [
            STATION.data(ADDRESS),
            STATION.arp(ADDRESS, GATEWAY),
            STATION.dhcp(MessageType.DISCOVER),
            STATION.dhcp(MessageType.REQUEST, requested=ADDRESS),
        ],
        ids=["data", "arp", "discover", "request"],
    )
    def test_nothing_passes_and_nothing_is_answered(self, frame: bytes) -> None:
        """Whatever it does while it is examined, it gets EAP and nothing else."""
        bench = EapBench()
        effects = bench.hear(frame) + bench.hear(frame)
        asked = bench.examine()
        effects += bench.hear(frame)
        effects += bench.wait(2)
        assert only(Install, effects) == only(Send, effects) == only(Forward, effects) == []
        assert len(only(Transmit, effects)) == len(said(effects))
        refused = bench.decide(asked, Reject("no such user"))
        assert only(Install, refused) == only(Send, refused) == told(refused) == []
        assert len(bench.engine.visitors) == 0

    def test_dhcp_that_was_asked_meanwhile_is_answered_when_it_is_registered(self) -> None:
        bench = EapBench()
        bench.hear(STATION.dhcp(MessageType.DISCOVER))
        [request] = requests(bench.decide(bench.examine(), accept(STATION)))
        [offer] = told(bench.arrive(reply(request)))
        assert offer.yiaddr == ADDRESS

    def test_success_from_the_node_itself(self) -> None:
        bench = EapBench()
        bench.hear(STATION.data(ADDRESS))
        for code in (SUCCESS, FAILURE):
            effects = bench.eapol(EAP_PACKET, Eap(code=code, identifier=bench.identifier).encode())
            assert notes(effects)[0].reason == "eap-not-a-response"
        assert bench.visitor.state.value == "authenticating"


@covers("X3", "X5", "AA9")
class TestVerdicts:
    def test_accepted_by_the_name_that_aaa_gives(self) -> None:
        """The outer identity is for AAA alone; the NAI is the inner one (AA9)."""
        bench = EapBench()
        effects = bench.authenticate()
        [request] = requests(effects)
        assert request.nai == STATION.nai.encode()
        assert (bench.visitor.method, bench.visitor.identity) == ("eap-ttls", "anonymous@example.net")
        assert note("access-accepted", effects).details["method"] == "eap-ttls"
        assert [code for code, *_ in said(effects)] == [SUCCESS]

    def test_refused(self) -> None:
        """It is told, and asked anew when it has been quiet for a while; its Starts are not heard before."""
        bench = EapBench()
        bench.hear(STATION.data(ADDRESS))
        effects = bench.decide(bench.examine(), Reject("the password is wrong"))
        assert [code for code, *_ in said(effects)] == [FAILURE]
        assert note("access-rejected", effects).cause == "the password is wrong"
        assert note("eap-failed", effects).reason == "rejected"
        assert said(bench.start() + bench.hear(STATION.data(ADDRESS)) + bench.respond()) == []
        assert said(bench.wait(29.9)) == []
        assert said(bench.wait(0.2))[0][2] == IDENTITY
        [request] = requests(bench.decide(bench.examine(), accept(STATION)))
        assert request.nai == STATION.nai.encode()

    def test_aaa_is_down(self) -> None:
        bench = EapBench()
        bench.hear(STATION.data(ADDRESS))
        effects = bench.decide(bench.examine(), Unavailable("192.0.2.5:1812 does not answer"))
        assert note("aaa-unavailable", effects).cause == "192.0.2.5:1812 does not answer"
        assert said(bench.wait(5.1))[0][2] == IDENTITY, "nobody has to wait for its supplicant's minute"

    def test_that_come_late_are_for_nobody(self) -> None:
        """A conversation that was begun anew is another one."""
        bench = EapBench()
        bench.start()
        asked, _ = bench.ask(bench.respond())
        bench.at += 1.1
        bench.start()
        again, _ = bench.ask(bench.respond())
        assert bench.decide(asked, accept(STATION)) == []
        assert len(bench.engine.visitors) == 0
        bench.decide(again, accept(STATION))
        assert bench.visitor.nai == STATION.nai

    def test_an_accept_without_a_way_to_an_lma(self) -> None:
        bench = EapBench()
        effects = bench.authenticate(lmas=())
        assert note("visitor-removed", effects).reason == "no-lma"
        assert said(bench.start()) == []


class TestAnotherPort:
    def test_a_node_that_proves_itself_there_is_there(self) -> None:
        """Its MAC alone moves nothing."""
        bench = EapBench()
        bench.authenticate()
        bench.arrive(reply(requests(bench.effects)[0]))
        effects = bench.hear(STATION.data(ADDRESS), OTHER_PORT)
        assert bench.visitor.key.port == PORT and only(Remove, effects) == []
        bench.decide(bench.examine(port=OTHER_PORT), accept(STATION))
        assert bench.visitor.key.port == OTHER_PORT

    def test_whoever_copies_the_mac_and_proves_nothing_harms_nobody(self) -> None:
        bench = EapBench()
        visitor = bench.registered()
        bench.hear(STATION.data(ADDRESS), OTHER_PORT)
        bench.decide(bench.examine(port=OTHER_PORT), Reject("no such user"))
        bench.hear(STATION.data(ADDRESS), OTHER_PORT)
        assert bench.visitor is visitor and visitor.state.value == "registered"

    def test_somebody_else_with_the_same_mac_takes_it_over_by_proof(self) -> None:
        """Who had it is de-registered: it is another node, and its binding would stay behind."""
        bench = EapBench()
        bench.registered()
        bench.start(port=OTHER_PORT)
        effects = bench.decide(bench.examine(port=OTHER_PORT), accept(STATION, nai="other@example.net"))
        assert [(one.nai, one.lifetime) for one in requests(effects)] == [
            (STATION.nai.encode(), 0),
            (b"other@example.net", 1800),
        ]

    @pytest.mark.parametrize("authentication", [PortAuthentication.DOT1X, OR_MAC])
    def test_a_name_that_a_second_node_uses_is_its_own_then(self, authentication: PortAuthentication) -> None:
        """They do not take it from each other without end."""
        bench = EapBench(dot1x(authentication))
        bench.authenticate()
        bench.authenticate(OTHER, OTHER_PORT, nai=STATION.nai)
        assert bench.visitor.key.mac == OTHER.mac
        bench.at += 10
        assert said(bench.start() + bench.hear(STATION.data(ADDRESS))) == []


@covers("X6", "X10")
class TestReauthentication:
    def test_on_time_and_nothing_is_interrupted(self) -> None:
        bench = EapBench(dot1x(reauth_period=200))
        visitor = bench.registered()
        effects = bench.wait(201)
        assert said(effects)[0][2] == IDENTITY
        effects = bench.decide(bench.examine(), accept(STATION))
        assert [code for code, *_ in said(effects)] == [SUCCESS]
        assert "reauthorized" in names(effects)
        assert only(Remove, effects) == requests(effects) == [], "the same key: there is nothing to register"
        assert bench.visitor is visitor
        assert said(bench.wait(198)) == []
        assert said(bench.wait(3))[0][2] == IDENTITY

    def test_sooner_if_aaa_says_so(self) -> None:
        """Session-Timeout with Termination-Action RADIUS-Request (RFC 3580 3.17)."""
        bench = EapBench()
        bench.registered(session_timeout=120, reauthenticate=True)
        assert said(bench.wait(119)) == []
        assert said(bench.wait(2))[0][2] == IDENTITY
        assert bench.visitor.state.value == "registered"

    def test_session_timeout_alone_ends_the_visit(self) -> None:
        bench = EapBench()
        bench.registered(session_timeout=120)
        effects = bench.wait(121)
        assert note("visitor-left", effects).cause == "the session timeout that AAA set is over"
        assert [request.lifetime for request in requests(effects)] == [0]

    def test_another_key_is_registered_before_the_former_one_goes(self) -> None:
        """WiMAX derives one for each examination: the tunnel stays, and one request renews by the new key."""
        bench = EapBench(dot1x(reauth_period=600))
        bench.registered()
        bench.wait(601)
        another = association(1, b"the key that was derived anew")
        effects = bench.decide(bench.examine(), accept(STATION, mn_ha=another))
        assert only(Remove, effects) == []
        [question] = only(AskPresence, effects)
        effects = bench.present(bench.at)
        [request] = requests(effects)
        assert request.mn_ha is not None and request.mn_ha.spi == another.spi
        assert bench.visitor.grant is not None and bench.visitor.grant.protection.mn_ha == association(1)
        bench.arrive(reply(request, key=another))
        assert bench.visitor.grant.protection.mn_ha == another
        assert question.key == bench.visitor.key

    def test_another_lma_is_asked_while_the_former_one_serves(self) -> None:
        bench = EapBench(dot1x(reauth_period=600))
        bench.registered()
        bench.wait(601)
        elsewhere = ipv4("192.0.2.77")
        effects = bench.decide(bench.examine(), accept(STATION, lmas=(elsewhere,)))
        assert [send.destination.address for send in only(Send, effects)] == [elsewhere]
        assert only(Remove, effects) == [] and bench.visitor.lma == LMA

    def test_refused(self) -> None:
        bench = EapBench(dot1x(reauth_period=600))
        bench.registered()
        bench.wait(601)
        effects = bench.decide(bench.examine(), Reject("the account is closed"))
        assert [code for code, *_ in said(effects)] == [FAILURE]
        assert "the account is closed" in note("visitor-left", effects).cause
        assert [request.lifetime for request in requests(effects)] == [0]

    def test_a_supplicant_that_says_nothing_ends_it(self) -> None:
        bench = EapBench(dot1x(reauth_period=600))
        bench.registered()
        bench.wait(601)
        effects = bench.wait(15.1)
        assert "says nothing to 5 Requests for its identity" in note("visitor-left", effects).cause

    def test_a_server_that_says_nothing_does_not(self) -> None:
        bench = EapBench(dot1x(reauth_period=600))
        visitor = bench.registered()
        bench.wait(601)
        effects = bench.decide(bench.examine(), Unavailable("all servers are silent"))
        assert said(effects) == [] and "reauthorization-postponed" in names(effects)
        assert said(bench.wait(29)) == []
        assert said(bench.wait(2))[0][2] == IDENTITY
        assert bench.visitor is visitor

    def test_by_another_name_it_is_another_node(self) -> None:
        bench = EapBench()
        bench.registered()
        bench.at += 10
        bench.start()
        effects = bench.decide(bench.examine(), accept(STATION, nai="guest@example.net"))
        farewell, request = requests(effects)
        assert (farewell.nai, farewell.lifetime) == (STATION.nai.encode(), 0)
        assert (request.nai, request.lifetime) == (b"guest@example.net", 1800)
        assert {one.nai: one.state.value for one in bench.engine.visitors} == {
            STATION.nai: "leaving",
            "guest@example.net": "registering",
        }

    def test_by_mac_where_aaa_wants_it(self) -> None:
        """Termination-Action is for everybody."""
        bench = EapBench(dot1x(PortAuthentication.MAC))
        bench.profile = {"session_timeout": 120, "reauthenticate": True}
        bench.register()
        effects = bench.wait(121)
        [asked] = by_mac(effects)
        assert "reauthorized" in names(bench.decide(asked, accept(STATION, **bench.profile)))
        [asked] = by_mac(bench.wait(121))
        assert "visitor-left" in names(bench.decide(asked, Reject("the account is closed")))


@covers("X7")
class TestLogoff:
    def test_of_a_node_that_leaves(self) -> None:
        bench = EapBench()
        bench.registered()
        bench.at += 10
        effects = bench.logoff()
        assert said(effects)[0][2] == IDENTITY and only(Remove, effects) == []
        effects = bench.wait(2.1)
        assert note("visitor-left", effects).cause == "it has logged off"
        assert [request.lifetime for request in requests(effects)] == [0]
        assert said(effects)[-1][0] is FAILURE

    def test_by_somebody_else(self) -> None:
        """The node proves that it is here, and nothing has happened."""
        bench = EapBench()
        visitor = bench.registered()
        bench.at += 10
        bench.logoff()
        effects = bench.decide(bench.examine(), accept(STATION))
        effects += bench.wait(60)
        assert bench.visitor is visitor and only(Remove, effects) == requests(effects) == []

    def test_of_nobody(self) -> None:
        bench = EapBench()
        assert notes(bench.logoff())[0].reason == "logoff-of-nobody"


@covers("X8")
class TestMacInstead:
    def test_of_a_node_without_a_supplicant(self) -> None:
        bench = EapBench(dot1x(OR_MAC, mac_after=3.0))
        effects = bench.hear(STATION.data(ADDRESS))
        assert said(effects)[0][2] == IDENTITY and by_mac(effects) == []
        assert by_mac(bench.wait(2.9)) == []
        [asked] = by_mac(bench.wait(0.2))
        bench.decide(asked, accept(STATION))
        assert bench.visitor.method == "mac"

    def test_not_of_one_whose_supplicant_was_refused(self) -> None:
        bench = EapBench(dot1x(OR_MAC))
        bench.hear(STATION.data(ADDRESS))
        effects = bench.decide(bench.examine(), Reject("the password is wrong"))
        effects += bench.hear(STATION.data(ADDRESS)) + bench.wait(20)
        assert by_mac(effects) == []

    def test_a_supplicant_that_wakes_up_late_is_heard(self) -> None:
        bench = EapBench(dot1x(OR_MAC))
        bench.hear(STATION.data(ADDRESS))
        [asked] = by_mac(bench.wait(3.1))
        bench.decide(asked, Reject("this MAC is unknown"))
        bench.at += 1
        bench.start()
        bench.decide(bench.examine(), accept(STATION))
        assert bench.visitor.method == "eap-ttls"

    def test_who_is_served_by_its_mac_loses_nothing_by_the_lies_of_others(self) -> None:
        bench = EapBench(dot1x(OR_MAC))
        bench.hear(STATION.data(ADDRESS))
        [asked] = by_mac(bench.wait(3.1))
        [request] = requests(bench.decide(asked, accept(STATION)))
        bench.arrive(reply(request))
        visitor = bench.visitor
        bench.start()
        bench.decide(bench.examine(), Reject("no such user"))
        bench.logoff()
        bench.wait(20)
        assert bench.visitor is visitor and visitor.state.value == "registered"

    def test_without_it_a_silent_node_gets_nothing(self) -> None:
        bench = EapBench()
        bench.hear(STATION.data(ADDRESS))
        effects = bench.wait(15.1)
        assert by_mac(effects) == [] and note("eap-failed", effects).reason == "supplicant-silent"
        assert len(bench.engine.visitors) == 0
        assert bench.hear(STATION.data(ADDRESS)) == [], "it is not asked again for each of its packets"
        assert said(bench.start())[0][2] == IDENTITY


@covers("X4")
class TestBadInput:
    @pytest.mark.parametrize(
        ("kind", "body", "reason"),
        [
            (KEY, bytes(44), "eapol-kind"),
            (4, b"", "eapol-kind"),
            (5, bytes(60), "eapol-kind"),
            (255, b"", "eapol-kind"),
        ],
    )
    def test_keys_and_whatever_else_there_is(self, kind: int, body: bytes, reason: str) -> None:
        bench = EapBench()
        assert [found.reason for found in notes(bench.eapol(kind, body))] == [reason]

    def test_lengths(self) -> None:
        bench = EapBench()
        bench.hear(STATION.data(ADDRESS))
        before = bench.visitor
        for body in (b"", b"\2", b"\2\0\0\4", b"\2\0\xff\xff\1", b"\2\0\0\0\1"):
            [found] = notes(bench.eapol(EAP_PACKET, body))
            assert found.name == "frame-dropped" and found.reason in ("eapol-truncated", "eapol-malformed")
        frame = GATEWAY_MAC + STATION.mac + b"\x88\x8e\2\0\xff\xff" + bytes(20)
        assert notes(bench.hear(frame))[0].reason == "eapol-truncated"
        assert notes(bench.hear(frame[:16]))[0].reason == "eapol-truncated"
        assert bench.visitor is before

    @pytest.mark.parametrize("source", ["01:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"])
    def test_from_whom_there_is_none(self, source: str) -> None:
        bench = EapBench()
        station = Station(1)
        station.mac = mac(source)
        assert notes(bench.start(station))[0].reason == "eapol-not-for-us"

    def test_to_somebody_else(self) -> None:
        bench = EapBench()
        effects = bench.eapol(1, to=Mac(b"\2\0\0\0\0\x99"))
        assert notes(effects)[0].reason == "eapol-not-for-us"
        assert said(bench.eapol(1, to=GATEWAY_MAC))[0][2] == IDENTITY

    @covers("X2")
    def test_eap_of_nobody_that_is_examined(self) -> None:
        """An answer to another MAG shows a supplicant, and is called what it is; what only a MAG says does not."""
        bench = EapBench()
        for code in (EapCode.REQUEST, EapCode.SUCCESS, EapCode.FAILURE):
            kind = 1 if code is EapCode.REQUEST else 0
            [note] = notes(bench.eapol(EAP_PACKET, Eap(code=code, identifier=1, kind=kind).encode()))
            assert note.reason == "eap-not-a-response"
        started = notes(bench.respond())[0]
        assert (started.name, started.details) == ("eap-started", {"why": "eap-response"})

    def test_another_macs_answer_is_its_own(self) -> None:
        bench = EapBench()
        bench.start()
        effects = bench.respond(station=OTHER)
        assert only(Authenticate, effects) == []
        _, credential = bench.ask(bench.respond())
        assert credential.mac == STATION.mac


@covers("X9")
class TestFlood:
    def test_of_starts_from_thousands_of_macs(self) -> None:
        """Memory is bounded, who is served notices nothing, and who is honest gets through."""
        bench = EapBench(dot1x(max_conversations=16, max_new=1000, reauth_period=600))
        visitor = bench.registered()
        bench.at += 590
        flood = (Station(1000 + number) for number in range(60_000))
        for _ in range(2000):
            bench.at += 0.002
            bench.start(next(flood))
        assert bench.engine._aaa.dot1x.examined <= 17
        bench.start(OTHER)
        for _ in range(10):
            bench.start(next(flood))
        bench.identifier = said(bench.effects, OTHER.mac)[-1][1]
        asked, _ = bench.ask(bench.respond(station=OTHER))
        for _ in range(400):
            bench.at += 0.002
            bench.start(next(flood))
        assert requests(bench.decide(asked, accept(OTHER)))
        bench.at = 1000 + 602
        assert said(bench.wait(0), STATION.mac) or said(bench.wait(1), STATION.mac)
        bench.identifier = said(bench.effects, STATION.mac)[-1][1]
        bench.decide(bench.examine(), accept(STATION))
        assert visitor.state.value == "registered"

    def test_beginnings_are_paced(self) -> None:
        bench = EapBench(dot1x(max_new=50))
        begun = 0
        for number in range(200):
            begun += bool(said(bench.start(Station(100 + number))))
        assert 50 <= begun <= 51
        assert notes(bench.start(Station(500)))[0].reason == "eapol-limit"
        assert said(bench.start(Station(500), OTHER_PORT)), "it is no matter of other ports"
        bench.at += 0.1
        assert said(bench.start(Station(501)))

    def test_of_packets_leaves_no_visitor_behind(self) -> None:
        bench = EapBench(dot1x(max_conversations=8, max_new=1000))
        for number in range(200):
            bench.at += 0.01
            bench.hear(Station(100 + number).data(ipv4("10.1.0.7")))
            assert len(bench.engine.visitors) <= 8
        bench.wait(60)
        assert len(bench.engine.visitors) == 0 and bench.engine.next_deadline() is None

    def test_of_identities_is_stopped_by_what_aaa_can_take(self) -> None:
        """P83: so many questions at a time; who is turned away is asked again, and answers again."""
        bench = EapBench(dot1x(max_new=1000), max_authentications=4)
        for number in range(6):
            bench.start(Station(100 + number))
            bench.respond(station=Station(100 + number))
            bench.at += 0.01
        assert len(only(Authenticate, bench.effects)) == 4
        assert [n.reason for n in notes(bench.effects)].count("authentication-limit") == 2

    def test_of_starts_faster_than_anybody_is_examined(self) -> None:
        """With the settings that are usual: who was here gets in at once, who is new if its packet comes in time."""
        bench = EapBench()
        bench.registered()
        chance = Random(9)
        strangers = (Station(1000 + number) for number in range(60_000))

        def flood(seconds: float) -> None:
            until = bench.at + seconds
            while bench.at < until:
                bench.start(next(strangers))
                bench.at += chance.expovariate(1000)

        def answer(effects: list[MagEffect], kind: int, data: bytes) -> Authenticate:
            flood(0.05)
            bench.identifier = said(effects, STATION.mac)[-1][1]
            return bench.ask(bench.respond(kind, data))[0]

        for number in range(5):
            bench.arrive(revocation(LMA_CLOCK + 5 + number))
            assert len(bench.engine.visitors) == 0
            flood(1)
            asked = answer(bench.hear(STATION.data(ADDRESS)), IDENTITY, b"anonymous@example.net")
            asked = answer(bench.decide(asked, challenge(9)), TTLS, b"inside")
            [request] = requests(bench.decide(asked, accept(STATION)))
            bench.arrive(reply(request, timestamp=LMA_CLOCK + 5 + number))
            assert bench.visitor.state.value == "registered"
        begun = 0
        for number in range(200):
            flood(0.01)
            begun += bool(said(bench.hear(Station(62_000 + number).data(ADDRESS), PORT)))
        assert 5 <= begun <= 50, "its first packet has the chance of a tenth, and so has each that follows"
        tries = 1
        while not said(bench.hear(OTHER.data(ADDRESS)), OTHER.mac):
            flood(0.25)
            tries += 1
        assert tries < 60

    def test_in_the_name_of_who_was_here(self) -> None:
        """They are not believed more than others for it: of them, too, only so many begin in a second."""
        bench = EapBench(dot1x(max_new=20))
        for number in range(60):
            bench.at += 1
            station = Station(100 + number)
            bench.authenticate(station)
            bench.engine.visitors.remove(bench.engine.visitors.with_mac(station.mac))
        bench.wait(10)
        begun = sum(bool(said(bench.start(Station(100 + number)))) for number in range(60))
        assert 30 <= begun <= 32

    @covers("P83")
    def test_in_the_name_of_served_nodes(self) -> None:
        """Starts and identities of 60 nodes whose MACs everybody on the link knows; who is due is examined."""
        bench = EapBench(dot1x(max_new=20, reauth_period=600))
        bench.registered()
        bench.at += 500
        served = [Station(100 + number) for number in range(60)]
        for number, station in enumerate(served):
            [request] = requests(bench.authenticate(station))
            bench.arrive(reply(request, station=station, home=Ipv4(ADDRESS + 1 + number)))
            bench.at += 1
        bench.wait(10)
        before = len(only(Authenticate, bench.effects))
        for _ in range(10):
            for station in served:
                asked = said(bench.start(station), station.mac) or said(bench.wait(0), station.mac)
                if asked:
                    bench.identifier = asked[-1][1]
                    bench.respond(station=station)
            bench.at += 1.01
        assert len(only(Authenticate, bench.effects)) - before <= 10 + 2 * 10 + 2
        assert notes(bench.effects)[-1].reason == "eapol-limit"
        while not (due := said(bench.wait(0.5), STATION.mac)):
            bench.start(served[0])
            assert bench.at < 1000 + 605
        bench.identifier = due[-1][1]
        assert only(Authenticate, bench.respond())

    def test_of_a_served_macs_starts_asks_aaa_once_a_second(self) -> None:
        bench = EapBench()
        bench.registered()
        before = len(only(Authenticate, bench.effects))
        for _ in range(300):
            bench.at += 0.01
            bench.start()
            bench.wait(0)
            bench.respond()
        assert len(only(Authenticate, bench.effects)) - before <= 4


def test_nothing_that_was_said_is_in_what_observers_hear() -> None:
    bench = EapBench()
    bench.start()
    asked, _ = bench.ask(bench.respond())
    bench.decide(asked, challenge(9))
    asked, _ = bench.ask(bench.respond(TTLS, b"open sesame"))
    bench.decide(asked, accept(STATION))
    heard = repr(notes(bench.effects))
    assert "sesame" not in heard and "state 9" not in heard
    assert names(bench.effects)[:6] == [
        "eap-started",
        "eap-response",
        "eap-request",
        "eap-response",
        "eap-succeeded",
        "access-accepted",
    ]
    passed = [n.details["method"] for n in notes(bench.effects) if n.name in ("eap-request", "eap-response")]
    assert passed == ["identity", "ttls", "ttls"]


def test_after_a_restart_it_is_known_who_has_proven_itself() -> None:
    """The examination that is due comes when it would have come; a Start is one of a served node."""
    bench = EapBench(dot1x(reauth_period=200))
    bench.registered()
    bench.at += 50
    bench.restart(downtime=5)
    assert (bench.visitor.method, bench.visitor.identity) == ("eap-ttls", "anonymous@example.net")
    bench.logoff()
    bench.decide(bench.examine(), accept(STATION))
    assert bench.visitor.state.value == "registered"
    bench.restart(downtime=5)
    assert said(bench.wait(190)) == []
    assert said(bench.wait(10))[0][2] == IDENTITY
