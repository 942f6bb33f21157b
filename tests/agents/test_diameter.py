"""A MAG that asks by Diameter, with a server in memory: who comes, moves, is thrown out or asked about anew."""

import pytest

from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.addresses import Ipv4
from pmip_tw.net.diameter_authenticator import DiameterAuthenticator
from pmip_tw.net.diameter_requests import DiameterRequests
from pmip_tw.testing.diameter_client import MAG, FakeDiameterClient, answer, refuse
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.codes import Code, Command, Result, TerminationCause
from pmip_tw.wire.diameter.message import Message
from tests.aaa.diameter.server import accept
from tests.aaa.diameter.wires import asr
from tests.agents.world import LMA, MagNode, Station, World, association
from tests.conformance import covers


class Operator:
    """One MAG whose servers know every station of its world."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.knows = True
        self.more: tuple[avps.Avp, ...] = ()
        self.lmas: tuple[Ipv4, ...] = (LMA,)
        self.nai = ""
        self.client = FakeDiameterClient(self._says)
        asker = Asker(identity=MAG, realm="example.net")
        made = DiameterAuthenticator(self.client, asker, ProfileRules())
        monkeypatch.setattr("tests.agents.world.FakeAuthenticator", lambda verdicts: made)
        self.world = World(mags=1)
        DiameterRequests(self.client, self.mag.agent.sessions)

    @property
    def mag(self) -> MagNode:
        return self.world.mags[0]

    @property
    def station(self) -> Station:
        return self.world.stations[0]

    @property
    def names(self) -> list[str]:
        return [message.name for message in self.client.asked]

    def _says(self, asked: Message) -> Message:
        if asked.name == "STR":
            return answer(asked)
        station = self.station
        if not self.knows:
            return refuse(asked)
        profile = Profile(nai=self.nai or station.nai, lmas=self.lmas, mn_ha=association(station.number))
        return accept(asked, profile, *self.more)

    def ends(self) -> list[str]:
        """The sessions of which the server was told that they are over, once for each time."""
        return [message.session_id for message in self.client.asked if message.name == "STR"]

    def be_asked(self, command: Command) -> list[Message]:
        session = self.client.asked[0].session_id
        found: list[Message] = []
        self.client.be_asked(asr(session=session, command=command)).addCallback(found.append)
        self.world.advance(0.5, step=0.05)
        return found


@covers("AA23")
def test_who_leaves_is_told_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(monkeypatch)
    operator.world.attach(operator.station, operator.mag)
    assert operator.names == ["AAR"]
    operator.mag.agent.detach(operator.station.nai)
    operator.world.advance(0.5, step=0.05)
    assert operator.names == ["AAR", "STR"]
    told = operator.client.asked[1].avps
    assert told.number(Code.TERMINATION_CAUSE) == TerminationCause.ADMINISTRATIVE
    assert operator.client.asked[1].session_id == operator.client.asked[0].session_id


@covers("AA23", "AA17")
def test_asr_ends_the_visit_and_its_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(monkeypatch)
    operator.world.attach(operator.station, operator.mag)
    [answered] = operator.be_asked(Command.ABORT_SESSION)
    assert (answered.name, answered.result) == ("ASA", Result.SUCCESS)
    assert operator.mag.states == {}
    assert operator.names == ["AAR", "STR"]
    [again] = operator.be_asked(Command.ABORT_SESSION)
    assert again.result == Result.UNKNOWN_SESSION_ID


@covers("AA23")
@pytest.mark.parametrize("knows", [True, False])
def test_rar_has_the_server_asked_anew_about_the_same_session(
    monkeypatch: pytest.MonkeyPatch, knows: bool
) -> None:
    operator = Operator(monkeypatch)
    operator.world.attach(operator.station, operator.mag)
    operator.knows = knows
    [answered] = operator.be_asked(Command.RE_AUTH)
    assert (answered.name, answered.result) == ("RAA", Result.SUCCESS)
    first, second = operator.client.asked[:2]
    assert second.name == "AAR" and second.session_id == first.session_id
    assert avps.unsigned32(Code.AUTH_REQUEST_TYPE, 2) in second.avps
    if knows:
        assert operator.mag.states == {operator.station.nai: "registered"}
        assert operator.names == ["AAR", "AAR"]
    else:
        assert operator.mag.states == {}
        assert operator.names == ["AAR", "AAR", "STR"]


@covers("AA23", "AA25")
def test_a_session_with_which_nobody_can_be_served_is_told_to_be_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server has accepted, but this MAG has no such filter: it would keep the session for ever."""
    operator = Operator(monkeypatch)
    operator.more = (avps.octets(11, b"nobody-has-it"),)
    operator.world.hear(operator.mag, operator.station.dhcp(MessageType.DISCOVER))
    assert operator.mag.states == {}
    assert operator.names == ["AAR", "STR"]
    asked, over = operator.client.asked
    assert over.session_id == asked.session_id
    assert over.avps.number(Code.TERMINATION_CAUSE) == TerminationCause.SERVICE_NOT_PROVIDED


