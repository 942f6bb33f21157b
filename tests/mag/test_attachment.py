"""Who is noticed, who is asked about, and what floods cost (P15, P83, AA24)."""

import os

import pytest

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept, Reject, Unavailable
from pmip_tw.addresses import BROADCAST_MAC, UNSPECIFIED, Endpoint, Mac, ipv4
from pmip_tw.mag.effects import Authenticate, Transmit
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.wire.arp import REQUEST, Arp
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, ethernet_frame
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import GATEWAY, GATEWAY_MAC, LMA, PORT, Station, association
from tests.conformance import covers
from tests.mag.bench import ADDRESS, Bench, accept, names, note, notes, only, reply, requests

STATION = Station(1)
BRIDGE_IGMP = bytes.fromhex("46c00028000040000102423300000000e000001694040000") + bytes(16)


def arp(sender: str, target: str, mac: Mac = STATION.mac) -> bytes:
    request = Arp(
        operation=REQUEST,
        sender_mac=mac,
        sender_address=ipv4(sender),
        target_mac=Mac(bytes(6)),
        target_address=ipv4(target),
    )
    return ethernet_frame(BROADCAST_MAC, STATION.mac, ETHERTYPE_ARP, request.encode())


def ip(source: str, to_mac: Mac = GATEWAY_MAC, from_mac: Mac = STATION.mac) -> bytes:
    packet = udp_packet(Endpoint(ipv4(source), 9), Endpoint(ipv4("203.0.113.9"), 9), b"x")
    return ethernet_frame(to_mac, from_mac, ETHERTYPE_IPV4, packet)


EVIDENCE = {
    "DISCOVER": (STATION.dhcp(MessageType.DISCOVER), UNSPECIFIED),
    "DISCOVER with a wish": (STATION.dhcp(MessageType.DISCOVER, requested=ADDRESS), ADDRESS),
    "INIT-REBOOT": (STATION.dhcp(MessageType.REQUEST, requested=ADDRESS), ADDRESS),
    "renewal": (STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS), ADDRESS),
    "unicast renewal": (STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS, server=GATEWAY), ADDRESS),
    "IPv4 to the gateway": (STATION.data(ADDRESS), ADDRESS),
    "ARP request": (STATION.arp(ADDRESS, GATEWAY), ADDRESS),
}
NO_EVIDENCE = {
    "a bridge's IGMP": ethernet_frame(
        Mac(bytes.fromhex("01005e000016")), STATION.mac, ETHERTYPE_IPV4, BRIDGE_IGMP
    ),
    "IGMP even to the gateway": ethernet_frame(GATEWAY_MAC, STATION.mac, ETHERTYPE_IPV4, BRIDGE_IGMP),
    "IPv6": ethernet_frame(GATEWAY_MAC, STATION.mac, ETHERTYPE_IPV6, b"\x60" + bytes(60)),
    "ARP probe": arp("0.0.0.0", "10.1.0.9"),
    "ARP with another sender": arp("10.1.0.9", "10.1.0.1", Mac(b"\2\0\0\0\0\x77")),
    "broadcast IP": ip("10.1.0.9", BROADCAST_MAC),
    "unicast to another station": ip("10.1.0.9", Mac(b"\2\0\0\0\0\x66")),
    "group source": ip("10.1.0.9", from_mac=Mac(b"\3\0\0\0\0\1")),
    "the gateway's own MAC": ip("10.1.0.9", from_mac=GATEWAY_MAC),
    "source of all ones": ip("255.255.255.255"),
    "RELEASE": STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY),
    "DECLINE": STATION.dhcp(MessageType.DECLINE, requested=ADDRESS),
    "EAPOL": ethernet_frame(GATEWAY_MAC, STATION.mac, 0x888E, bytes(46)),
}


@covers("P5")
@pytest.mark.parametrize("name", EVIDENCE)
def test_evidence_attaches_and_its_address_is_asked_for(name: str) -> None:
    frame, address = EVIDENCE[name]
    bench = Bench()
    effects = bench.decide(bench.attach(frame), accept(STATION))
    [request] = requests(effects)
    assert request.home_address == address
    assert bench.visitor.hint == address


@covers("P15")
@pytest.mark.parametrize("name", NO_EVIDENCE)
def test_what_is_no_evidence_changes_nothing(name: str) -> None:
    bench = Bench()
    assert bench.hear(NO_EVIDENCE[name]) == []
    assert len(bench.engine.visitors) == 0


