"""Access points authenticate their stations by themselves, and ask AAA through the MAG (AA27).

station        access point        MAG                LMA
   |<---EAP-------->|<----RADIUS--->|                  |
   |                |  Access-Accept|--registration--->|
   |                |<--------------|<------accepted---|
   |--first frame------------------>|==tunnel=========>|
"""

import pytest

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.dynamic_authorization import Done, Refused, Selection
from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import Ipv4, ipv4, mac_text
from pmip_tw.mag.authentication.access_policy import AccessPolicy, PortAuthentication
from pmip_tw.mag.effects import Authenticate, Expel, MagEffect, SessionChanged
from pmip_tw.mag.session.accounted import session_of
from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import GATEWAY_MAC, LMA, PORT, Station, association
from tests.conformance import covers
from tests.mag.bench import ADDRESS, Bench, names, note, notes, only, reply, requests, told

pytestmark = covers("AA27")

STATION, STRANGER = Station(1), Station(2)
KEY = AccessKey(PORT, STATION.mac)
OTHER_PORT = "acc1"
BY_EAP, BY_MAC = Examined(), Examined(by_eap=False)
WHY = "its access point says so"


def behind_access_points(*ports: str, access_points: tuple[Ipv4, ...] = ()) -> AccessPolicy:
    """``access_points``: of all of them."""
    return AccessPolicy(
        ports=dict.fromkeys(ports, PortAuthentication.RADIUS_PROXY),
        access_points={(address, port) for address in access_points for port in ports},
    )


class BehindAccessPoints(Bench):
    """Everything is behind access points."""

    def __init__(self, **policy: object) -> None:
        super().__init__(access=behind_access_points(PORT, OTHER_PORT), **policy)

    def let_in(self, key: AccessKey = KEY, examined: Examined = BY_EAP, **profile: object) -> list[MagEffect]:
        values: dict[str, object] = {"nai": "mn1@example.net", "lmas": (LMA,), "mn_ha": association(1)}
        found = Profile(**(values | profile))  # type: ignore[arg-type]
        return self.take(self.engine.attached_elsewhere(key, found, examined, self.now))

    def gone(self, key: AccessKey = KEY) -> list[MagEffect]:
        return self.take(self.engine.detached_elsewhere(key, WHY, TerminateCause.USER_REQUEST, self.now))

    def serve(self, examined: Examined = BY_EAP, **profile: object) -> None:
        [request] = requests(self.let_in(examined=examined, **profile))
        self.arrive(reply(request))
        assert self.visitor.state.value == "registered"


def test_an_accept_registers_before_the_first_frame() -> None:
    bench = BehindAccessPoints()
    effects = bench.let_in()
    [request] = requests(effects)
    assert request.home_address == 0 and only(Authenticate, effects) == []
    assert names(effects)[:2] == ["attached", "access-accepted"]
    assert note("attached", effects).details["evidence"] == "access-point"
    [entry] = only(Install, bench.arrive(reply(request)))
    assert (entry.entry.home_address, entry.entry.upstream) == (ADDRESS, True)
    [offer] = told(bench.hear(STATION.dhcp(MessageType.DISCOVER)))
    assert offer.yiaddr == ADDRESS


@pytest.mark.parametrize("method", ["server", "independent"])
def test_frames_of_nobody_s_station_are_no_attachment(method: str) -> None:
    """Whoever can put frames on the wire is asked about by nobody, however many they are."""
    bench = BehindAccessPoints(dhcp=method)
    bench.let_in()
    for frame in (STRANGER.dhcp(MessageType.DISCOVER), STRANGER.data(ADDRESS)):
        effects = bench.hear(frame)
        assert [found.reason for found in notes(effects)] == ["not-authenticated"] and len(effects) == 1
    assert [v.mac for v in bench.engine.visitors if v.mac == STRANGER.mac] == []


def test_a_station_is_let_in_at_one_interface_only() -> None:
    bench = BehindAccessPoints()
    bench.serve()
    [found] = notes(bench.hear(STATION.data(ADDRESS), OTHER_PORT))
    assert found.reason == "not-authenticated" and bench.visitor.key == KEY


def test_who_brings_an_address_is_registered_by_the_first_frame() -> None:
    bench = BehindAccessPoints(dhcp="independent")
    assert requests(bench.let_in()) == [] and len(bench.engine.visitors) == 0
    effects = bench.hear(STATION.data(ADDRESS))
    [request] = requests(effects)
    assert request.home_address == ADDRESS and only(Authenticate, effects) == []