@covers("AA23")
class TestAcceptedInVain:
    """The server has accepted, and nobody is served by it: it hears so, once."""

    def test_who_has_gone_before_the_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        operator = Operator(monkeypatch)
        operator.client.held = True
        operator.world.hear(operator.mag, operator.station.dhcp(MessageType.DISCOVER))
        operator.world.hear(operator.mag, operator.station.dhcp(MessageType.DISCOVER), "acc1")
        [visitor] = operator.mag.engine.visitors
        operator.mag.engine.visitors.remove(visitor)
        operator.client.held = False
        operator.client.release()
        assert operator.ends() == [operator.client.asked[0].session_id]

    def test_who_cannot_be_registered_anywhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        operator = Operator(monkeypatch)
        operator.lmas = ()
        operator.world.hear(operator.mag, operator.station.dhcp(MessageType.DISCOVER))
        operator.world.advance(1)
        assert operator.mag.states == {}
        assert operator.ends() == [operator.client.asked[0].session_id]

    def test_who_is_asked_about_again_and_gets_what_there_is_not(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        operator = Operator(monkeypatch)
        operator.world.attach(operator.station, operator.mag)
        operator.more = (avps.octets(11, b"nobody-has-it"),)
        operator.be_asked(Command.RE_AUTH)
        assert operator.mag.states == {}
        assert operator.ends() == [operator.client.asked[0].session_id]

    def test_whose_name_is_another_now(self, monkeypatch: pytest.MonkeyPatch) -> None:
        operator = Operator(monkeypatch)
        operator.world.attach(operator.station, operator.mag)
        operator.nai = "somebody-else@example.net"
        operator.be_asked(Command.RE_AUTH)
        assert operator.mag.states == {}
        assert operator.ends() == [operator.client.asked[0].session_id]

    def test_whose_answer_cannot_be_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        operator = Operator(monkeypatch)
        operator.more = (avps.octets(Code.FRAMED_IP_ADDRESS, bytes(3)),)
        operator.world.hear(operator.mag, operator.station.dhcp(MessageType.DISCOVER))
        operator.world.advance(1)
        assert operator.mag.states == {}
        assert operator.ends() == [operator.client.asked[0].session_id]

    def test_who_is_asked_about_by_its_mac_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """At the end of a session which wants that: another session takes its place, or both are over."""
        operator = Operator(monkeypatch)
        again = (avps.unsigned32(Code.SESSION_TIMEOUT, 60), avps.unsigned32(29, 1))
        operator.more = again
        operator.world.attach(operator.station, operator.mag)
        operator.world.advance(61)
        first, second = [asked.session_id for asked in operator.client.asked if asked.name == "AAR"]
        assert operator.mag.states == {operator.station.nai: "registered"} and operator.ends() == [first]
        operator.more = (*again, avps.octets(11, b"nobody-has-it"))
        operator.world.advance(61)
        third = operator.client.asked[-1].session_id
        assert operator.mag.states == {}
        assert sorted(operator.ends()) == sorted({first, second, third})
