"""Where UDP tunnelling, GRE keys and revocation stand in a request, by who proves it and which bit D is.

========================== === ================== ================== ==================
proof                       D  144                48                 137
========================== === ================== ================== ==================
the node's key              1  before MN-HA       before MN-HA       before MN-HA
the node's and the MAG's    0  between the two    between the two    between the two
the node's key              0  not sent           not sent           not sent
the MAG's key              0/1 before FA-HA       before FA-HA       before FA-HA
========================== === ================== ================== ==================
"""

import pytest

from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.wire.extensions import FA_HA, GRE_KEY, MN_HA, REVOCATION_SUPPORT, UDP_TUNNEL_REQUEST
from tests.conformance import covers
from tests.mag.bench import Bench, accept
from tests.mag.test_protection import BOTH, PER_NODE, SHARED, STATION, datagrams, kinds, proves

WISHES: dict[str, object] = {
    "encapsulation": Encapsulation.GRE,
    "gre_key": "own",
    "gre_key_with_d": True,
    "nat_traversal": "auto",
}
ADDED = (GRE_KEY, REVOCATION_SUPPORT, UDP_TUNNEL_REQUEST)


def asked(*, colocated: bool, **more: object) -> bytes:
    bench = Bench(**WISHES, colocated=colocated, **more)
    mn_ha = {"mn_ha": None} if more.get("associations") is PER_NODE else {}
    [datagram] = datagrams(bench.decide(bench.attach(), accept(STATION, **mn_ha)))
    return datagram


@covers("N2", "T5", "RV2")
def test_by_the_nodes_key_and_co_located() -> None:
    found = kinds(asked(colocated=True))
    assert FA_HA not in found and max(found.index(kind) for kind in ADDED) < found.index(MN_HA)


@covers("T5")
def test_a_gre_key_with_d_only_if_it_is_wished_for() -> None:
    bench = Bench(**WISHES | {"gre_key_with_d": False}, colocated=True)
    [datagram] = datagrams(bench.decide(bench.attach(), accept(STATION)))
    found = kinds(datagram)
    assert GRE_KEY not in found and UDP_TUNNEL_REQUEST in found


@covers("N3", "T5", "RV2")
def test_by_both_keys_as_a_foreign_agent() -> None:
    datagram = asked(colocated=False, associations=BOTH)
    found = kinds(datagram)
    assert all(found.index(MN_HA) < found.index(kind) < found.index(FA_HA) for kind in ADDED)
    assert proves(SHARED, datagram)


@covers("N3", "T5", "RV2")
def test_by_the_nodes_key_as_a_foreign_agent_what_nothing_would_protect_is_not_sent() -> None:
    assert not set(kinds(asked(colocated=False))) & set(ADDED)


@covers("N4", "T5", "RV2")
@pytest.mark.parametrize("colocated", [True, False])
def test_by_the_mags_key_alone(colocated: bool) -> None:
    datagram = asked(colocated=colocated, associations=PER_NODE)
    found = kinds(datagram)
    assert MN_HA not in found and max(found.index(kind) for kind in ADDED) < found.index(FA_HA)
    assert proves(SHARED, datagram)