def test_other_interfaces_ask_aaa_as_ever() -> None:
    bench = Bench(access=behind_access_points(OTHER_PORT))
    assert len(only(Authenticate, bench.hear(STATION.data(ADDRESS)))) == 1


def test_an_accept_of_who_is_served_asks_nobody() -> None:
    bench = BehindAccessPoints()
    bench.serve(session_timeout=60)
    bench.wait(50)
    effects = bench.let_in(session_timeout=60)
    assert only(Send, effects) == [] and only(Remove, effects) == []
    assert names(effects) == ["reauthorized"]
    bench.wait(50)
    assert bench.visitor.state.value == "registered"
    assert "visitor-left" in names(bench.wait(11))


def test_roaming_between_two_interfaces_keeps_the_address() -> None:
    bench = BehindAccessPoints()
    bench.serve()
    bench.hear(STATION.data(ADDRESS))
    effects = bench.let_in(AccessKey(OTHER_PORT, STATION.mac))
    [request] = requests(effects)
    assert request.home_address == ADDRESS
    assert bench.visitor.key.port == OTHER_PORT
    assert [removed.key for removed in only(Remove, effects)] == [KEY]
    assert [install.entry.port for install in only(Install, effects)] == [OTHER_PORT]


def test_another_name_begins_anew() -> None:
    """The station has a new user: the address of the former one is not for him."""
    bench = BehindAccessPoints()
    bench.serve()
    for port in (PORT, OTHER_PORT):
        nai = f"mn7@{port}.example.net"
        effects = bench.let_in(AccessKey(port, STATION.mac), nai=nai)
        [farewell, request] = requests(effects)
        assert names(effects).count("visitor-left") == 1 and "visitor-removed" not in names(effects)
        assert farewell.lifetime == 0 and farewell.nai != request.nai
        assert (request.nai, request.home_address) == (nai.encode(), 0)
        assert bench.engine.visitors.with_nai(nai) is bench.engine.visitors.get(AccessKey(port, STATION.mac))


def test_who_has_left_under_another_name_leaves_nothing_behind() -> None:
    """However many names a station has had: AAA may make them up."""
    bench = BehindAccessPoints()
    bench.serve()
    for number in range(3):
        farewell = requests(bench.let_in(nai=f"mn{number}@another.example.net"))[0]
        bench.arrive(reply(farewell))
    assert len(bench.engine.visitors) == 1
    assert [*bench.engine.visitors._on_port] == [PORT]


def test_a_new_key_is_registered_without_a_gap() -> None:
    bench = BehindAccessPoints()
    bench.serve()
    bench.hear(STATION.data(ADDRESS))
    effects = bench.let_in(mn_ha=association(9))
    assert only(Remove, effects) == []
    bench.present(bench.at)
    [request] = requests(bench.effects)[-1:]
    assert (request.home_address, request.mn_ha and request.mn_ha.spi) == (ADDRESS, association(9).spi)
    assert bench.visitor.state.value == "registered"


def test_the_access_point_ends_the_visit() -> None:
    bench = BehindAccessPoints()
    bench.serve()
    [farewell] = requests(bench.gone())
    assert farewell.lifetime == 0
    [found] = notes(bench.hear(STATION.data(ADDRESS)))
    assert found.reason == "not-authenticated"


def test_who_is_not_here_cannot_leave() -> None:
    bench = BehindAccessPoints()
    bench.serve()
    assert bench.gone(AccessKey(OTHER_PORT, STATION.mac)) == []
    assert bench.gone(AccessKey(PORT, STRANGER.mac)) == []
    assert bench.visitor.state.value == "registered"
    bench.wait(2000)  # asleep, and awake again
    assert len(requests(bench.hear(STATION.data(ADDRESS)))) == 1


def test_a_station_that_slept_is_served_by_its_next_frame() -> None:
    """It has not left its access point, which has no reason to authenticate it again."""
    bench = BehindAccessPoints()
    bench.serve()
    bench.hear(STATION.data(ADDRESS))
    bench.wait(2000)
    assert len(bench.engine.visitors) == 0
    effects = bench.hear(STATION.data(ADDRESS))
    assert len(requests(effects)) == 1 and only(Authenticate, effects) == []


def test_the_end_of_the_session_is_the_end_of_the_admission() -> None:
    bench = BehindAccessPoints()
    bench.serve(session_timeout=100)
    bench.wait(101)
    [found] = notes(bench.hear(STATION.data(ADDRESS)))
    assert found.reason == "not-authenticated"


