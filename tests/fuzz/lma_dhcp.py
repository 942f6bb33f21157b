"""DHCP of strangers at an LMA that relays: out of a pre-tunnel, from servers, and out of a home address."""

from collections.abc import Iterator

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Endpoint, ipv4
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.udp import udp_packet
from tests.fuzz.checksums import mend_checksums
from tests.fuzz.target import Target
from tests.lma.dhcp_anchor import EVERYTHING, HOME, LMA, SERVER, DhcpAnchor, answer, message, station

OTHER = ipv4("10.1.0.102")
UP, FROM_SERVER, FROM_HOME = range(3)


def served() -> DhcpAnchor:
    """Node 1 is registered by a lease, node 2 has a pre-tunnel and has asked."""
    anchor = DhcpAnchor(option_82=EVERYTHING)
    anchor.open(1)
    anchor.lease(1, server=LMA)
    anchor.accept(1, home_address=HOME)
    anchor.open(2)
    anchor.up(message(MessageType.DISCOVER, 2))
    anchor.relayed()
    anchor.told()
    return anchor


def check(octets: bytes) -> None:
    """Whoever it is, node 1 keeps lease and binding, but for a release of its own; and nothing raises."""
    anchor = served()
    way, octets = (octets[0] % 3 if octets else UP), octets[1:]
    now, side = anchor.clock.now(), anchor.engine.dhcp
    assert side is not None
    if way == UP:
        for packet in (octets, mend_checksums(octets)):
            if len(packet) > 20 and packet[0] >> 4 == 4:  # the packet plane hands up nothing else
                anchor.up_packet(packet)
    elif way == FROM_SERVER:
        anchor._run(side.answered(octets, Endpoint(SERVER, 67), now))
    else:
        anchor._run(side.from_home_address(octets, Endpoint(HOME, 68), "", now))
    anchor.pass_time(1.0)
    if way == FROM_HOME and octets[28:34] == station(1):
        return
    assert anchor.leased(1) == AnchorKey(HOME) and anchor.binding(1) is not None
    assert anchor.leased(2) is None  # it has not asked for any yet


def seeds() -> Iterator[bytes]:
    for kind in MessageType:
        for node in (1, 2):
            for said in (
                message(kind, node),
                message(kind, node, requested=OTHER, server=LMA),
                message(kind, node, ciaddr=HOME),
            ):
                packet = udp_packet(
                    Endpoint(said.ciaddr or UNSPECIFIED, 68), Endpoint(ALL_ONES, 67), said.encode()
                )
                yield bytes((UP,)) + packet
                yield bytes((FROM_HOME,)) + said.encode()
    asked = DhcpMessage.decode(message(MessageType.DISCOVER, 2, giaddr=LMA).encode())
    for kind in (MessageType.OFFER, MessageType.ACK, MessageType.NAK):
        yield bytes((FROM_SERVER,)) + answer(kind, asked, OTHER).encode()


TARGET = Target(
    name="lma-dhcp",
    about="DHCP of nodes and servers at an LMA that relays",
    check=check,
    seeds=seeds,
    floors=("wire", "dhcp", "lma"),
    longest=700,
)
