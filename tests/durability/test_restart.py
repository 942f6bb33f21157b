"""After kill -9 an LMA serves as before, and nobody else has to do anything."""

import select
import socket

from bench.world import Place
from pmip_tw.addresses import Ipv4, ipv4_text
from tests.conformance import covers
from tests.durability.mag import ACCEPTED, Mag
from tests.durability.process import LmaProcess
from tests.durability.stories import told

_DISCARD = 9
_IP_HEADER = 20


def carried(home_address: Ipv4, tunnel: socket.socket, *, within: float = 10.0) -> bool:
    """Whether a packet to ``home_address`` comes out of the core at the MAG."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"data", (ipv4_text(home_address), _DISCARD))
    while select.select([tunnel], [], [], within)[0]:
        inner = tunnel.recv(2048)[_IP_HEADER:]
        if inner[16:20] == home_address.to_bytes(4, "big"):
            return True
    return False


def test_packets_flow_again_without_a_word_of_any_mag() -> None:
    told(_packets_flow_again)


def _packets_flow_again(place: Place) -> None:
    lma = LmaProcess(place, 0, nodes=8)
    lma.start()
    mag = Mag(lma)
    assert [mag.register(node) for node in (0, 1)] == [ACCEPTED, ACCEPTED]
    stays, leaves = (Ipv4(row.home_address) for row in sorted(lma.bindings(), key=lambda row: row.node))
    assert mag.deregister(1) == ACCEPTED
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IPIP) as tunnel:
        tunnel.bind((ipv4_text(lma.mags[0]), 0))
        assert carried(stays, tunnel)
        lma.kill()
        lma.start()
        assert carried(stays, tunnel)
        assert not carried(leaves, tunnel, within=0.5)


@covers("P80")
def test_an_address_is_held_over_a_restart() -> None:
    told(_an_address_is_held)


def _an_address_is_held(place: Place) -> None:
    """What a node has given back is kept for it, also by the LMA's next process."""
    lma = LmaProcess(place, 0, nodes=8)
    lma.start()
    mag = Mag(lma)
    assert mag.register(0) == ACCEPTED
    (had,) = lma.bindings()
    assert mag.deregister(0) == ACCEPTED
    lma.kill()
    lma.start()
    assert [mag.register(node) for node in (1, 2, 3)] == [ACCEPTED] * 3
    assert had.home_address not in {row.home_address for row in lma.bindings()}
    assert mag.register(0) == ACCEPTED
    assert {row.node: row.home_address for row in lma.bindings()}[0] == had.home_address
