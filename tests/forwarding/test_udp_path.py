"""What becomes of tunnel data that the UDP socket does not take."""

import errno

import pytest
from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.paths import udp_path
from pmip_tw.interfaces import ISignalling
from pmip_tw.mobility.tunnels import Encapsulation
from tests.conformance import covers

from .packets import from_node
from .worlds import LOCAL, tunnel


@implementer(ISignalling)
class Refusing:
    """A socket that the kernel takes nothing from."""

    addresses = (LOCAL,)

    def __init__(self, number: int) -> None:
        self._number = number
        self.types_of_service: list[int] = []

    def start(self, receiver: object, tunnel_data: object) -> None:
        pass

    def send(self, payload: bytes, destination: Endpoint, source: Ipv4, tos: int = 0) -> int:
        self.types_of_service.append(tos)
        return self._number

    def use_address(self, old: Ipv4, new: Ipv4) -> None:
        pass

    def stop(self) -> None:
        pass


@pytest.mark.parametrize("kind", Encapsulation)
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EAGAIN, drops.SEND_BUFFER_FULL),
        (errno.EMSGSIZE, drops.OUTER_TOO_BIG),
        (errno.ENETUNREACH, drops.SEND_FAILED),
    ],
)
def test_it_is_lost_and_counted(kind: Encapsulation, number: int, reason: str) -> None:
    """So the node's counters do not have it, and the path's MTU is asked anew."""
    dropped = drops.Drops()
    carry = udp_path(Refusing(number), tunnel(over_udp=True, kind=kind), dropped)
    assert not carry(from_node(b"lost"))
    assert dropped == {reason: 1}


@covers("N33")
@pytest.mark.parametrize("kind", Encapsulation)
def test_its_type_of_service_is_that_of_the_packet_inside(kind: Encapsulation) -> None:
    """As RFC 2003 has it for IP-in-IP."""
    taking = Refusing(0)
    carry = udp_path(taking, tunnel(over_udp=True, kind=kind), drops.Drops())
    for tos in (0, 0xB8, 0x03):
        packet = from_node(b"hello")
        assert carry(packet[:1] + bytes((tos,)) + packet[2:])
    assert taking.types_of_service == [0, 0xB8, 0x03]
