"""An anchor's entry whose tunnel waits for its first keepalive (N24), on the twin and on real packets."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from pmip_tw.addresses import Endpoint
from pmip_tw.forwarding import drops
from pmip_tw.mobility.tunnels import AnchorEntry, Encapsulation, Tunnel
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from ..forwarding.packets import HOME, OTHER_HOME, from_node, to_node
from ..forwarding.worlds import LOCAL, MemoryAnchor, leaving, tunnel
from .entries import KINDS
from .test_forwarding_keepalives import echo, reply_to

Shape = dict[str, Any]
every_udp_tunnel = pytest.mark.parametrize(
    "shape",
    [kind for kind in KINDS.values() if "over_udp" in kind],
    ids=[name for name in KINDS if "udp" in name],
)
FOREIGN_AGENT = 4343
"""Where the registration came from."""


def asked_for(way: Tunnel) -> AnchorEntry:
    """What a registration gives: all is known of its tunnel ``way`` but the port."""
    return AnchorEntry(home_address=HOME, tunnel=attrs.evolve(way, remote_port=FOREIGN_AGENT), awaited=True)


def dropped(anchor: MemoryAnchor, reason: str) -> Callable[[], bool]:
    return lambda: anchor.plane.drops().get(reason, 0) == 1


@covers("N24")
@every_udp_tunnel
def test_nothing_is_sent_before_and_everything_after(anchor: MemoryAnchor, shape: Shape) -> None:
    way = tunnel(**shape)
    anchor.plane.install(asked_for(way))
    anchor.host_sends(to_node(b"too early"))
    anchor.until(dropped(anchor, drops.HALF_BOUND))
    assert anchor.tunnelled() == []
    request = echo(HOME, LOCAL)
    anchor.tunnel_gives(way, request)
    anchor.until(lambda: len(anchor.tunnelled()) == 1)
    assert anchor.tunnelled() == [(leaving(way), reply_to(request))]
    anchor.host_sends(to_node(b"now"))
    anchor.until(lambda: len(anchor.tunnelled()) == 2)
    assert anchor.tunnelled()[1][0] == leaving(way)
    anchor.tunnel_gives(way, from_node(b"and back"))
    anchor.until(lambda: len(anchor.delivered()) == 1)
    assert anchor.plane.snapshot() == (asked_for(way),)


@covers("N24", "N29")
@pytest.mark.parametrize(
    "packet",
    [
        from_node(b"data"),
        echo(HOME, LOCAL)[:-1] + b"!",
        echo(HOME, HOME),
        echo(OTHER_HOME, LOCAL),
        udp_packet(Endpoint(HOME, 5), Endpoint(LOCAL, 7), b"no echo"),
    ],
    ids=["data", "wrong checksum", "to somebody else", "in another name", "no echo"],
)
def test_nothing_else_tells_where_it_is(anchor: MemoryAnchor, packet: bytes) -> None:
    way = tunnel(over_udp=True)
    anchor.plane.install(asked_for(way))
    anchor.tunnel_gives(way, packet)
    anchor.until(lambda: anchor.plane.drops() != {})
    anchor.host_sends(to_node(b"where to?"))
    anchor.until(dropped(anchor, drops.HALF_BOUND))
    assert anchor.tunnelled() == [] == anchor.delivered()


@covers("N24", "N30")
@pytest.mark.parametrize(
    "way",
    [tunnel(1, over_udp=True), tunnel(kind=Encapsulation.GRE, over_udp=True), tunnel()],
    ids=["another address", "another encapsulation", "not in UDP"],
)
def test_nor_does_a_keepalive_from_elsewhere(anchor: MemoryAnchor, way: Tunnel) -> None:
    anchor.plane.install(AnchorEntry(home_address=OTHER_HOME, tunnel=way))  # so that such packets are read
    anchor.plane.install(asked_for(tunnel(over_udp=True)))
    anchor.tunnel_gives(way, echo(HOME, LOCAL))
    anchor.until(lambda: sum(anchor.plane.drops().values()) == 1)
    anchor.host_sends(to_node(b"where to?"))
    anchor.until(dropped(anchor, drops.HALF_BOUND))
    assert anchor.tunnelled() == []


@covers("N24", "N29")
def test_once_it_is_known_no_other_keepalive_moves_it_but_a_registration_does(anchor: MemoryAnchor) -> None:
    first = tunnel(over_udp=True)
    other = attrs.evolve(first, remote_port=first.remote_port + 1)
    anchor.plane.install(asked_for(first))
    anchor.tunnel_gives(first, echo(HOME, LOCAL))
    anchor.until(lambda: len(anchor.tunnelled()) == 1)
    anchor.tunnel_gives(other, echo(HOME, LOCAL))
    anchor.until(dropped(anchor, drops.WRONG_TUNNEL))
    assert len(anchor.tunnelled()) == 1
    anchor.plane.install(asked_for(first))
    anchor.host_sends(to_node(b"where to?"))
    anchor.until(dropped(anchor, drops.HALF_BOUND))
    anchor.tunnel_gives(first, echo(HOME, LOCAL))
    anchor.until(lambda: len(anchor.tunnelled()) == 2)


@covers("N24", "N35")
def test_it_ends_like_any_other(anchor: MemoryAnchor) -> None:
    """Waiting or not; what it has moved is counted on."""
    way = tunnel(over_udp=True)
    for completed in (False, True):
        anchor.plane.install(asked_for(way))
        if completed:
            anchor.tunnel_gives(way, echo(HOME, LOCAL))
            anchor.until(lambda: len(anchor.tunnelled()) == 1)
            anchor.host_sends(to_node(b"one packet"))
            anchor.until(lambda: len(anchor.tunnelled()) == 2)
            anchor.plane.install(asked_for(way))
        counters = anchor.plane.remove(asked_for(way).key)
        assert counters.packets_down == completed
        assert anchor.plane.snapshot() == ()
    anchor.tunnel_gives(way, echo(HOME, LOCAL))
    anchor.until(dropped(anchor, drops.UNKNOWN_SOURCE))