def test_there_is_time_to_authenticate_again() -> None:
    """Termination-Action RADIUS-Request: access point and MAG count the same seconds (RFC 2865 5.29)."""
    bench = BehindAccessPoints()
    bench.serve(session_timeout=100, reauthenticate=True)
    bench.wait(110)
    assert bench.visitor.state.value == "registered"
    bench.let_in(session_timeout=100, reauthenticate=True)
    bench.wait(110)
    assert bench.visitor.state.value == "registered"


def test_the_operator_has_it_thrown_off() -> None:
    bench = BehindAccessPoints()
    bench.serve()
    effects = bench.take(bench.engine.detach("mn1@example.net", bench.now))
    assert [request.lifetime for request in requests(effects)] == [0]
    assert only(Expel, effects) == [Expel(KEY)]
    [found] = notes(bench.hear(STATION.data(ADDRESS)))
    assert found.reason == "not-authenticated"


def test_nobody_is_thrown_off_where_there_are_no_access_points() -> None:
    bench = Bench()
    bench.register()
    assert only(Expel, bench.take(bench.engine.detach("mn1@example.net", bench.now))) == []


def test_a_restart_knows_who_was_let_in_and_is_served() -> None:
    bench = BehindAccessPoints()
    bench.serve()
    bench.hear(STATION.data(ADDRESS))
    bench.restart()
    bench.wait(2000)
    assert len(bench.engine.visitors) == 0
    assert len(requests(bench.hear(STATION.data(ADDRESS)))) == 1
    assert requests(bench.hear(STRANGER.data(ADDRESS))) == []


class TestAnAccessPointThatIsNoneAnyMore:
    """It may be stolen: whom it has let in is let in no more once the MAG knows."""

    STOLEN, OTHER = ipv4("198.51.100.7"), ipv4("198.51.100.8")
    BOTH = behind_access_points(PORT, OTHER_PORT, access_points=(STOLEN, OTHER))
    LEFT = behind_access_points(PORT, OTHER_PORT, access_points=(OTHER,))

    def served(self, access_point: Ipv4) -> BehindAccessPoints:
        bench = BehindAccessPoints()
        bench.serve(examined=Examined(access_point=access_point))
        return bench

    def test_its_stations_are_not_served_on(self) -> None:
        bench = self.served(self.STOLEN)
        bench.restart(access=self.LEFT)
        refused = note("visitor-not-restored", bench.effects)
        assert refused.cause == f"198.51.100.7, which let it in, is no access point of {PORT} any more"
        assert requests(bench.hear(STATION.data(ADDRESS))) == []

    def test_nor_are_those_that_sleep(self) -> None:
        bench = self.served(self.STOLEN)
        bench.wait(2000)
        bench.restart(access=self.LEFT)
        assert requests(bench.hear(STATION.data(ADDRESS))) == []

    def test_those_of_others_are(self) -> None:
        bench = self.served(self.OTHER)
        bench.restart(access=self.LEFT)
        assert bench.visitor.state.value == "registered"
        bench.wait(2000)
        bench.restart(access=self.LEFT)
        assert len(requests(bench.hear(STATION.data(ADDRESS)))) == 1

    def test_of_whom_an_older_version_did_not_say_it_is_believed(self) -> None:
        bench = self.served(Ipv4(0))
        bench.restart(access=self.LEFT)
        assert bench.visitor.state.value == "registered"


def test_who_came_before_there_were_access_points_is_let_in_by_none() -> None:
    """The operator demands examinations at that interface from now on: they are not done by having been here."""
    bench = Bench()
    bench.register()
    bench.restart(access=behind_access_points(PORT))
    assert len(bench.engine.visitors) == 0
    assert requests(bench.hear(STATION.data(ADDRESS))) == []


