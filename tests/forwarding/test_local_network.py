"""Local breakout (N58) between unmodified hosts, the kernel's routing, firewall and ARP; and what is left of it."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import attrs
import pytest
from twisted.internet.epollreactor import EPollReactor

from pmip_tw.addresses import Endpoint, Ipv4, ipv4, prefix
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding.access import TunAccess
from pmip_tw.forwarding.breakout import BreakoutRules
from pmip_tw.forwarding.kernel_tables import OURS, InterfaceChanges, KernelTables
from pmip_tw.forwarding.local_rules import LocalRules
from pmip_tw.mobility.tunnels import AccessEntry
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from .namespaces import Namespace, netlink, require_namespaces
from .packets import CORRESPONDENT, GATEWAY_MAC, HOME, NODE_MAC, OTHER_HOME, OTHER_MAC
from .road import Road
from .worlds import LOCAL, PEERS, PRINTER, tunnel

TRANSLATED = BreakoutRules(prefixes=(prefix("192.168.7.0/24"),), home_prefixes=(prefix("10.1.0.0/24"),))
OPEN = attrs.evolve(TRANSLATED, proxy_arp=True)

SERVE = """
import socket, sys
listener = socket.create_server((sys.argv[1], 7000))
print("ready", flush=True)
peer, address = listener.accept()
peer.sendall(peer.recv(100)[::-1])
print(address[0])
"""

ASK = """
import socket, sys
with socket.create_connection((sys.argv[1], 7000), timeout=float(sys.argv[2])) as peer:
    peer.sendall(b"stressed")
    print(peer.recv(100).decode())
"""

REFUSED = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1.5)
except OSError as error:
    print(type(error).__name__)
"""


@pytest.fixture
def translated() -> Iterator[Road]:
    require_namespaces()
    made = Road(breakout=TRANSLATED)
    yield made
    made.close()


@pytest.fixture
def open_to_both() -> Iterator[Road]:
    require_namespaces()
    made = Road(breakout=OPEN)
    yield made
    made.close()


def serving(road: Road, where: Namespace, address: str) -> "subprocess.Popen[str]":
    server = road.program(where, sys.executable, "-c", SERVE, address)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    return server


def asked(road: Road, where: Namespace, address: str) -> str:
    return road.output(road.program(where, sys.executable, "-c", ASK, address, "10")).strip()


def refused(road: Road, where: Namespace, address: str, port: int = 7000) -> str:
    """What a connection that fails fails with."""
    return road.output(road.program(where, sys.executable, "-c", REFUSED, address, str(port))).strip()


def pinged(road: Road, where: Namespace, address: str, *more: str) -> str:
    return road.output(road.program(where, "sh", "-c", f"ping -c 1 -W 2 {' '.join(more)} {address} || true"))


