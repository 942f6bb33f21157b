"""What AAA says of a node counts before what is configured for all (AA1, AA9)."""

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.mag.effects import Authenticate, Transmit
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import Station
from tests.conformance import covers
from tests.mag.bench import ADDRESS, Bench, accept, note, only

STATION = Station(1)


@covers("AA9", "AA1")
@pytest.mark.parametrize(("said", "asked"), [(0, 1800), (600, 600), (7200, 7200), (100_000, 65_534)])
def test_the_lifetime_to_ask_for(said: int, asked: int) -> None:
    bench = Bench()
    bench.profile = {"lifetime": said}
    assert bench.begin().lifetime == asked


@covers("AA9", "AA1")
def test_name_servers_of_its_own() -> None:
    bench = Bench()
    servers = (ipv4("9.9.9.1"), ipv4("9.9.9.2"))
    bench.profile = {"name_servers": servers}
    bench.register()
    [sent] = only(Transmit, bench.hear(STATION.dhcp(MessageType.DISCOVER)))
    told = b"\x06\x08" + b"".join(server.to_bytes(4, "big") for server in servers)
    assert told in sent.frame, "option 6 (RFC 2132 3.8)"


@covers("AA8")
def test_what_of_an_answer_was_ignored_is_told() -> None:
    bench = Bench()
    [asked] = only(Authenticate, bench.hear(bench.station.data(ADDRESS)))
    effects = bench.decide(asked, accept(bench.station, ignored="the Access-Accept has no WiMAX-FA-RK-Key"))
    assert note("access-accepted", effects).details["ignored"] == "the Access-Accept has no WiMAX-FA-RK-Key"