@covers("AA24")
class TestByItsMacAlone:
    """An access point has had a MAC authenticated that is served at another port: anybody may use it."""

    ELSEWHERE = AccessKey(OTHER_PORT, STATION.mac)
    GUEST = {"nai": "02-00-00-00-00-01@guests.example.net"}

    @pytest.mark.parametrize("policy", ["refuse", "move"])
    def test_who_has_proven_itself_stays_where_it_is(self, policy: str) -> None:
        bench = BehindAccessPoints(duplicate_mac=policy)
        bench.serve()
        bench.hear(STATION.data(ADDRESS))
        effects = bench.let_in(self.ELSEWHERE, BY_MAC, **self.GUEST)
        assert names(effects) == ["frame-dropped"] and requests(effects) == [] and only(Remove, effects) == []
        assert note("frame-dropped", effects).reason == "duplicate-mac"
        assert (bench.visitor.key, bench.visitor.nai) == (KEY, "mn1@example.net")
        bench.hear(STATION.data(ADDRESS), OTHER_PORT)
        assert bench.visitor.key == KEY
        bench.restart()
        bench.let_in(self.ELSEWHERE, BY_MAC, **self.GUEST)
        assert bench.visitor.key == KEY

    def test_who_does_not_answer_there_has_moved(self) -> None:
        """Its user has gone to where its MAC is enough: the next frame from there begins a visit, by that name."""
        bench = BehindAccessPoints()
        bench.serve()
        bench.hear(STATION.data(ADDRESS))
        bench.wait(60)
        bench.let_in(self.ELSEWHERE, BY_MAC, **self.GUEST)
        bench.wait(10)
        assert bench.visitor.state.value == "leaving"
        effects = bench.hear(STATION.data(ADDRESS), OTHER_PORT)
        assert only(Authenticate, effects) == [] and len(requests(effects)) == 1
        assert (bench.visitor.key, bench.visitor.nai) == (self.ELSEWHERE, self.GUEST["nai"])
        [found] = notes(bench.hear(STATION.data(ADDRESS)))
        assert found.reason == "not-authenticated"  # it is let in at one interface only

    def test_at_the_same_port_it_stays_who_it_is(self) -> None:
        bench = BehindAccessPoints()
        bench.serve(session_timeout=100)
        effects = bench.let_in(KEY, BY_MAC, **self.GUEST)
        assert names(effects) == ["accept-not-believed"] and requests(effects) == []
        assert note("accept-not-believed", effects).reason == "proven-by-eap"
        assert bench.visitor.nai == "mn1@example.net"
        bench.wait(101)
        [found] = notes(bench.hear(STATION.data(ADDRESS)))
        assert found.reason == "not-authenticated"

    def test_by_the_same_name_it_goes_on_and_is_no_less_proven(self) -> None:
        bench = BehindAccessPoints()
        bench.serve()
        assert names(bench.let_in(KEY, BY_MAC)) == ["reauthorized"]
        bench.let_in(self.ELSEWHERE, BY_MAC)
        assert bench.visitor.key == KEY

    def test_nor_is_it_in_its_next_visit(self) -> None:
        bench = BehindAccessPoints()
        bench.serve()
        bench.let_in(KEY, BY_MAC)
        bench.wait(2000)
        assert len(bench.engine.visitors) == 0
        bench.hear(STATION.data(ADDRESS))
        bench.let_in(self.ELSEWHERE, BY_MAC, **self.GUEST)
        assert (bench.visitor.key, bench.visitor.nai) == (KEY, "mn1@example.net")

    def test_its_proof_takes_it_away(self) -> None:
        bench = BehindAccessPoints()
        bench.serve()
        bench.let_in(self.ELSEWHERE, BY_MAC, **self.GUEST)
        assert len(requests(bench.let_in(self.ELSEWHERE, BY_EAP))) == 1
        assert bench.visitor.key == self.ELSEWHERE

    def test_it_roams_by_what_it_was_let_in_by(self) -> None:
        """Nothing more than its MAC was ever asked for: what the next access point says is as good."""
        bench = BehindAccessPoints()
        bench.serve(BY_MAC)
        bench.hear(STATION.data(ADDRESS))
        [request] = requests(bench.let_in(self.ELSEWHERE, BY_MAC))
        assert request.home_address == ADDRESS and bench.visitor.key == self.ELSEWHERE

    @pytest.mark.parametrize(("policy", "port"), [("refuse", PORT), ("move", OTHER_PORT)])
    def test_a_node_at_a_port_of_ours_moves_as_the_operator_says(self, policy: str, port: str) -> None:
        bench = Bench(access=behind_access_points(OTHER_PORT), duplicate_mac=policy)
        bench.register()
        bench.take(
            bench.engine.attached_elsewhere(
                self.ELSEWHERE,
                Profile(nai="mn1@example.net", lmas=(LMA,), mn_ha=association(1)),
                BY_MAC,
                bench.now,
            )
        )
        assert bench.visitor.key.port == port

    def test_a_frame_does_not_take_away_who_has_proven_itself_to_an_access_point(self) -> None:
        bench = Bench(access=behind_access_points(OTHER_PORT), duplicate_mac="move")
        profile = Profile(nai="mn1@example.net", lmas=(LMA,), mn_ha=association(1))
        [request] = requests(
            bench.take(bench.engine.attached_elsewhere(self.ELSEWHERE, profile, BY_EAP, bench.now))
        )
        bench.arrive(reply(request))
        assert only(Authenticate, bench.hear(STATION.data(ADDRESS))) == []
        assert bench.visitor.key == self.ELSEWHERE