@covers("N58")
class TestTranslated:
    def test_a_server_nearby_sees_the_mag(self, translated: Road) -> None:
        server = serving(translated, translated.fixed, "192.168.7.20")
        assert asked(translated, translated.mn, "192.168.7.20") == "desserts"
        assert translated.output(server).strip() == "192.168.7.1"
        moved = translated.access.counters(translated.access_entry.key)
        assert moved.local is not None
        assert moved.local.packets_up > 3
        assert moved.local.packets_down > 3
        assert (moved.packets_up, moved.packets_down) == (0, 0)

    def test_a_server_far_away_sees_the_home_address(self, translated: Road) -> None:
        """What is not listed stays in the tunnel, as the LMA's counters show."""
        server = serving(translated, translated.cn, "10.9.0.2")
        assert asked(translated, translated.mn, "10.9.0.2") == "desserts"
        assert translated.output(server).strip() == "10.1.0.2"
        assert translated.anchor.counters(translated.anchor_entry.key).packets_up > 3

    def test_nobody_nearby_reaches_the_node(self, translated: Road) -> None:
        """Not even by a route to it."""
        translated.fixed.route("10.1.0.0/24", "192.168.7.1")
        serving(translated, translated.mn, "10.1.0.2")
        assert refused(translated, translated.fixed, "10.1.0.2") == "TimeoutError"
        moved = translated.access.counters(translated.access_entry.key)
        assert moved.local is not None
        assert moved.local.packets_down == 0

    def test_errors_come_back(self, translated: Road) -> None:
        """A port where nobody listens, a host that is not there, a path that takes less, the last hop."""
        assert refused(translated, translated.mn, "192.168.7.20", 7001) == "ConnectionRefusedError"
        assert "Destination Host Unreachable" in pinged(translated, translated.mn, "192.168.7.99", "-W 5")
        translated.mag.set_mtu("lan0", 1300)
        assert "mtu = 1300" in pinged(translated, translated.mn, "192.168.7.20", "-M do", "-s 1400").lower()
        assert "ttl=63" in pinged(translated, translated.mn, "192.168.7.20")

    def test_the_mags_own_services_are_not_offered(self, translated: Road) -> None:
        """By another address than the one in use, which the tunnel has."""
        serving(translated, translated.mag, "192.168.7.1")
        assert refused(translated, translated.mn, "192.168.7.1") == "TimeoutError"

    def test_unless_that_address_is_listed_by_itself(self) -> None:
        require_namespaces()
        listed = (*TRANSLATED.prefixes, prefix("192.168.7.1/32"))
        road = Road(breakout=attrs.evolve(TRANSLATED, prefixes=listed))
        try:
            server = serving(road, road.mag, "192.168.7.1")
            assert asked(road, road.mn, "192.168.7.1") == "desserts"
            assert road.output(server).strip() == "10.1.0.2"
        finally:
            road.close()


@covers("N58")
class TestOpenToBoth:
    def test_a_fixed_host_opens_a_connection_to_the_node(self, open_to_both: Road) -> None:
        """It finds it by ARP on its own link (RFC 1027), and each sees the other's true address."""
        server = serving(open_to_both, open_to_both.mn, "10.1.0.2")
        assert asked(open_to_both, open_to_both.fixed, "10.1.0.2") == "desserts"
        assert open_to_both.output(server).strip() == "192.168.7.20"

    def test_and_the_node_to_it(self, open_to_both: Road) -> None:
        server = serving(open_to_both, open_to_both.fixed, "192.168.7.20")
        assert asked(open_to_both, open_to_both.mn, "192.168.7.20") == "desserts"
        assert open_to_both.output(server).strip() == "10.1.0.2"

    def test_from_elsewhere_nobody_reaches_the_node_past_its_lma(self, open_to_both: Road) -> None:
        """The core network is not listed, whatever it knows of the way."""
        open_to_both.lma.address("core1", "192.0.2.33")
        with open_to_both.lma.entered(), netlink() as ip:
            index = ip.link_lookup(ifname="core1")[0]
            ip.route("add", dst="10.1.0.2/32", gateway="192.0.2.1", oif=index)
        assert refused(open_to_both, open_to_both.lma, "10.1.0.2") == "TimeoutError"
        moved = open_to_both.access.counters(open_to_both.access_entry.key)
        assert moved.local is not None
        assert moved.local.packets_down == 0

    def test_nor_with_an_address_of_the_network_that_is_listed(self, open_to_both: Road) -> None:
        """It comes by another interface than that, where no reverse path filter need be."""
        packet = udp_packet(Endpoint(PRINTER, 4000), Endpoint(HOME, 4000), b"forged")
        core, lan = open_to_both.mag.mac("core0"), open_to_both.mag.mac("lan0")
        near, far = open_to_both.fixed.packet_socket("fix0"), open_to_both.lma.packet_socket("core1")
        far.send(core + bytes(6) + b"\x08\0" + packet)
        time.sleep(0.2)  # what must not arrive tells nobody
        near.send(lan + bytes(6) + b"\x08\0" + packet)
        open_to_both.until(lambda: _moved_down(open_to_both) > 0)
        assert _moved_down(open_to_both) == 1
        near.close()
        far.close()

    def test_who_knew_the_node_by_another_mac_learns_ours_at_once(self, open_to_both: Road) -> None:
        """A node that comes from a neighboring MAG keeps its connections."""
        key = open_to_both.access_entry.key
        open_to_both.access.remove(key)
        with open_to_both.fixed.entered(), netlink() as ip:
            index = ip.link_lookup(ifname="fix0")[0]
            ip.neigh("replace", dst="10.1.0.2", lladdr="02:00:00:00:99:99", ifindex=index, state="reachable")
        time.sleep(1.1)  # a neighbor is not believed to have moved within a second (locktime)
        with open_to_both.mag.entered():
            open_to_both.access.install(open_to_both.access_entry)
        mac = open_to_both.mag.mac("lan0").hex(":")
        open_to_both.until(lambda: _neighbor(open_to_both.fixed, "10.1.0.2") == mac)

    def test_who_has_left_is_not_answered_for(self, open_to_both: Road) -> None:
        open_to_both.access.remove(open_to_both.access_entry.key)
        serving(open_to_both, open_to_both.mn, "10.1.0.2")
        assert refused(open_to_both, open_to_both.fixed, "10.1.0.2") in ("OSError", "TimeoutError")
        assert _neighbor(open_to_both.fixed, "10.1.0.2") is None

    @covers("P82")
    @pytest.mark.parametrize("how", ["down and up", "another address"])
    def test_what_the_kernel_forgets_with_its_interface_is_made_good(
        self, open_to_both: Road, how: str
    ) -> None:
        """As when a DHCP client configures it anew; the other host begins with an empty neighbor table, too."""

        def answered_for() -> bool:
            with open_to_both.mag.entered():
                return "10.1.0.2 dev lan0 proxy" in output("ip", "neigh", "show", "proxy")

        assert answered_for()
        with open_to_both.mag.entered():
            if how == "down and up":
                output("ip", "link", "set", "lan0", "down")
                assert not answered_for()
                output("ip", "link", "set", "lan0", "up")
            else:
                output("ip", "address", "flush", "dev", "lan0")
                assert not answered_for()
                output("ip", "address", "add", "192.168.7.2/24", "dev", "lan0")
        open_to_both.until(answered_for)
        with open_to_both.fixed.entered():
            output("ip", "neigh", "flush", "all")
        server = serving(open_to_both, open_to_both.mn, "10.1.0.2")
        assert asked(open_to_both, open_to_both.fixed, "10.1.0.2") == "desserts"
        open_to_both.output(server)


