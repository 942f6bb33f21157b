"""A whole road with kernels at its ends: an unmodified host, a MAG's plane, an LMA's plane, a correspondent.

mn [mn0] ---- [acc0] mag [core0] ==tunnel== [core1] lma [srv0] ---- [cn0] cn
10.1.0.2             192.0.2.1              192.0.2.10  10.9.0.1        10.9.0.2
                     [lan0] 192.168.7.1 ---- [fix0] fixed 192.168.7.20, beside the road
"""

import array
import fcntl
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from pmip_tw.addresses import Ipv4, ipv4, prefix
from pmip_tw.forwarding.access import TunAccess
from pmip_tw.forwarding.anchor import TunAnchor
from pmip_tw.forwarding.breakout import BreakoutRules
from pmip_tw.forwarding.home_domain import HomeDomain
from pmip_tw.forwarding.link import Link
from pmip_tw.forwarding.memory import far_end
from pmip_tw.mobility.tunnels import AccessEntry, AnchorEntry
from tests.loops import private_reactor

from .namespaces import Namespace
from .packets import GATEWAY_MAC, HOME
from .worlds import LOCAL, PEERS, HandedUp, LoopSignalling, tunnel

SECONDS = 30.0

_SIOCETHTOOL = 0x8946
_ETHTOOL_STSO = 0x1F
_WAIT_FOR_MORE = """
mount -t sysfs sysfs /sys
echo 1 > /sys/class/net/$1/napi_defer_hard_irqs
echo 2000000 > /sys/class/net/$1/gro_flush_timeout
"""


class Road:
    """Both planes on one reactor; the offloads of every interface are as the kernel made them.

    ``shape``: the tunnel between them, as ``worlds.tunnel`` takes it. With ``breakout`` there is a fixed host, which
    believes that all of 10.0.0.0/8 is on its link.
    """

    def __init__(self, breakout: BreakoutRules | None = None, **shape: Any) -> None:
        self.stack = ExitStack()
        self.reactor = self.stack.enter_context(private_reactor())
        self.mn, self.mag, self.lma, self.cn = (self._namespace() for _ in range(4))
        self.mn.pair("mn0", self.mag, "acc0")
        self.mag.pair("core0", self.lma, "core1")
        self.lma.pair("srv0", self.cn, "cn0")
        self.mag.address("core0", "192.0.2.1")
        self.lma.address("core1", "192.0.2.10")
        self.lma.address("srv0", "10.9.0.1")
        self.cn.address("cn0", "10.9.0.2")
        self.cn.route("default", "10.9.0.1")
        self.mn.address("mn0", "10.1.0.2")
        self.mn.neighbor("mn0", "10.1.0.1", GATEWAY_MAC.hex(":"))
        self.mn.route("default", "10.1.0.1")
        # A kernel that would forward natively, past the tunnel, if it were let.
        self.mag.setting("net/ipv4/ip_forward", "1")
        self.mag.set_mac("acc0", GATEWAY_MAC.hex(":"))
        self.mag.route("10.9.0.0/24", "192.0.2.10")
        if breakout is not None:
            self._add_fixed_host()
        way = tunnel(**shape)
        self.receiver = HandedUp()
        with self.mag.entered():
            signalling = self._signalling(LOCAL)
            self.access = TunAccess(
                reactor=self.reactor,
                monotonic=time.monotonic,
                signalling=signalling,
                local=LOCAL,
                interfaces=("acc0",),
                gateway_mac=GATEWAY_MAC,
                gateway_for=lambda home_address: ipv4("10.1.0.1"),
                breakout=breakout,
            )
            self.access.start(self.receiver)
            signalling.start_tunnel_data(self.access)
        self.stack.callback(self._stop, self.mag, self.access)
        with self.lma.entered():
            signalling = self._signalling(PEERS[0])
            self.anchor = TunAnchor(
                reactor=self.reactor,
                monotonic=time.monotonic,
                signalling=signalling,
                local=PEERS[0],
                domains=(HomeDomain(prefixes=(prefix("10.1.0.0/24"),)),),
            )
            self.anchor.start(None)
            signalling.start_tunnel_data(self.anchor)
        self.stack.callback(self._stop, self.lma, self.anchor)
        mac = self.mn.mac("mn0")
        self.access_entry = AccessEntry(port="acc0", mac=mac, home_address=HOME, tunnel=way)
        self.anchor_entry = AnchorEntry(home_address=HOME, tunnel=far_end(way))
        with self.mag.entered():
            self.access.install(self.access_entry)
        with self.lma.entered():
            self.anchor.install(self.anchor_entry)

    def _add_fixed_host(self) -> None:
        self.fixed = self._namespace()
        self.mag.pair("lan0", self.fixed, "fix0")
        self.mag.address("lan0", "192.168.7.1")
        self.fixed.address("fix0", "192.168.7.20")
        self.fixed.link_route("10.0.0.0/8", "fix0")
        # The kernel lets others be faster with an answer: this long at most.
        self.mag.setting("net/ipv4/neigh/lan0/proxy_delay", "10")

    def _namespace(self) -> Namespace:
        made = Namespace()
        self.stack.callback(made.close)
        return made

    def _signalling(self, local: Ipv4) -> LoopSignalling:
        made = LoopSignalling(self.reactor, local)
        self.stack.callback(made.stop)
        return made

    def _stop(self, where: Namespace, plane: TunAccess | TunAnchor) -> None:
        with where.entered():
            plane.stop()

    def program(self, where: Namespace, *command: str) -> "subprocess.Popen[str]":
        """Start a program; it is killed when the road is closed."""
        with where.entered():
            started = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.stack.callback(_end, started)
        return started

    def merge_received(self, where: Namespace, name: str) -> None:
        """Make a veth merge what it receives, as a network card does: GRO on, and time to wait for more."""
        with where.entered():
            command = array.array("I", (_ETHTOOL_STSO, 0))
            request = struct.pack("16sP", name.encode(), command.buffer_info()[0])
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                fcntl.ioctl(sock, _SIOCETHTOOL, request.ljust(40, b"\0"))
            Link(name).restore_merging((1, 0))
        self.output(self.program(where, "unshare", "-m", "sh", "-ec", _WAIT_FOR_MORE, "sh", name))

    def until(self, condition: Callable[[], Any], seconds: float = SECONDS) -> None:
        """Let both planes work until ``condition`` holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (
                f"not in {seconds} s; {self.access.drops()} {self.anchor.drops()}"
            )
            self.reactor.iterate(0.05)

    def output(self, program: "subprocess.Popen[str]", seconds: float = SECONDS) -> str:
        """What ``program`` wrote, after it ended well."""
        self.until(lambda: program.poll() is not None, seconds)
        assert program.stdout is not None
        text = program.stdout.read()
        assert program.returncode == 0, text
        return text

    def close(self) -> None:
        self.stack.close()


def _end(program: "subprocess.Popen[str]") -> None:
    if program.poll() is None:
        program.kill()
    program.communicate()