@covers("AA15", "AA17", "AA21")
def test_aaa_knows_a_station_by_its_access_point_s_name_as_it_was_asked() -> None:
    """Which accounting says as well; not the MAG's, which the access point never said."""
    bench = BehindAccessPoints()
    bench.serve(Examined(called_station=b"02-AA-00-00-00-01:campus"))
    assert session_of(bench.visitor).called_station == b"02-AA-00-00-00-01:campus"
    bench.restart()
    mags = Selection(user_name="mn1@example.net", called_station=mac_text(GATEWAY_MAC, "-").upper())
    access_points = Selection(user_name="mn1@example.net", called_station="02-aa-00-00-00-01:campus")
    outcome, _ = bench.engine.sessions.disconnect(mags, bench.now)
    assert isinstance(outcome, Refused) and bench.visitor.state.value == "registered"
    assert bench.engine.sessions.disconnect(access_points, bench.now)[0] == Done(1)


@covers("AA21")
def test_at_the_next_access_point_of_the_interface_it_is_there() -> None:
    bench = BehindAccessPoints()
    bench.serve(Examined(called_station=b"02-AA-00-00-00-01:campus"))
    effects = bench.let_in(examined=Examined(called_station=b"02-AA-00-00-00-02:campus"))
    assert len(only(SessionChanged, effects)) == 1
    assert session_of(bench.visitor).called_station == b"02-AA-00-00-00-02:campus"


class TestStrangers:
    """Nobody here has let them in, and yet they are heard: an access point believes that they were."""

    def hear(self, bench: Bench, frame: bytes, times: int = 1, every: float = 1.0) -> int:
        """How often it is thrown off."""
        thrown_off = 0
        for _ in range(times):
            thrown_off += len(only(Expel, bench.hear(frame)))
            bench.wait(every)
        return thrown_off

    def test_who_stays_is_thrown_off_once(self) -> None:
        """It was let in before a restart, and would wait for service for ever."""
        bench = BehindAccessPoints()
        assert self.hear(bench, STRANGER.data(ADDRESS), 5) == 0
        [expel] = only(Expel, bench.hear(STRANGER.data(ADDRESS)))
        assert expel == Expel(AccessKey(PORT, STRANGER.mac))
        assert self.hear(bench, STRANGER.data(ADDRESS), 599) == 0
        assert self.hear(bench, STRANGER.data(ADDRESS), 6) == 1

    def test_who_was_heard_long_ago_and_let_in_since_may_leave_in_peace(self) -> None:
        """Its last frame comes after its Stop, and it may be on its way back: whoever threw it off would cut that."""
        bench = BehindAccessPoints()
        assert self.hear(bench, STATION.data(ADDRESS)) == 0
        bench.serve()
        bench.wait(100)
        bench.gone()
        assert self.hear(bench, STATION.data(ADDRESS), 5) == 0
        assert self.hear(bench, STATION.data(ADDRESS)) == 1

    def test_a_flood_is_not_passed_on(self) -> None:
        bench = BehindAccessPoints()
        crowd = [Station(number) for number in range(10, 60)]
        for _ in range(2):
            thrown_off = sum(self.hear(bench, station.data(ADDRESS), every=0.0) for station in crowd)
            bench.wait(6)
        assert thrown_off == 1

    @pytest.mark.parametrize("times", [1, 12])
    def test_made_up_macs_keep_no_station_waiting_for_ever(self, times: int) -> None:
        """500 of them in a second, or the same ones again and again; the station says something once in a second."""
        bench = BehindAccessPoints()
        bench.random = b"\x5a"
        made_up, seconds = iter(range(1000, 10**6)), 0
        crowd: list[bytes] = []
        thrown_off: list[AccessKey] = []
        while AccessKey(PORT, STRANGER.mac) not in thrown_off:
            seconds += 1
            assert seconds < 120
            if seconds % times == 1 % times:
                crowd = [Station(next(made_up)).data(ADDRESS) for _ in range(500)]
            for frame in [*crowd[:250], STRANGER.data(ADDRESS), *crowd[250:]]:
                thrown_off += [effect.key for effect in only(Expel, bench.hear(frame))]
            bench.wait(1)

    def test_nobody_is_where_no_access_point_lets_in(self) -> None:
        bench = Bench()
        assert self.hear(bench, STRANGER.data(ADDRESS), 20) == 0
