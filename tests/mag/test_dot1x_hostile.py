"""802.1X at a MAG when things happen at once, in the wrong order, or after a restart with other settings."""

import pytest

from pmip_tw.aaa.dynamic_authorization import Change, Selection
from pmip_tw.aaa.verdicts import AuthorizeOnly, Unavailable
from pmip_tw.addresses import Ipv4
from pmip_tw.mag.authentication.access_policy import AccessPolicy, PortAuthentication
from pmip_tw.mag.authentication.gate import Gate
from pmip_tw.mag.effects import Authenticate
from pmip_tw.mobility.effects import Remove
from tests.agents.world import PORT, Station
from tests.conformance import covers
from tests.mag.bench import (
    ADDRESS,
    LMA_CLOCK,
    Bench,
    accept,
    names,
    note,
    notes,
    only,
    reply,
    requests,
    revocation,
)
from tests.mag.supplicants import OTHER_PORT, TTLS, EapBench, by_mac, challenge, dot1x, said

STATION, OTHER = Station(1), Station(2)
IDENTITY = 1
OR_MAC = PortAuthentication.DOT1X_OR_MAC
WHO = Selection(user_name=STATION.nai)


@covers("X2")
class TestBackAndForth:
    """A node between two MAGs: its supplicant believes that all is well, and says nothing by itself."""

    def test_who_comes_back_in_the_second_in_which_it_was_examined(self) -> None:
        """The LMA has just revoked it, because it was at another MAG for a moment."""
        bench = EapBench()
        bench.registered()
        bench.at += 0.3
        bench.arrive(revocation(LMA_CLOCK + 5))
        assert len(bench.engine.visitors) == 0
        bench.at += 0.3
        effects = bench.hear(STATION.data(ADDRESS)) + bench.wait(2)
        assert said(effects)[0][2] == IDENTITY
        [request] = requests(bench.decide(bench.examine(), accept(STATION)))
        bench.arrive(reply(request))
        assert bench.visitor.state.value == "registered"

    def test_who_comes_back_while_it_is_asked(self) -> None:
        """It need not wait for the next Request; packets one after the other bring no more than one a second."""
        bench = EapBench()
        bench.hear(STATION.data(ADDRESS))
        bench.wait(8)
        assert said(bench.hear(STATION.data(ADDRESS)))[0][2] == IDENTITY
        asked = 0
        for _ in range(100):
            bench.at += 0.01
            asked += len(said(bench.hear(STATION.data(ADDRESS))))
        assert asked <= 1
        bench.decide(bench.examine(), accept(STATION))
        assert bench.visitor.nai == STATION.nai

    def test_who_passed_by_and_comes_again(self) -> None:
        """One packet of it was heard, and no answer: that does not keep it waiting when it really comes."""
        bench = EapBench()
        bench.hear(STATION.data(ADDRESS))
        effects = bench.wait(15.1)
        assert note("eap-failed", effects).reason == "supplicant-silent"
        bench.wait(5)
        assert said(bench.hear(STATION.data(ADDRESS)))[0][2] == IDENTITY


class TestOtherSettingsAfterARestart:
    @covers("X1")
    def test_a_mac_alone_is_not_enough_any_more(self) -> None:
        bench = EapBench(dot1x(PortAuthentication.MAC))
        bench.register()
        effects = bench.restart(access=dot1x())
        assert "802.1x" in note("visitor-not-restored", effects).cause
        assert len(bench.engine.visitors) == 0
        assert said(bench.hear(STATION.data(ADDRESS)))[0][2] == IDENTITY
        assert len(bench.engine.visitors) == 1
        bench.restart()
        assert len(bench.engine.visitors) == 0, "and it stays so"

    @covers("X6")
    def test_a_port_that_knows_no_eap_any_more(self) -> None:
        """Whose examination is due there does not take those with it whose turn it is as well."""
        bench = EapBench(dot1x(reauth_period=200))
        bench.registered()
        bench.restart(access=dot1x(PortAuthentication.MAC))
        bench.wait(201)
        assert len(bench.engine.visitors) == 0
        assert by_mac(bench.hear(STATION.data(ADDRESS)))

    @pytest.mark.parametrize("before", [PortAuthentication.DOT1X, OR_MAC])
    def test_who_has_proven_itself_stays_where_that_counts(self, before: PortAuthentication) -> None:
        bench = EapBench(dot1x(before))
        visitor = bench.registered()
        after = OR_MAC if before is PortAuthentication.DOT1X else PortAuthentication.DOT1X
        bench.restart(access=dot1x(after))
        assert bench.visitor.nai == visitor.nai

    @covers("X6")
    def test_an_examination_that_was_none_of_our_business_before(self) -> None:
        bench = EapBench(dot1x(reauth_period=0))
        bench.registered()
        assert bench.visitor.reauthorize_at is None
        bench.restart(access=dot1x(reauth_period=200))
        assert said(bench.wait(199)) == []
        assert said(bench.wait(2))[0][2] == IDENTITY


