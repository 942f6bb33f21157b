"""DHCP of an LMA's nodes on a real kernel: what comes out of the device of their tunnels is told from all else."""

import subprocess
from collections.abc import Iterator

import pytest
from twisted.internet.epollreactor import EPollReactor

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.errors import PmipError
from pmip_tw.forwarding.drops import Drops
from pmip_tw.forwarding.tun_device import TunDevice
from pmip_tw.net.dhcp_socket import UdpDhcpSocket
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers
from tests.contracts.test_dhcp_socket import Mailbox
from tests.loops import private_reactor, run_until
from tests.namespaces import private_network

LMA, CORE, HOME = ipv4("192.0.2.1"), ipv4("192.0.2.2"), ipv4("10.1.0.101")


@pytest.fixture
def reactor() -> Iterator[EPollReactor]:
    """On a machine that has 192.0.2.1 and .2, and a TUN device mip0 that leads to 10.1.0.0/24."""
    with private_network(), private_reactor() as reactor:
        for command in ("ip address add 192.0.2.1/32 dev lo", "ip address add 192.0.2.2/32 dev lo"):
            subprocess.run(command.split(), check=True)
        yield reactor


@pytest.fixture
def device(reactor: EPollReactor) -> Iterator[TunDevice]:
    made = TunDevice("mip0", Drops())
    made.bring_up(1468)
    subprocess.run(["ip", "route", "add", "10.1.0.0/24", "dev", "mip0"], check=True)
    yield made
    made.close()


@covers("D14", "D30", "D35")
def test_a_node_is_heard_by_its_device_and_servers_by_the_other(
    reactor: EPollReactor, device: TunDevice
) -> None:
    """The same address and port: who is in the core cannot pretend to be a node."""
    from_servers, from_homes, asked = Mailbox(), Mailbox(), Mailbox()
    servers = UdpDhcpSocket(reactor, LMA, leaves_devices=True)
    homes = UdpDhcpSocket(reactor, LMA, device="mip0")
    server = UdpDhcpSocket(reactor, CORE)
    for opened, mailbox in ((servers, from_servers), (homes, from_homes), (server, asked)):
        opened.start(mailbox)
    try:
        device.write(udp_packet(Endpoint(HOME, 68), Endpoint(LMA, 67), b"renewal"))
        server.send(b"answer", LMA)
        servers.send(b"question", CORE)
        run_until(reactor, lambda: from_homes.arrived and from_servers.arrived and asked.arrived)
        assert [(one.payload, one.source) for one in from_homes.arrived] == [(b"renewal", Endpoint(HOME, 68))]
        assert [(one.payload, one.source.address) for one in from_servers.arrived] == [(b"answer", CORE)]
        assert asked.arrived[0].source == Endpoint(LMA, 67)
    finally:
        for opened in (servers, homes, server):
            opened.stop()


def test_the_port_is_still_nobody_elses(reactor: EPollReactor) -> None:
    first = UdpDhcpSocket(reactor, LMA)
    first.start(Mailbox())
    with pytest.raises(PmipError, match=r"192\.0\.2\.1:67 cannot be bound"):
        UdpDhcpSocket(reactor, LMA, leaves_devices=True).start(Mailbox())
    first.stop()


def test_a_device_that_is_not_there_is_named(reactor: EPollReactor) -> None:
    with pytest.raises(PmipError, match=r"192\.0\.2\.1:67 on mip9 cannot be bound"):
        UdpDhcpSocket(reactor, LMA, device="mip9").start(Mailbox())
