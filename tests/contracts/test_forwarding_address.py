"""The MAG's own address changes (IForwardingPlane.use_address), on the twin and on real packets."""

from collections.abc import Callable

import attrs
import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.errors import ForwardingError
from pmip_tw.mobility.tunnels import Encapsulation
from tests.conformance import covers

from ..forwarding.packets import HOME, OTHER_HOME, OTHER_MAC, frame, from_node, hop, to_node
from ..forwarding.worlds import LOCAL, PORTS, MemoryAccess, MemoryAnchor, tunnel
from .entries import entry

NEW = ipv4("192.0.2.2")
FOREIGN = ipv4("192.0.2.77")

pytestmark = covers("P82")


def moved(**shape: object) -> object:
    return attrs.evolve(tunnel(**shape), local=NEW)


def test_new_entries_use_the_new_address_and_old_ones_stay(access: MemoryAccess) -> None:
    access.plane.install(entry())
    access.plane.install(entry(mac=OTHER_MAC, home=OTHER_HOME))
    access.also_has(NEW)
    access.use_address(NEW)
    assert len(access.plane.snapshot()) == 2
    access.plane.install(entry(way=moved()))
    access.node_sends(PORTS[0], frame(from_node(b"moved")))
    access.node_sends(PORTS[0], frame(from_node(b"not yet", source=OTHER_HOME), source=OTHER_MAC))
    expected = [
        (moved(), hop(from_node(b"moved"))),
        (tunnel(), hop(from_node(b"not yet", source=OTHER_HOME))),
    ]
    access.until(lambda: access.tunnelled() == expected)
    access.tunnel_gives(moved(), to_node(b"to the new"))
    access.tunnel_gives(tunnel(), to_node(b"to the old", OTHER_HOME))
    access.until(lambda: len(access.transmitted()) == 2)
    assert access.plane.drops() == {}


@pytest.mark.parametrize("kind", list(Encapsulation))
def test_every_encapsulation_moves(access: MemoryAccess, kind: Encapsulation) -> None:
    access.plane.install(entry(way=tunnel(kind=kind)))
    access.also_has(NEW)
    access.use_address(NEW)
    access.plane.install(entry(way=moved(kind=kind)))
    access.tunnel_gives(moved(kind=kind), to_node(b"hello there"))
    access.until(lambda: len(access.transmitted()) == 1)
    assert access.transmitted()[0][1].endswith(b"hello there")


def test_once_nobody_uses_it_the_old_address_is_given_up(access: MemoryAccess) -> None:
    access.also_has(NEW)
    access.use_address(NEW)
    with pytest.raises(ForwardingError, match=r"192\.0\.2\.1 is not the address in use, 192\.0\.2\.2 is"):
        access.plane.install(entry())
    access.use_address(LOCAL)
    access.plane.install(entry())


def test_an_address_of_another_machine_changes_nothing(access: MemoryAccess) -> None:
    access.plane.install(entry())
    access.lacks(FOREIGN)
    with pytest.raises(ForwardingError, match="is it an address of this machine"):
        access.use_address(FOREIGN)
    access.node_sends(PORTS[0], frame(from_node(b"as before")))
    access.until(lambda: access.tunnelled() == [(tunnel(), hop(from_node(b"as before")))])
    assert HOME in {held.home_address for held in access.plane.snapshot()}


def test_an_anchor_keeps_its_address(anchor: MemoryAnchor) -> None:
    use: Callable[..., None] = anchor.plane.use_address
    with pytest.raises(ForwardingError, match="an anchor keeps its address"):
        use(NEW)