@covers("P5")
def test_a_gratuitous_arp_shows_a_node_with_its_address() -> None:
    """An announcement after a move is the first that many stacks send; it is an ARP request and no probe."""
    bench = Bench()
    bench.attach(arp("10.1.0.9", "10.1.0.9"))
    assert bench.visitor.hint == ADDRESS


@covers("P83")
def test_one_authentication_per_mac() -> None:
    bench = Bench()
    bench.attach()
    for frame, _ in EVIDENCE.values():
        assert only(Authenticate, bench.hear(frame)) == []


@covers("P83")
def test_256_authentications_in_all_and_one_more_for_each_that_ends() -> None:
    bench = Bench()
    asked = []
    for number in range(2, 257):
        asked.append(bench.attach(station=Station(number)))
        bench.at += 0.01
    asked.append(bench.attach(ip("10.1.0.9", from_mac=Mac(b"\2\1\1\1\1\1"))))
    assert len(asked) == 256
    bench.at += 1
    assert notes(bench.hear(STATION.data(ADDRESS)))[0].reason == "authentication-limit"
    bench.decide(asked[7], Reject("no such user"))
    bench.attach()


@covers("P83")
def test_authentications_are_paced_so_that_served_nodes_need_not_wait_for_them() -> None:
    """32 at once, then one every two milliseconds; a pause fills the bucket again, and no further."""
    bench = Bench()

    def begin_now(first: int) -> int:
        begun = 0
        while notes(bench.hear(Station(first + begun).data(ADDRESS)))[0].name == "attached":
            begun += 1
        return begun

    assert 32 <= begin_now(2) <= 33
    bench.at += 0.0021
    assert begin_now(40) == 1
    bench.at += 3600
    assert 32 <= begin_now(50) <= 33


@covers("P83")
def test_a_rejected_mac_is_held_off_and_then_asked_about_again() -> None:
    bench = Bench(reject_hold=30.0)
    effects = bench.decide(bench.attach(), Reject("no such user"))
    rejected = note("access-rejected", effects)
    assert (rejected.cause, rejected.session) == ("no such user", "02:00:00:00:00:01 on acc0")
    assert len(bench.engine.visitors) == 0
    bench.at += 29.9
    assert bench.hear(STATION.dhcp(MessageType.DISCOVER)) == []
    bench.at += 0.2
    bench.attach()


def test_aaa_that_is_down_is_the_cause_and_recovery_takes_no_operator() -> None:
    bench = Bench()
    effects = bench.decide(bench.attach(), Unavailable("192.0.2.5:1812 does not answer"))
    assert note("aaa-unavailable", effects).cause == "192.0.2.5:1812 does not answer"
    bench.at += 1.1
    assert bench.begin().nai == b"mn1@example.net"


def test_a_verdict_for_who_is_gone_or_was_asked_for_anew_changes_nothing() -> None:
    bench = Bench()
    first = bench.attach()
    bench.decide(first, Reject("no"))
    assert bench.decide(first, accept(STATION)) == []
    assert len(bench.engine.visitors) == 0
    bench.at += 31
    second = bench.attach()
    assert second.attempt != first.attempt
    assert bench.decide(first, accept(STATION)) == []
    assert bench.visitor.state.value == "authenticating"


def test_a_second_verdict_does_not_begin_twice() -> None:
    bench = Bench()
    asked = bench.attach()
    assert requests(bench.decide(asked, accept(STATION)))
    assert bench.decide(asked, accept(STATION)) == []


@covers("P83")
def test_a_flood_of_random_macs_is_bounded_and_does_not_disturb_a_visitor() -> None:
    bench = Bench()
    visitor = bench.register()
    before = (visitor.state, visitor.grant, visitor.exchange)
    template = bytearray(Station(2).data(ipv4("10.1.0.77")))
    asked = []
    for _ in range(10_000):
        template[6:12] = b"\2" + os.urandom(5)
        asked += only(Authenticate, bench.hear(bytes(template)))
        bench.at += 0.0001
    assert len(asked) == 256
    assert len(bench.engine.visitors) == 257
    for question in asked:
        bench.decide(question, Reject("unknown"))
    assert [left.nai for left in bench.engine.visitors] == [STATION.nai]
    assert (visitor.state, visitor.grant, visitor.exchange) == before