class TestTogether:
    @covers("X6")
    def test_who_came_in_one_moment_is_not_examined_in_one_moment(self) -> None:
        instants = []
        for byte in (b"\0", b"\x80", b"\xff"):
            bench = EapBench(dot1x(reauth_period=200))
            bench.random = byte
            bench.registered()
            assert bench.visitor.reauthorize_at is not None
            instants.append(bench.visitor.reauthorize_at - bench.at)
        assert instants[0] == 200 > instants[1] > instants[2] > 179

    @covers("X6")
    def test_nor_who_became_due_while_there_was_no_mag(self) -> None:
        bench = EapBench(dot1x(reauth_period=200))
        bench.registered()
        bench.random = b"\x80"
        bench.restart(downtime=300)
        assert said(bench.wait(14)) == []
        assert said(bench.wait(2))[0][2] == IDENTITY


class TestInterrupted:
    @covers("X6")
    def test_an_examination_that_a_restart_interrupts_is_made_up_for(self) -> None:
        """What was written down meanwhile does not say that there was none to come."""
        bench = EapBench(dot1x(reauth_period=200))
        bench.registered()
        assert said(bench.wait(201))[0][2] == IDENTITY
        _, effects = bench.engine.sessions.change(WHO, Change(interim_interval=600), bench.now)
        bench.take(effects)
        bench.restart()
        assert said(bench.wait(199))[0][2] == IDENTITY

    @covers("AA16")
    def test_aaa_that_wants_to_be_asked_and_is_silent_then(self) -> None:
        """It is asked again what it wanted to be asked, with its State (RFC 5176 3.2)."""
        bench = EapBench()
        bench.registered()
        bench.engine.sessions.reauthorize(WHO, b"which session", bench.now)
        for _ in range(3):
            [asked] = only(Authenticate, bench.wait(31))
            assert isinstance(asked.credential, AuthorizeOnly)
            assert asked.credential.state == b"which session"
            bench.decide(asked, Unavailable("all servers are silent"))
        [asked] = only(Authenticate, bench.wait(31))
        bench.decide(asked, accept(STATION))
        assert only(Authenticate, bench.wait(60)) == []

    @covers("AA18")
    def test_a_change_between_its_wish_and_the_question(self) -> None:
        """A State that was not used would be shown at some other time."""
        bench = EapBench()
        bench.registered()
        bench.engine.sessions.reauthorize(WHO, b"which session", bench.now)
        change = Change(session_timeout=1000)
        _, effects = bench.engine.sessions.change(WHO, change, bench.now)
        bench.take(effects)
        [asked] = only(Authenticate, bench.wait(0.1))
        assert isinstance(asked.credential, AuthorizeOnly) and asked.credential.state == b"which session"
        bench.decide(asked, accept(STATION))
        assert bench.visitor.reauthorize_with is None


MIXED = AccessPolicy(ports={PORT: PortAuthentication.DOT1X, OTHER_PORT: PortAuthentication.MAC})