def test_the_firewall_does_not_rely_on_what_the_mag_lets_pass() -> None:
    """Whatever comes out of the device goes to listed networks only, and not to a server that trusts our address."""
    require_namespaces()
    trusting = ipv4("192.168.7.53")
    road = Road(breakout=attrs.evolve(OPEN, trusting=frozenset({trusting})))
    try:
        road.mag.neighbor("lan0", "192.168.7.53", "02:00:00:00:07:53")
        road.mag.neighbor("lan0", "192.168.7.20", road.fixed.mac("fix0").hex(":"))
        far, near = road.lma.packet_socket("core1"), road.fixed.packet_socket("fix0")
        local = road.access._local_network
        assert local is not None
        for to in (PEERS[0], CORRESPONDENT, trusting, PRINTER):
            assert local.write(udp_packet(Endpoint(HOME, 4000), Endpoint(to, 4000), b"past the tunnel"))
        seen: list[bytes] = []

        def arrived() -> bool:
            for taken in (far, near):
                with suppress(BlockingIOError):
                    while True:
                        seen.append(taken.recv(2000))
            return any(b"past the tunnel" in octets for octets in seen)

        road.until(arrived)
        assert [octets[30:34] for octets in seen if b"past the tunnel" in octets] == [
            PRINTER.to_bytes(4, "big")
        ]
        far.close()
        near.close()
    finally:
        road.close()


def _moved_down(road: Road) -> int:
    local = road.access.counters(road.access_entry.key).local
    assert local is not None
    return local.packets_down


def _neighbor(where: Namespace, address: str) -> str | None:
    with where.entered(), netlink() as ip:
        found = [one.get_attr("NDA_LLADDR") for one in ip.get_neighbours(dst=address)]
    return found[0] if found else None


# What is changed in the machine


@pytest.fixture
def machine() -> Iterator[Namespace]:
    """A MAG's machine, with a network around it at lan0."""
    require_namespaces()
    made, around = Namespace(), Namespace()
    made.pair("acc0", around, "mn0")
    made.pair("core0", around, "core1")
    made.pair("lan0", around, "fix0")
    made.address("core0", "192.0.2.1")
    made.address("lan0", "192.168.7.1")
    yield made
    made.close()
    around.close()


