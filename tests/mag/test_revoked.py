"""Revocations that arrive at a MAG (RV9-RV18, RV32-RV39)."""

import pytest

from pmip_tw.aaa.profile import Accept, Profile
from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.revocation import RevocationAck
from tests.agents.world import GATEWAY, Station, association
from tests.conformance import covers
from tests.mag.bench import (
    ADDRESS,
    LMA_CLOCK,
    MAG,
    Bench,
    note,
    notes,
    only,
    order,
    reply,
    requests,
    revocation,
)

STATION = Station(1)


@covers("RV32", "RV33", "RV34")
def test_the_visitor_is_removed_before_the_acknowledgment() -> None:
    bench = Bench()
    bench.register()
    source = Endpoint(ipv4("192.0.2.1"), 40434)
    effects = bench.arrive(revocation(LMA_CLOCK + 5), source)
    assert order(effects, Remove, Send) == ["Remove", "Send"]
    assert len(bench.engine.visitors) == 0
    [send] = only(Send, effects)
    assert (send.destination, send.source) == (source, MAG)  # to the port that it came from
    ack = RevocationAck.decode(send.datagram)
    assert (ack.home_address, ack.identifier, ack.inform) == (ADDRESS, LMA_CLOCK + 5, False)
    assert ack.mn_ha is not None
    assert association(1).verify(send.datagram[: ack.mn_ha.covered], ack.mn_ha.value)
    assert note("revocation-received", effects).nai == STATION.nai


@covers("RV9", "RV16", "RV17", "RV18", "RV32", "RV38")
@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("stale", revocation(LMA_CLOCK)),  # RV16: equal
        ("stale", revocation(LMA_CLOCK - 1)),
        ("outside-window", revocation(LMA_CLOCK + 400)),
        ("bad-authenticator", revocation(LMA_CLOCK + 5, key=association(1, b"another key"))),
        ("bad-authenticator", revocation(LMA_CLOCK + 5, key=association(2))),
        ("bad-authenticator", revocation(LMA_CLOCK + 5)[:-22]),
        ("reflected", revocation(LMA_CLOCK + 5, from_home_agent=False)),
        ("not-ours", revocation(LMA_CLOCK + 5, foreign_domain=ipv4("198.51.100.99"))),
        ("not-ours", revocation(LMA_CLOCK + 5, home_domain=ipv4("0.0.0.0"))),
        ("no-such-binding", revocation(LMA_CLOCK + 5, home_domain=ipv4("192.0.2.2"))),
        ("no-such-binding", revocation(LMA_CLOCK + 5, home_address=ipv4("10.1.0.10"))),
        ("no-such-binding", revocation(LMA_CLOCK + 5, nai=b"mn2@example.net")),
        ("truncated", revocation(LMA_CLOCK + 5)[:12]),
    ],
)
def test_what_is_wrong_with_it_is_counted_and_changes_nothing(reason: str, message: bytes) -> None:
    bench = Bench()
    visitor = bench.register()
    effects = bench.arrive(message)
    assert [found.reason for found in notes(effects)] == [reason]
    assert order(effects, Remove, Send) == []
    assert bench.visitor is visitor


@covers("RV11")
def test_the_lma_is_known_by_what_the_message_says_not_by_where_it_comes_from() -> None:
    """A NAT, or another of its addresses, may stand between."""
    bench = Bench()
    bench.register()
    elsewhere = Endpoint(ipv4("203.0.113.9"), 40000)
    [send] = only(Send, bench.arrive(revocation(LMA_CLOCK + 5), elsewhere))
    assert send.destination == elsewhere
    assert len(bench.engine.visitors) == 0


@covers("RV19")
def test_what_another_lma_says_is_compared_with_its_own_clock() -> None:
    bench, second, lma = Bench(), Station(2), ipv4("192.0.2.2")
    visitor = bench.register()
    asked = bench.attach(station=second)
    profile = Profile(nai=second.nai, lmas=(lma,), mn_ha=association(2))
    [request] = requests(bench.decide(asked, Accept(profile)))
    home = ipv4("10.1.0.44")
    bench.arrive(reply(request, station=second, home=home, agent=lma, timestamp=7), Endpoint(lma, 434))
    told = {"key": association(2), "nai": second.nai.encode(), "home_address": home, "home_domain": lma}
    assert only(Send, bench.arrive(revocation(7, **told))) == []
    assert only(Send, bench.arrive(revocation(8, **told)))
    assert bench.visitor is visitor