class TestFarewells:
    """A de-registration that was lost is sent again, whatever it was that ended the visit."""

    @covers("X7", "P21")
    def test_of_who_logs_off(self) -> None:
        bench = EapBench()
        bench.registered()
        bench.at += 10
        bench.logoff()
        assert [request.lifetime for request in requests(bench.wait(2.1))] == [0]
        assert [request.lifetime for request in requests(bench.wait(1.1))] == [0]
        bench.wait(90)
        assert len(bench.engine.visitors) == 0

    @covers("P21")
    def test_of_who_has_lost_its_mac_to_another(self) -> None:
        bench = EapBench()
        bench.registered()
        bench.wait(100)
        bench.start(port=OTHER_PORT)
        bench.decide(bench.examine(port=OTHER_PORT), accept(STATION, nai="other@example.net"))
        again = [one for one in requests(bench.wait(1.1)) if one.nai == STATION.nai.encode()]
        assert [request.lifetime for request in again] == [0]

    @covers("P21", "X6")
    def test_of_who_has_another_name_now(self) -> None:
        """Its place is taken at once, and both names have their exchange with the LMA."""
        bench = EapBench()
        bench.registered()
        bench.at += 100
        bench.start()
        [farewell, request] = requests(
            bench.decide(bench.examine(), accept(STATION, nai="other@example.net"))
        )
        assert (farewell.nai, farewell.lifetime) == (STATION.nai.encode(), 0)
        assert {one.nai: one.state.value for one in bench.engine.visitors} == {
            STATION.nai: "leaving",
            "other@example.net": "registering",
        }
        bench.arrive(reply(request, home=Ipv4(ADDRESS + 1)))
        effects = bench.wait(1.1)
        [again] = requests(effects)
        assert (again.nai, again.lifetime) == (STATION.nai.encode(), 0)
        assert STATION.nai in note("registration-unanswered", effects).nai
        effects = bench.arrive(reply(again))
        assert "deregistered" in names(effects)
        assert bench.visitor.nai == "other@example.net" and bench.visitor.state.value == "registered"
        assert only(Remove, effects) == []

    @covers("P21")
    def test_of_who_comes_back_by_another_name(self) -> None:
        """Its port believes its MAC, which somebody else has now."""
        bench = Bench()
        bench.register()
        bench.take(bench.engine.detach(STATION.nai, bench.now))
        [asked] = by_mac(bench.hear(STATION.data(ADDRESS)))
        bench.decide(asked, accept(STATION, nai="other@example.net"))
        again = [one for one in requests(bench.wait(1.1)) if one.nai == STATION.nai.encode()]
        assert [request.lifetime for request in again] == [0]
        bench.wait(100)
        assert [one.nai for one in bench.engine.visitors] in ([], ["other@example.net"])

    @covers("P21")
    def test_of_who_comes_back_is_not_said_again(self) -> None:
        bench = Bench()
        bench.register()
        bench.take(bench.engine.detach(STATION.nai, bench.now))
        [asked] = by_mac(bench.hear(STATION.data(ADDRESS)))
        effects = bench.decide(asked, accept(STATION))
        [request] = requests(effects)
        assert request.lifetime and "visitor-removed" not in names(effects)
        bench.arrive(reply(request))
        assert requests(bench.wait(5)) == [] and bench.visitor.state.value == "registered"

    @covers("X6")
    def test_of_who_says_nothing_is_not_called_a_refusal(self) -> None:
        bench = EapBench(dot1x(reauth_period=600))
        bench.registered()
        effects = bench.wait(620)
        assert note("visitor-left", effects).cause.startswith("its supplicant says nothing")
        assert "reauthorization-refused" not in names(effects)


@covers("X8")
class TestLostRequests:
    """Where a node's MAC is believed in the end, one frame that was lost does not decide it."""

    def test_of_a_node_that_comes(self) -> None:
        bench = EapBench(dot1x(OR_MAC))
        bench.hear(STATION.data(ADDRESS))
        assert len(said(bench.wait(2.5), STATION.mac)) == 2
        bench.decide(bench.examine(), accept(STATION))
        assert bench.visitor.method == "eap-ttls"
        other = EapBench(dot1x(OR_MAC))
        other.hear(STATION.data(ADDRESS))
        assert len(by_mac(other.wait(3.1))) == 1

    def test_of_a_node_that_is_served(self) -> None:
        """It has all the time that others have."""
        bench = EapBench(dot1x(OR_MAC, reauth_period=200))
        bench.registered()
        bench.wait(200 + 8)
        bench.decide(bench.examine(), accept(STATION))
        assert bench.visitor.state.value == "registered"