def mag(breakout: BreakoutRules | None) -> TunAccess:
    return TunAccess(
        reactor=EPollReactor(),
        monotonic=time.monotonic,
        signalling=None,
        local=LOCAL,
        interfaces=("acc0",),
        gateway_mac=GATEWAY_MAC,
        gateway_for=lambda home_address: Ipv4(home_address & 0xFFFFFF00 | 1),
        breakout=breakout,
    )


ONE = AccessEntry(port="acc0", mac=NODE_MAC, home_address=HOME, tunnel=tunnel())
OTHER = AccessEntry(port="acc0", mac=OTHER_MAC, home_address=OTHER_HOME, tunnel=tunnel())


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def traces() -> dict[str, Any]:
    """Interfaces, firewall, routes and proxied neighbors of the namespace we are in."""
    return {
        "interfaces": {name for _, name in socket.if_nameindex()},
        "rules": output("nft", "list", "ruleset"),
        "routes": output("ip", "route", "show"),
        "proxies": output("ip", "neigh", "show", "proxy"),
    }


@covers("N58")
@pytest.mark.parametrize("rules", [TRANSLATED, OPEN], ids=["translated", "open"])
def test_all_is_gone_after_the_stop(machine: Namespace, rules: BreakoutRules) -> None:
    plane = mag(rules)
    with machine.entered():
        before = traces()
        plane.start(None)
        plane.install(ONE)
        plane.install(OTHER)
        during = traces()
        assert "10.1.0.2 dev mip-local0" in during["routes"]
        assert "10.1.0.3 dev mip-local0" in during["routes"]
        assert ("masquerade" in during["rules"]) is not rules.proxy_arp
        assert during["proxies"].count("dev lan0 proxy") == (2 if rules.proxy_arp else 0)
        plane.remove(ONE.key)
        assert "10.1.0.2" not in str(traces())
        plane.stop()
        assert traces() == before


_CRASHES = """
import os, signal, sys
sys.path[:0] = {path!r}
from tests.forwarding import test_local_network as here
plane = here.mag(here.OPEN)
plane.start(None)
plane.install(here.ONE)
os.kill(os.getpid(), signal.SIGKILL)
"""


@covers("N58")
@pytest.mark.parametrize(
    "then",
    [OPEN, TRANSLATED, BreakoutRules()],
    ids=["the same again", "another mode", "no breakout any more"],
)
def test_what_a_killed_process_left_is_gone_after_the_next_start(
    machine: Namespace, then: BreakoutRules
) -> None:
    with machine.entered():
        before = traces()
        killed = subprocess.run([sys.executable, "-c", _CRASHES.format(path=sys.path)], check=False)
        assert killed.returncode == -signal.SIGKILL
        left = traces()
        assert "10.1.0.2 dev lan0 proxy" in left["proxies"]
        assert "chain forward" in left["rules"]
        plane = mag(then)
        plane.start(None)
        started = traces()
        assert started["proxies"] == ""
        assert ("masquerade" in started["rules"]) is (then is TRANSLATED)
        assert started["rules"].count("chain forward") == (1 if then.prefixes else 0)
        plane.stop()
        assert traces() == before


def test_a_living_mags_neighbors_and_an_operators_are_left_alone(machine: Namespace) -> None:
    with machine.entered():
        one = mag(OPEN)
        one.start(None)
        one.install(ONE)
        output("ip", "neigh", "add", "proxy", "10.1.0.77", "dev", "lan0")
        before = traces()["proxies"]
        tables = KernelTables()
        assert tables.abandoned_proxies() == []
        output("ip", "neigh", "add", "proxy", "10.1.0.78", "dev", "lan0", "protocol", str(OURS))
        assert [host for host, _ in tables.abandoned_proxies()] == [ipv4("10.1.0.78")]
        tables.close()
        output("ip", "neigh", "del", "proxy", "10.1.0.78", "dev", "lan0")
        one.stop()
        assert "10.1.0.77" in before
        assert traces()["proxies"].split()[0] == "10.1.0.77"


