"""Starting: what is missing is named with its cure, and a start that fails leaves nothing behind."""

import os
import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from twisted.internet.epollreactor import EPollReactor

from pmip_tw.addresses import Ipv4, ipv4, prefix
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding.access import TunAccess
from pmip_tw.forwarding.anchor import TunAnchor
from pmip_tw.forwarding.firewall import IngressDrop
from pmip_tw.forwarding.home_domain import HomeDomain
from pmip_tw.interfaces import IForwardingPlane
from pmip_tw.mobility.tunnels import AnchorEntry, Encapsulation, Tunnel
from tests.conformance import covers
from tests.rights import no_rights

from .namespaces import Namespace, netlink, require_namespaces
from .packets import GATEWAY_MAC, HOME, NODE_MAC, frame, from_node
from .worlds import LOCAL, HandedUp, tunnel


@pytest.fixture
def machine() -> Iterator[Namespace]:
    """A machine with an access interface acc0 and LOCAL on its core interface."""
    require_namespaces()
    made, around = Namespace(), Namespace()
    made.pair("acc0", around, "mn0")
    made.pair("core0", around, "core1")
    made.address("core0", "192.0.2.1")
    yield made
    made.close()
    around.close()


def access(**more: Any) -> TunAccess:
    settings: dict[str, Any] = {
        "reactor": EPollReactor(),
        "monotonic": time.monotonic,
        "signalling": None,
        "local": LOCAL,
        "interfaces": ("acc0",),
        "gateway_mac": GATEWAY_MAC,
        "gateway_for": lambda home_address: Ipv4(home_address & 0xFFFFFF00 | 1),
    }
    return TunAccess(**(settings | more))


def anchor(**more: Any) -> TunAnchor:
    settings: dict[str, Any] = {
        "reactor": EPollReactor(),
        "monotonic": time.monotonic,
        "signalling": None,
        "local": LOCAL,
        "domains": (HomeDomain(prefixes=(prefix("10.1.0.0/24"),)),),
    }
    return TunAnchor(**(settings | more))


def traces() -> tuple[set[str], str, str]:
    """Interfaces, firewall and routes of the namespace we are in."""
    rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    with netlink() as ip:
        routes = sorted(str(route.get_attr("RTA_DST")) for route in ip.get_routes(table=254))
    return {name for _, name in socket.if_nameindex()}, rules, ",".join(routes)


def refused(machine: Namespace, plane: IForwardingPlane, text: str) -> None:
    with machine.entered():
        before = traces()
        with pytest.raises(ForwardingError, match=text):
            plane.start(None)
        assert traces() == before
        plane.stop()


def test_an_access_interface_that_is_down(machine: Namespace) -> None:
    with machine.entered(), netlink() as ip:
        ip.link("set", index=ip.link_lookup(ifname="acc0")[0], state="down")
    refused(machine, access(), "ip link set acc0 up")


def test_an_access_interface_with_an_address(machine: Namespace) -> None:
    machine.address("acc0", "10.1.0.1")
    refused(machine, access(), r"10\.1\.0\.1.*ip address flush dev acc0")


def test_an_access_interface_that_is_not_there(machine: Namespace) -> None:
    """The first interface was opened already: it is given back."""
    refused(
        machine,
        access(interfaces=("acc0", "acc7")),
        "acc7: there is no such interface; this machine has acc0, core0",
    )


def test_a_care_of_address_that_is_not_ours(machine: Namespace) -> None:
    refused(machine, access(local=ipv4("192.0.2.77")), r"192\.0\.2\.77.*is it an address of this machine")