@covers("X5")
def test_eap_that_no_server_can_be_asked_about_is_not_the_servers_fault() -> None:
    """On a link with jumbo frames. Who is due and says nothing else does not stay for it."""
    bench = EapBench(dot1x(reauth_period=200))
    bench.registered()
    bench.wait(201)
    bench.decide(bench.ask(bench.respond())[0], challenge(bench.identifier + 1))
    effects = bench.respond(TTLS, bytes(4000))
    assert note("frame-dropped", effects).reason == "eap-too-long" and only(Authenticate, effects) == []
    assert "visitor-left" in names(bench.wait(20))


@covers("AA24")
class TestBesidePortsThatBelieveMacs:
    def test_a_forged_frame_there_takes_nobody_away_who_has_proven_itself(self) -> None:
        bench = EapBench(MIXED, duplicate_mac="move")
        visitor = bench.registered()
        bench.at += 10
        effects = bench.hear(STATION.data(ADDRESS), OTHER_PORT)
        assert note("frame-dropped", effects).reason == "duplicate-mac"
        assert bench.visitor is visitor and visitor.state.value == "registered"

    def test_a_forged_frame_here_keeps_nobody_away_there(self) -> None:
        """Nobody has said here that it is the node."""
        bench = EapBench(MIXED)
        bench.hear(STATION.data(ADDRESS))
        [asked] = by_mac(bench.hear(STATION.data(ADDRESS), OTHER_PORT))
        bench.hear(STATION.data(ADDRESS))
        [request] = requests(bench.decide(asked, accept(STATION)))
        bench.arrive(reply(request))
        bench.wait(30)
        assert (bench.visitor.key.port, bench.visitor.nai) == (OTHER_PORT, STATION.nai)

    def test_who_is_being_asked_about_is_asked_about_once(self) -> None:
        bench = EapBench(MIXED)
        bench.hear(STATION.data(ADDRESS))
        bench.ask(bench.respond())
        assert by_mac(bench.hear(STATION.data(ADDRESS), OTHER_PORT)) == []


class TestGate:
    @covers("P83")
    def test_macs_after_silence_are_asked_about_within_bounds_too(self) -> None:
        bench = EapBench(dot1x(OR_MAC, max_new=1000), max_authentications=4)
        for number in range(10):
            bench.hear(Station(100 + number).data(ADDRESS))
        effects = bench.wait(3.1)
        assert len(by_mac(effects)) == 4
        turned_away = [one for one in notes(effects) if one.reason == "authentication-limit"]
        assert len(turned_away) == 6 and len(bench.engine.visitors) == 4

    @covers("P83", "X9")
    def test_what_strangers_have_asked_is_not_owed_by_others_when_they_have_stopped(self) -> None:
        """Long conversations on one port, and then a host on another."""
        bench = EapBench(dot1x(max_new=1000))
        asked = {}
        for number in range(30):
            stranger = Station(100 + number)
            bench.start(stranger)
            [asked[stranger]] = only(Authenticate, bench.respond(station=stranger))
        for _ in range(80):
            for stranger, question in asked.items():
                bench.decide(question, challenge(bench.identifier + 1))
                [asked[stranger]] = only(Authenticate, bench.respond(TTLS, b"x", stranger))
        bench.at += 0.5
        bench.start(OTHER, OTHER_PORT)
        assert only(Authenticate, bench.respond(station=OTHER, port=OTHER_PORT))

    def test_the_gate_forgets_what_was_too_much(self) -> None:
        gate = Gate(10_000)
        for _ in range(5_000):
            gate.began(1000.0)
            gate.ended()
        assert gate.is_full(1000.0)
        assert not gate.is_full(1000.2)


def test_a_name_in_use_by_two_is_not_taken_back_by_a_logoff() -> None:
    """Who is held is not heard, whatever it says."""
    bench = EapBench()
    bench.registered()
    bench.at += 0.5
    bench.start(OTHER)
    bench.decide(bench.examine(OTHER), accept(OTHER, nai=STATION.nai))
    assert bench.visitor.mac == OTHER.mac
    effects = bench.logoff() + bench.start()
    assert said(effects) == [] and "logoff-of-nobody" in [one.reason for one in notes(effects)]
    assert bench.visitor.key.port == PORT and "eap-started" not in names(effects)
