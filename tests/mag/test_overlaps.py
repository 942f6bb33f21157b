"""Nodes with the same home address at one MAG (P43-P45, P85, RV13)."""

from pmip_tw.addresses import ipv4
from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.mobility.tunnels import Encapsulation
from tests.agents.world import LMA, Station, association
from tests.conformance import covers
from tests.mag.bench import (
    ADDRESS,
    LMA_CLOCK,
    Bench,
    accept,
    note,
    only,
    order,
    reply,
    requests,
    revocation,
)

ONE, TWO = Station(1), Station(2)
SECOND = ipv4("192.0.2.2")
KEYED: dict[str, object] = {"encapsulation": Encapsulation.GRE, "gre_key": "lma", "gre_key_with_d": True}


def two_lmas() -> Bench:
    bench = Bench()
    bench.register(station=ONE)
    asked = bench.attach(TWO.data(ADDRESS), TWO)
    [request] = requests(bench.decide(asked, accept(TWO, lmas=(SECOND,))))
    effects = bench.arrive(reply(request, station=TWO, agent=SECOND))
    assert order(effects, Remove) == []
    return bench


def two_realms() -> Bench:
    bench = Bench(**KEYED)
    for station, key in ((ONE, 1001), (TWO, 1002)):
        effects = bench.arrive(
            reply(bench.begin(station.data(ADDRESS), station), station=station, gre_key=key)
        )
        assert order(effects, Remove) == []
    return bench


def served(bench: Bench) -> set[str]:
    return {visitor.nai for visitor in bench.engine.visitors}


@covers("P43", "P44", "P45")
def test_under_different_lmas_both_are_served() -> None:
    bench = two_lmas()
    assert served(bench) == {ONE.nai, TWO.nai}
    entries = [install.entry for install in only(Install, bench.effects) if install.entry.upstream]  # type: ignore[union-attr]
    assert {(entry.home_address, entry.tunnel.remote) for entry in entries} == {
        (ADDRESS, LMA),
        (ADDRESS, SECOND),
    }


@covers("P45", "RV11", "RV32")
def test_a_revocation_ends_the_one_of_its_own_lma() -> None:
    bench = two_lmas()
    effects = bench.arrive(revocation(LMA_CLOCK + 5, nai=b""))
    assert [removed.key.mac for removed in only(Remove, effects)] == [ONE.mac]  # type: ignore[union-attr]
    assert served(bench) == {TWO.nai}


@covers("P44", "P45", "P85")
def test_in_two_realms_of_one_lma_keys_tell_them_apart() -> None:
    bench = two_realms()
    assert served(bench) == {ONE.nai, TWO.nai}
    keys = {visitor.tunnel.key_in for visitor in bench.engine.visitors if visitor.tunnel}
    assert keys == {1001, 1002}


@covers("P85", "RV13")
def test_a_revocation_names_which_of_them_it_means() -> None:
    bench = two_realms()
    message = revocation(LMA_CLOCK + 5, nai=TWO.nai.encode(), key=association(2))
    effects = bench.arrive(message)
    assert [removed.key.mac for removed in only(Remove, effects)] == [TWO.mac]  # type: ignore[union-attr]
    assert served(bench) == {ONE.nai}
    again = bench.arrive(message)  # answered for who is gone, not taken for the other
    assert order(again, Remove, Send) == ["Send"]


@covers("RV13")
def test_one_that_could_mean_both_ends_neither() -> None:
    bench = two_realms()
    effects = bench.arrive(revocation(LMA_CLOCK + 5, nai=b""))
    assert note("message-discarded", effects).reason == "ambiguous"
    assert served(bench) == {ONE.nai, TWO.nai}


@covers("P45")
def test_without_keys_the_lmas_newer_word_counts() -> None:
    bench = Bench()
    bench.register(station=ONE)
    bench.arrive(reply(bench.begin(station=TWO), station=TWO))
    assert served(bench) == {TWO.nai}


@covers("P85")
def test_who_leaves_takes_nothing_from_the_other() -> None:
    bench = two_realms()
    effects = bench.take(bench.engine.detach(ONE.nai, bench.now))
    [end] = requests(effects)
    assert end.gre_key == 1001
    bench.arrive(reply(end))
    assert served(bench) == {TWO.nai}
    bench.arrive(revocation(LMA_CLOCK + 5, nai=TWO.nai.encode(), key=association(2)))
    assert served(bench) == set()
