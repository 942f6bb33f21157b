"""A defect of ours costs the packet that met it, and no other."""

from collections.abc import Iterator

import pytest

from pmip_tw.addresses import Endpoint
from pmip_tw.forwarding.memory import far_end, wrapped
from pmip_tw.interfaces import Datagram
from pmip_tw.mobility.tunnels import AccessEntry, AccessKey
from pmip_tw.wire.udp import udp_packet

from .namespaces import require_namespaces
from .packets import CORRESPONDENT, HOME, NODE_MAC, to_node
from .worlds import LOCAL, PORTS, TunAccessWorld, tunnel

WAY = tunnel(over_udp=True)


@pytest.fixture
def access() -> Iterator[TunAccessWorld]:
    require_namespaces()
    world = TunAccessWorld()
    yield world
    world.close()


def arriving(*packets: bytes) -> list[Datagram]:
    """One batch of the UDP socket."""
    source = Endpoint(WAY.remote, WAY.remote_port)
    return [Datagram(wrapped(far_end(WAY), packet), source, LOCAL) for packet in packets]


def test_tunnel_data_behind_it_is_carried(access: TunAccessWorld) -> None:
    """And nothing reaches the socket, whose batch may hold signalling, too."""

    def broken(key: AccessKey, packet: bytes) -> None:
        raise ValueError("a packet that breaks our code")

    access.receiver.dhcp_shown = broken
    access.plane.install(
        AccessEntry(port=PORTS[0], mac=NODE_MAC, home_address=HOME, tunnel=WAY, shows_dhcp=True)
    )
    shown = udp_packet(Endpoint(CORRESPONDENT, 67), Endpoint(HOME, 68), b"breaks the agent")
    access.plane.tunnel_data_received(arriving(shown, to_node(b"behind it")))
    access.until(lambda: len(access.transmitted()) == 2)
    assert access.transmitted()[1][1].endswith(b"behind it")


def test_once_stopped_tunnel_data_is_nobodys(access: TunAccessWorld) -> None:
    """The signalling stops after the packet plane."""
    access.plane.install(AccessEntry(port=PORTS[0], mac=NODE_MAC, home_address=HOME, tunnel=WAY))
    access.plane.stop()
    access.plane.tunnel_data_received(arriving(to_node(b"late")))
    assert access.plane.drops() == {}