@covers("P40")
def test_without_nft_a_mag_refuses_to_start(machine: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the kernel would forward past the tunnel."""
    plane = access()
    with machine.entered():
        with monkeypatch.context() as without:
            without.setenv("PATH", "/nonexistent")
            with pytest.raises(ForwardingError, match="install nftables"):
                plane.start(None)
        assert "pmip_tw" not in traces()[1]


def test_a_device_name_in_use(machine: Namespace) -> None:
    other = anchor()
    with machine.entered():
        other.start(None)
    refused(
        machine,
        anchor(domains=(HomeDomain(prefixes=(prefix("10.2.0.0/24"),)),)),
        "another process uses a device of that name",
    )
    with machine.entered():
        other.stop()


def test_a_home_prefix_that_is_routed_elsewhere(machine: Namespace) -> None:
    machine.route("10.1.0.0/24", "192.0.2.254")
    refused(machine, anchor(), r"10\.1\.0\.0/24.*remove it")


def rules() -> list[tuple[str, int]]:
    """Which incoming interface looks into which table."""
    with netlink() as ip:
        return [
            (str(rule.get_attr("FRA_IIFNAME")), rule.get_attr("FRA_TABLE"))
            for rule in ip.get_rules(family=socket.AF_INET)
            if rule.get_attr("FRA_IIFNAME")
        ]


BLUE = HomeDomain(name="blue", device="mip1", prefixes=(prefix("10.1.0.0/24"),), table=100)


@covers("P85")
def test_a_domain_has_its_routes_in_its_table_and_its_rule_while_it_runs(machine: Namespace) -> None:
    """The same prefix in two domains does not collide; a rule that a crash left is taken over."""
    plane = anchor(domains=(HomeDomain(prefixes=(prefix("10.1.0.0/24"),)), BLUE))
    with machine.entered():
        with netlink() as ip:
            ip.rule("add", iifname="mip1", table=100)
        plane.start(None)
        assert rules() == [("mip1", 100)]
        with netlink() as ip:
            assert [route.get_attr("RTA_DST") for route in ip.get_routes(table=100)] == ["10.1.0.0"]
        plane.stop()
        assert rules() == []
        with netlink() as ip:
            assert list(ip.get_routes(table=100)) == []


@covers("P85")
def test_a_domain_that_cannot_start_leaves_nothing(machine: Namespace) -> None:
    twice = HomeDomain(name="red", device="mip2", prefixes=BLUE.prefixes, table=100)
    refused(machine, anchor(domains=(BLUE, twice)), r"10\.1\.0\.0/24.*already in table 100; remove it")
    with machine.entered():
        assert rules() == []


def test_a_rule_that_somebody_removed_does_not_stop_the_stopping(machine: Namespace) -> None:
    plane = anchor(domains=(BLUE,))
    with machine.entered():
        plane.start(None)
        with netlink() as ip:
            ip.rule("del", iifname="mip1", table=100)
        plane.stop()
        plane.start(None)
        plane.stop()


@contextmanager
def no_more_files() -> Iterator[None]:
    """This process has as many files open as it may."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_socket_that_is_opened_late_may_fail(machine: Namespace) -> None:
    """That of GRE, with the first tunnel that needs it: one node is refused, and nothing else happens."""
    plane, way = anchor(), tunnel(kind=Encapsulation.GRE)
    with machine.entered():
        plane.start(None)
        with no_more_files(), pytest.raises(ForwardingError, match="raw socket for gre: Too many open files"):
            plane.install(AnchorEntry(home_address=HOME, tunnel=way))
        assert plane.snapshot() == ()
        plane.install(AnchorEntry(home_address=HOME, tunnel=way))
        plane.stop()


def test_too_many_files_at_the_start(machine: Namespace) -> None:
    for plane in (anchor(), access()):
        with machine.entered():
            before = traces()
            with no_more_files(), pytest.raises(ForwardingError, match="Too many open files"):
                plane.start(None)
            assert traces() == before


def test_who_has_lost_his_rights_is_told_and_ends_in_peace(machine: Namespace) -> None:
    plane = anchor(domains=(BLUE,))
    with machine.entered():
        plane.start(None)
        with no_rights():
            way = tunnel(kind=Encapsulation.GRE)
            with pytest.raises(ForwardingError, match="raw socket for gre: needs root or CAP_NET_RAW"):
                plane.install(AnchorEntry(home_address=HOME, tunnel=way, domain="blue"))
            plane.stop()
        assert rules() == [("mip1", 100)]
        plane.start(None)
        plane.stop()
        assert rules() == []


def test_an_anchor_makes_its_machine_a_router(machine: Namespace) -> None:
    machine.setting("net/ipv4/ip_forward", "0")
    plane = anchor()
    with machine.entered():
        plane.start(None)
        with open("/proc/sys/net/ipv4/ip_forward") as setting:
            assert setting.read() == "1\n"
        plane.stop()


def test_an_anchor_refuses_addresses_that_are_not_routed_to_it(machine: Namespace) -> None:
    plane = anchor()
    with machine.entered():
        plane.start(None)
    with pytest.raises(ForwardingError, match="none of the home prefixes"):
        plane.install(AnchorEntry(home_address=ipv4("10.2.0.1"), tunnel=tunnel()))
    with pytest.raises(ForwardingError, match="no UDP socket"):
        plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel(over_udp=True)))
    assert plane.snapshot() == ()
    with machine.entered():
        plane.stop()


def test_before_it_is_started_a_plane_carries_nothing() -> None:
    with pytest.raises(ForwardingError, match="not started"):
        anchor().install(AnchorEntry(home_address=HOME, tunnel=Tunnel(local=LOCAL, remote=ipv4("192.0.2.9"))))


def test_what_a_crashed_process_left_is_replaced(machine: Namespace) -> None:
    with machine.entered():
        IngressDrop("acc0").install()
        plane = access()
        plane.start(None)
        assert traces()[1].count("chain ingress") == 1
        plane.stop()
        assert traces()[1] == ""


def test_interfaces_of_almost_the_same_name_are_fenced_off_each(machine: Namespace) -> None:
    around = Namespace()
    machine.pair("a+1", around, "mn5")
    machine.pair("a_1", around, "mn6")
    plane = access(interfaces=("a+1", "a_1"))
    with machine.entered():
        plane.start(None)
        assert traces()[1].count("chain ingress") == 2
        plane.stop()
        assert traces()[1] == ""
    around.close()


def test_a_flushed_firewall_does_not_stop_the_stopping(machine: Namespace) -> None:
    plane = access()
    with machine.entered():
        plane.start(None)
        subprocess.run(["nft", "flush", "ruleset"], check=True)
        plane.stop()
        again = access()
        again.start(None)
        again.stop()


def test_frames_of_another_vlan_are_not_seen(machine: Namespace) -> None:
    """The kernel takes the tag off before a packet socket sees the frame: it would look like the untagged LAN."""
    receiver = HandedUp()
    reactor = EPollReactor()
    around = Namespace()
    machine.pair("acc5", around, "mn5")
    plane = access(reactor=reactor, interfaces=("acc5",))
    with machine.entered():
        plane.start(receiver)
    node = around.packet_socket("mn5")
    plain = frame(from_node(b"untagged"))
    node.send(plain[:12] + b"\x81\x00\x00\x07" + plain[12:])
    node.send(plain[:12] + b"\x81\x00\xe0\x00" + plain[12:])  # priority only: VLAN 0
    node.send(plain)
    deadline = time.monotonic() + 30
    while len(receiver.frames) < 2 and time.monotonic() < deadline:
        reactor.iterate(0.01)
    assert [seen[:14] for _, seen in receiver.frames] == [plain[:14]] * 2
    assert all(seen[6:12] == NODE_MAC for _, seen in receiver.frames)
    with machine.entered():
        plane.stop()
    node.close()
    around.close()
