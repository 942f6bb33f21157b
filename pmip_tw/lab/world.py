"""The laboratory's world: hosts, links and servers, each part started and stopped by itself.

    MN --- switch --- MAG 1 ---+
             |                 +--- core ---+--- LMA --- correspondent
             +------- MAG 2 ---+            +--- AAA

Between a MAG and the core there may be a NAT, between a MAG and its cell an access point (``sites``).

It is made inside the private world of ``isolation``, by a scenario that may leave parts out, restart them or give
them wrong settings.
"""

import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from pmip_tw.addresses import mac_text
from pmip_tw.lab.access_point import AIR, AccessPoint
from pmip_tw.lab.capture import Capture, Tap
from pmip_tw.lab.daemons import READY_SECONDS, SECRET, Daemons
from pmip_tw.lab.freeradius import PROGRAM as FREERADIUS
from pmip_tw.lab.freeradius import FreeRadius, RadiusUser, Tls
from pmip_tw.lab.heard import Listener
from pmip_tw.lab.nat_box import OUTSIDE, NatBox
from pmip_tw.lab.programs import available
from pmip_tw.lab.sites import AAA_ADDRESS, CORRESPONDENT, DIRECT, HOME, LMA_ADDRESS, Sites
from pmip_tw.lab.subscribers import SUBSCRIBER, Subscriber
from pmip_tw.lab.topology import Cells, Namespace, Network