@covers("AA24")
class TestDuplicateMac:
    """The same MAC on a second access interface (AA24)."""

    def test_refuse_leaves_the_first(self) -> None:
        bench = Bench()
        visitor = bench.register()
        refused = note("frame-dropped", bench.hear(STATION.data(ADDRESS), "acc1"))
        assert (refused.reason, refused.session) == ("duplicate-mac", "02:00:00:00:00:01 on acc1")
        assert "acc0" in refused.cause
        assert bench.visitor is visitor

    def test_refuse_gives_way_when_the_first_place_has_fallen_silent(self) -> None:
        """A node that really moved to another port of this MAG is not locked out until its renewal."""
        bench = Bench()
        bench.register()
        bench.wait(5)
        bench.hear(STATION.data(ADDRESS), "acc1")
        effects = bench.wait(4)
        assert len([sent for sent in only(Transmit, effects) if sent.port == "acc0"]) == 3
        assert bench.visitor.state.value == "leaving"
        [asked] = only(Authenticate, bench.hear(STATION.data(ADDRESS), "acc1"))
        assert asked.key.port == "acc1"

    def test_refuse_stays_while_the_first_answers_probes(self) -> None:
        bench = Bench()
        visitor = bench.register()
        bench.wait(5)
        for _ in range(10):
            bench.hear(STATION.data(ADDRESS), "acc1")
            bench.wait(0.5)
            bench.hear(STATION.arp(ADDRESS, GATEWAY))
            bench.wait(1)
        assert bench.visitor is visitor
        assert (visitor.state.value, visitor.key.port) == ("registered", "acc0")

    def test_a_contest_renews_nothing(self) -> None:
        bench = Bench()
        bench.register()
        bench.wait(5)
        bench.hear(STATION.data(ADDRESS), "acc1")
        bench.hear(STATION.arp(ADDRESS, GATEWAY))
        assert requests(bench.wait(3)) == []

    def test_move_takes_the_first_away_and_authenticates(self) -> None:
        bench = Bench(duplicate_mac="move")
        bench.register()
        effects = bench.hear(STATION.data(ADDRESS), "acc1")
        assert [remove.key.port for remove in only(Remove, effects)] == ["acc0"]  # type: ignore[union-attr]
        [asked] = only(Authenticate, effects)
        effects = bench.decide(asked, accept(STATION))
        [request] = requests(effects)
        bench.arrive(reply(request))
        assert bench.visitor.key.port == "acc1"

    def test_move_waits_for_aaa_and_keeps_one_question_per_mac(self) -> None:
        """A MAC that alternates between ports must not fill the room for authentications."""
        bench = Bench(duplicate_mac="move")
        bench.attach()
        for port in ("acc1", "acc0") * 50:
            assert only(Authenticate, bench.hear(STATION.data(ADDRESS), port)) == []

    def test_a_full_gate_does_not_cost_the_served_place(self) -> None:
        bench = Bench(duplicate_mac="move", max_authentications=1)
        visitor = bench.register()
        bench.attach(station=Station(2))
        bench.hear(STATION.data(ADDRESS), "acc1")
        assert bench.engine.visitors.with_nai(STATION.nai) is visitor

    def test_who_is_leaving_may_come_back_elsewhere(self) -> None:
        bench = Bench()
        bench.register()
        bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY))
        [asked] = only(Authenticate, bench.hear(STATION.dhcp(MessageType.DISCOVER), "acc1"))
        assert asked.key.port == "acc1"


def test_two_macs_with_one_nai_the_newer_one_is_served() -> None:
    bench = Bench()
    bench.register()
    other = Station(2)
    effects = bench.decide(bench.attach(other.data(ADDRESS)), accept(STATION))
    assert "visitor-removed" in names(effects)
    removed, installed = only(Remove, effects)[0], only(Install, effects)[0]
    assert removed.key.mac == STATION.mac  # type: ignore[union-attr]
    assert installed.entry.key.mac == other.mac  # type: ignore[union-attr]
    assert effects.index(removed) < effects.index(installed)
    assert bench.visitor.mac == other.mac
    # The older one is held off: no see-saw.
    assert only(Authenticate, bench.hear(STATION.data(ADDRESS))) == []


def test_short_frames_are_counted_not_raised() -> None:
    bench = Bench()
    for length in range(14):
        [noted] = notes(bench.hear(STATION.data(ADDRESS)[:length]))
        assert (noted.name, noted.details["port"]) == ("frame-dropped", PORT)


@covers("AA25")
def test_the_session_timeout_of_aaa_ends_the_session() -> None:
    bench = Bench()
    asked = bench.attach()
    profile = Profile(nai=STATION.nai, lmas=(LMA,), mn_ha=association(1), session_timeout=120)
    [request] = requests(bench.decide(asked, Accept(profile)))
    bench.arrive(reply(request))
    bench.wait(119)
    assert bench.visitor.state.value == "registered"
    left = note("visitor-left", bench.wait(2))
    assert "session timeout" in left.cause
    assert bench.visitor.state.value == "leaving"