@covers("RV13")
def test_without_nai_the_addresses_decide() -> None:
    """RV13."""
    bench = Bench()
    bench.register()
    assert only(Send, bench.arrive(revocation(LMA_CLOCK + 5, nai=b"")))


@covers("RV1")
def test_not_negotiated() -> None:
    bench = Bench()
    bench.arrive(reply(bench.begin(), timestamp=None))
    assert note("message-discarded", bench.arrive(revocation(LMA_CLOCK + 5))).reason == "not-negotiated"


@covers("RV17")
def test_the_window_moves_with_time() -> None:
    bench = Bench()
    bench.register()
    bench.at += 800
    assert note("message-discarded", bench.arrive(revocation(LMA_CLOCK + 400))).reason == "outside-window"
    assert only(Send, bench.arrive(revocation(LMA_CLOCK + 790)))


@covers("RV16")
def test_identifiers_wrap_around() -> None:
    bench = Bench()
    bench.arrive(reply(bench.begin(), timestamp=0xFFFFFFFE))
    assert only(Send, bench.arrive(revocation(3)))


@covers("RV17", "RV37")
def test_a_lost_acknowledgment_is_repeated() -> None:
    """RV37: the same identifier, or the fresh one of a retransmission; an older one is a replay."""
    bench = Bench()
    bench.register()
    bench.arrive(revocation(LMA_CLOCK + 5))
    for identifier in (LMA_CLOCK + 5, LMA_CLOCK + 6):
        effects = bench.arrive(revocation(identifier))
        [send] = only(Send, effects)
        assert RevocationAck.decode(send.datagram).identifier == identifier
        assert order(effects, Remove) == []
    assert note("message-discarded", bench.arrive(revocation(LMA_CLOCK + 4))).reason == "replayed"
    forged = revocation(LMA_CLOCK + 7, key=association(1, b"guess"))
    assert only(Send, bench.arrive(forged)) == []
    bench.at += 2000  # the old lifetime is over
    assert only(Send, bench.arrive(revocation(LMA_CLOCK + 5))) == []


@covers("RV37")
def test_who_left_by_itself_is_answered_for() -> None:
    bench = Bench()
    bench.register()
    bench.hear(STATION.dhcp(MessageType.RELEASE, ciaddr=ADDRESS, server=GATEWAY))
    assert only(Send, bench.arrive(revocation(LMA_CLOCK + 5)))


@covers("RV16", "RV17")
def test_back_within_the_same_second_survives_what_was_meant_for_the_earlier_stay() -> None:
    """RV16, RV17: even with an LMA whose 137 does not run ahead of its identifiers."""
    bench = Bench()
    bench.register()
    bench.arrive(revocation(LMA_CLOCK + 1))
    request = bench.begin(STATION.data(ADDRESS))
    bench.arrive(reply(request, timestamp=LMA_CLOCK))
    visitor = bench.visitor
    effects = bench.arrive(revocation(LMA_CLOCK + 1))
    assert order(effects, Remove, Send) == ["Send"]
    assert bench.visitor is visitor
    bench.arrive(revocation(LMA_CLOCK + 2))
    assert len(bench.engine.visitors) == 0


@covers("RV37")
def test_during_a_registration_an_earlier_stays_revocation_changes_nothing() -> None:
    bench = Bench()
    bench.register()
    bench.arrive(revocation(LMA_CLOCK + 1))
    request = bench.begin(STATION.data(ADDRESS))
    assert order(bench.arrive(revocation(LMA_CLOCK + 2)), Remove, Send) == ["Send"]
    assert order(bench.arrive(reply(request, timestamp=LMA_CLOCK + 2)), Install) == ["Install"]


@covers("RV32")
def test_a_renewal_on_its_way_does_not_save_it() -> None:
    bench = Bench()
    bench.register()
    request = bench.renew()
    bench.arrive(revocation(LMA_CLOCK + 1000))
    assert len(bench.engine.visitors) == 0
    assert order(bench.arrive(reply(request)), Install) == []
    assert requests(bench.wait(100)) == []
