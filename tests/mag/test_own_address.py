"""The MAG's own address changes: everybody is registered anew with it (P82)."""

from itertools import pairwise

from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.mobility.tunnels import Tunnel
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.revocation import RevocationAck
from tests.agents.world import LMA, Station
from tests.conformance import covers
from tests.mag.bench import (
    ADDRESS,
    LMA_CLOCK,
    MAG,
    Bench,
    names,
    note,
    only,
    order,
    reply,
    requests,
    revocation,
)

STATION = Station(1)
NEW = ipv4("198.51.100.200")


def moved(bench: Bench, address: Ipv4 = NEW) -> list:
    return bench.take(bench.engine.address_changed(address, bench.now))


@covers("P82", "P4")
def test_a_visitor_is_registered_with_the_new_address_and_then_its_tunnel_is_another() -> None:
    bench = Bench()
    visitor = bench.register()
    effects = moved(bench)
    assert order(effects, Remove, Send) == []
    changed = note("care-of-address-changed", effects)
    assert changed.details == {"former": "198.51.100.10", "address": "198.51.100.200"}
    effects = bench.wait(1.0)
    send, request = only(Send, effects)[0], requests(effects)[0]
    assert (send.source, request.care_of_address, request.home_address) == (NEW, NEW, ADDRESS)
    assert visitor.tunnel == Tunnel(local=MAG, remote=LMA)
    effects = bench.arrive(reply(request))
    assert visitor.tunnel == Tunnel(local=NEW, remote=LMA)
    assert only(Install, effects)[0].entry.tunnel == visitor.tunnel


@covers("P82")
def test_no_more_than_200_in_a_second_and_not_all_at_the_same_instant() -> None:
    bench = Bench(attach_probe_max_age=1e6)
    for number in range(1, 501):
        bench.register(station=Station(number), home=Ipv4(ADDRESS + number))
        bench.at += 0.01
    moved(bench)
    first_at: dict[bytes, float] = {}
    for _ in range(350):
        for request in requests(bench.wait(0.01)):
            first_at.setdefault(request.nai, bench.at)
    sent_at = sorted(first_at.values())
    assert len(sent_at) == 500
    busiest = max(len([at for at in sent_at if start <= at < start + 1]) for start in sent_at)
    assert busiest <= 204  # wake-ups come in steps of a 64th of a second
    assert max(later - earlier for earlier, later in pairwise(sent_at)) < 0.1


@covers("P82", "P79")
def test_130_is_waited_for() -> None:
    bench = Bench()
    visitor = bench.register()
    moved(bench)
    [*_, request] = requests(bench.wait(1.1))
    bench.arrive(reply(request, 130))
    assert visitor.state.value == "registered"
    [again] = requests(bench.wait(1.2))
    assert again.care_of_address == NEW


@covers("P82")
def test_who_is_being_registered_begins_again_and_a_late_answer_changes_nothing() -> None:
    bench = Bench()
    former = bench.begin(STATION.data(ADDRESS))
    assert order(moved(bench), Remove) == ["Remove"]
    assert note("message-discarded", bench.arrive(reply(former))).reason == "unexpected-reply"
    effects = bench.wait(1.1)
    [request] = requests(effects)
    assert request.care_of_address == NEW
    assert only(Install, effects)[0].entry.tunnel.local == NEW
    bench.arrive(reply(request))
    assert bench.visitor.state.value == "registered"


@covers("P82", "RV38", "RV37")
def test_a_revocation_of_what_the_old_address_had_is_answered_and_changes_nothing() -> None:
    bench = Bench()
    visitor = bench.register()
    moved(bench)
    [*_, request] = requests(bench.wait(1.1))
    bench.arrive(reply(request, timestamp=LMA_CLOCK + 1))
    effects = bench.arrive(revocation(LMA_CLOCK + 5))  # its foreign domain is the old address
    [send] = only(Send, effects)
    assert RevocationAck.decode(send.datagram).identifier == LMA_CLOCK + 5
    assert bench.visitor is visitor and order(effects, Remove) == []
    assert order(bench.arrive(revocation(LMA_CLOCK + 6, foreign_domain=NEW)), Remove) == ["Remove"]


@covers("P82")
def test_who_leaves_gives_up_what_is_registered() -> None:
    bench = Bench()
    bench.register()
    moved(bench)
    effects = bench.take(bench.engine.detach(STATION.nai, bench.now))
    [send] = only(Send, effects)
    [end] = requests(effects)
    assert (end.care_of_address, end.lifetime, send.source) == (MAG, 0, NEW)


@covers("P82")
def test_the_same_address_again_is_no_change() -> None:
    bench = Bench()
    bench.register()
    assert moved(bench, MAG) == []


@covers("P82", "P15")
def test_who_is_gone_is_not_registered_with_the_new_address() -> None:
    bench = Bench()
    bench.register(STATION.dhcp(MessageType.DISCOVER))
    bench.wait(100)
    moved(bench)
    effects = bench.wait(5)
    assert [request.lifetime for request in requests(effects)][:1] == [0]
    assert "visitor-left" in names(effects)