@covers("N58")
def test_an_address_that_the_machine_knows_already_has_none(machine: Namespace) -> None:
    """Its route stays the operator's, and the node is served through its tunnel."""
    plane, told = mag(OPEN), _Told()
    with machine.entered():
        output("ip", "route", "add", "10.1.0.2", "dev", "core0")
        plane.start(told)
        before = traces()
        plane.install(ONE)
        assert traces() == before
        plane.remove(ONE.key)
        assert traces() == before
        plane.stop()
    assert told.causes == ["add a route to 10.1.0.2: the kernel says: File exists"]


def test_what_cannot_be_done_whole_is_not_done_by_half(machine: Namespace) -> None:
    """Without the interface nobody could be answered there."""
    plane, told = mag(OPEN), _Told()
    with machine.entered():
        plane.start(told)
        output("ip", "link", "del", "lan0")
        before = traces()
        plane.install(ONE)
        assert traces() == before
        plane.stop()
    assert told.causes == ["answer ARP for 10.1.0.2: the kernel says: No such device"]


def test_what_somebody_removed_does_not_stop_the_stopping(machine: Namespace) -> None:
    plane = mag(OPEN)
    with machine.entered():
        before = traces()
        plane.start(None)
        plane.install(ONE)
        output("ip", "route", "del", "10.1.0.2")
        output("ip", "neigh", "del", "proxy", "10.1.0.2", "dev", "lan0")
        output("nft", "flush", "ruleset")
        plane.remove(ONE.key)
        plane.stop()
        assert traces() == before


def test_a_start_that_fails_leaves_nothing(machine: Namespace) -> None:
    other = mag(TRANSLATED)
    around = Namespace()
    machine.pair("mip-local0", around, "mip-local1")
    with machine.entered():
        before = traces()
        with pytest.raises(ForwardingError, match="mip-local0: an interface of that name exists"):
            other.start(None)
        assert traces() == before
        other.stop()
    around.close()


def test_a_network_that_is_reached_by_nobody(machine: Namespace) -> None:
    """Where would its hosts be answered?"""
    plane = mag(attrs.evolve(OPEN, prefixes=(prefix("172.16.0.0/24"),)))
    with machine.entered():
        before = traces()
        with pytest.raises(ForwardingError, match=r"find a route to 172\.16\.0\.0: .*unreachable"):
            plane.start(None)
        assert traces() == before


def test_many_changes_of_interfaces_are_one_to_look_at(machine: Namespace) -> None:
    """As where stations come and go as interfaces: each look reads all that is in the kernel's table."""
    with machine.entered():
        changes = InterfaceChanges()
        for number in range(5):
            output("ip", "address", "add", f"192.168.7.{100 + number}/24", "dev", "lan0")
        changes.read()
        with pytest.raises(BlockingIOError):
            changes.read()
        output("ip", "address", "flush", "dev", "lan0")
        assert changes.read()
        changes.close()


@covers("N58")
def test_it_routes_only_with_local_breakout(machine: Namespace) -> None:
    machine.setting("net/ipv4/ip_forward", "0")
    for rules, expected in ((None, "0\n"), (BreakoutRules(), "0\n"), (TRANSLATED, "1\n")):
        plane = mag(rules)
        with machine.entered():
            plane.start(None)
            with open("/proc/sys/net/ipv4/ip_forward") as setting:
                assert setting.read() == expected
            plane.stop()


def test_the_reverse_path_filter_may_be_strict(translated: Road) -> None:
    for name in ("all", "mip-local0", "lan0"):
        translated.mag.setting(f"net/ipv4/conf/{name}/rp_filter", "1")
    server = serving(translated, translated.fixed, "192.168.7.20")
    assert asked(translated, translated.mn, "192.168.7.20") == "desserts"
    translated.output(server)


def test_rules_that_nft_does_not_take_are_told(machine: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with machine.entered(), pytest.raises(ForwardingError, match=r"nft is missing.*strangers reach"):
        LocalRules(OPEN).install(["lan0"])


class _Told:
    """Hears who has no local breakout."""

    def __init__(self) -> None:
        self.causes: list[str] = []

    def breakout_refused(self, key: object, cause: str) -> None:
        self.causes.append(cause)