class World(Daemons):
    """``directory`` takes configurations, logs and captures; ``say`` is told what happens, for people."""

    def __init__(
        self,
        directory: Path,
        say: Callable[[str], None],
        subscribers: tuple[Subscriber, ...] = (SUBSCRIBER,),
        sites: Sites = DIRECT,
    ) -> None:
        super().__init__(directory, subscribers, sites)
        self.say = say
        self.notes: list[str] = []

    # --- hosts and links --------------------------------------------------------------------------------

    def build(self) -> None:
        """All hosts and links, with addresses and routes, and nothing running. TopologyError if that fails."""
        network = self.network = Network()
        self.core = network.host("core")
        self.lma, self.aaa, self.correspondent = (
            network.host(name) for name in ("lma", "aaa", "correspondent")
        )
        self.mags = {name: network.host(name) for name in self.sites}
        self.nats: dict[str, NatBox] = {}
        self.access_points: dict[str, AccessPoint] = {}
        self.switch = network.host("switch")
        network.bridge(self.core, "bridge")
        self.connect(self.lma, LMA_ADDRESS)
        self.connect(self.aaa, AAA_ADDRESS)
        for name, site in self.sites.items():
            outermost = self.mags[name]
            if site.seen_as:
                self.nats[name] = NatBox(network, f"nat-{name}", outermost, site.address)
                outermost = self.nats[name].host
            self.connect(outermost, site.core_address)
        for nat in self.nats.values():
            nat.translate()

        network.link(self.lma, "net0", self.correspondent, "eth0")
        self.lma.ip("address add 203.0.113.1/24 dev net0")
        self.correspondent.ip(f"address add {CORRESPONDENT}/24 dev eth0", "route add default via 203.0.113.1")
        # As an operator would have it on any router.
        self.lma.set_sysctl({"net/ipv4/ip_forward": "1"})

        self.cells = Cells(network, self.switch)
        for name, host in self.mags.items():
            host.set_sysctl({"net/ipv4/ip_forward": "1"})
            self._add_cell(name, host)
        # An unmodified host keeps IPv6 on, and so does ours.
        self.mn = network.host("mn", ipv6=True)
        self.cells.add_node(self.mn, "eth0", mac_text(self.subscribers[0].mac), "cell-mag1")

    def connect(self, host: Namespace, address: str) -> None:
        """Connect its new interface core0, with that address, to the core."""
        port = f"to-{host.name}"
        self.network.link(host, OUTSIDE, self.core, port)
        self.core.ip(f"link set {port} master bridge")
        host.ip(f"address add {address}/24 dev {OUTSIDE}")

    def _add_cell(self, name: str, mag: Namespace) -> None:
        address = self.sites[name].access_point
        if not address:
            self.cells.add_cell(f"cell-{name}", mag, "acc0")
            return
        point = self.access_points[name] = AccessPoint(
            self.network, f"ap{name.removeprefix('mag')}", mag, address
        )
        self.connect(point.host, address)
        self.cells.add_cell(f"cell-{name}", point.host, AIR)
        point.open()

    def taps(self) -> list[Tap]:
        """Where a capture listens: at both ends, on both sides of each MAG, outside its NAT, before access points."""
        taps = [
            Tap(name="mn", namespace="mn", interface="eth0"),
            Tap(name="correspondent", namespace="correspondent", interface="eth0"),
        ]
        for name in self.mags:
            taps.append(Tap(name=f"{name}-access", namespace=name, interface="acc0"))
            taps.append(Tap(name=f"{name}-core", namespace=name, interface="core0"))
        for name, nat in self.nats.items():
            taps.append(Tap(name=f"{name}-nat", namespace=nat.host.name, interface=OUTSIDE))
        for name, point in self.access_points.items():
            taps.append(Tap(name=f"{name}-air", namespace=point.host.name, interface=AIR))
        return taps

    def listener(self) -> Listener:
        """What reads the capture of ``taps``. DHCP is heard at the MAGs, the talk of agents and servers as the core
        has it: behind a NAT if there is one."""
        inner = frozenset(f"{name}-core" for name in self.mags)
        outer = frozenset(f"{name}-nat" for name in self.nats)
        access = frozenset(f"{name}-access" for name in self.mags)
        return Listener(
            access_taps=access,
            eapol_taps=frozenset(f"{name}-air" for name in self.access_points) or access,
            core_taps=inner | outer,
            signalling_taps=outer or inner,
            home=HOME,
            nodes=frozenset(subscriber.mac for subscriber in self.subscribers),
        )

    async def start_capture(self, *more: Tap) -> Capture:
        """At all ``taps``, and ``more``."""
        path = self.directory / "capture.pcapng"
        return await Capture.start(path, [*self.taps(), *more], self.directory / "capture.log")

    # --- servers ----------------------------------------------------------------------------------------

    async def start_aaa(self, *, reject_delay: float = 0, secret: str = SECRET, behind: bool = False) -> None:
        """FreeRADIUS; without it nothing, because each MAG then has a file of users."""
        if not available(FREERADIUS):
            self.notes.append("FreeRADIUS is not installed: the MAGs authenticate from their own user file")
            return
        users = [subscriber.at_radius() for subscriber in self.subscribers]
        await self.run_aaa(self.freeradius(users, reject_delay=reject_delay, secret=secret), behind=behind)

    def freeradius(
        self,
        users: Sequence[RadiusUser],
        *,
        name: str = "freeradius",
        address: str = AAA_ADDRESS,
        reject_delay: float = 0,
        secret: str = SECRET,
        tls: Tls | None = None,
    ) -> FreeRadius:
        """A server that takes requests from everywhere in the core. ``name``: of its directory and its log; what is
        there of an earlier run goes."""
        shutil.rmtree(self.directory / name, ignore_errors=True)
        return FreeRadius(
            directory=self.directory / name,
            address=address,
            port=1812,
            secret=secret,
            clients="198.51.100.0/24",
            users=users,
            reject_delay=reject_delay,
            tls=tls,
        )

    async def run_aaa(
        self, server: FreeRadius, host: Namespace | None = None, *, behind: bool = False
    ) -> None:
        """Start it, on the AAA host if not said otherwise; ``by_radius`` from now on.

        ``behind``: it gives way to the other programs; a real one does its work on a machine of its own.
        """
        server.write()
        argv = [*(["nice"] if behind else []), *server.argv()]
        program = await self.start(server.directory.name, self.aaa if host is None else host, *argv)
        await program.said("Ready to process requests", within=READY_SECONDS)
        self.by_radius = True

    def radius_log(self) -> str:
        """What FreeRADIUS said so far."""
        return (self.directory / "freeradius.log").read_text()


@contextlib.asynccontextmanager
async def world(
    directory: Path,
    say: Callable[[str], None],
    subscribers: tuple[Subscriber, ...] = (SUBSCRIBER,),
    sites: Sites = DIRECT,
) -> AsyncIterator[World]:
    """A world that is built, and taken down whatever happens."""
    made = World(directory, say, subscribers, sites)
    try:
        made.build()
        yield made
    finally:
        await made.close()
