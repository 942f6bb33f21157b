"""The world of ``dot1x``: nobody is served who has not proven himself by 802.1X.

MN, outsider --- cell 1 --- [AP 1] --- MAG 1 ---+
                 cell 2 --- [AP 2] --- MAG 2 ---+--- core --- LMA --- correspondent
                                                |
                                   FreeRADIUS --+--- stranger

The access points are there with ``ap=hostapd``: they authenticate, and have their MAG as RADIUS server.
"""

import asyncio
from typing import Final

import attrs

from pmip_tw.addresses import mac, mac_text
from pmip_tw.lab.access_point import DISCONNECT_PORT, PROVEN, WIRE
from pmip_tw.lab.access_point import PROGRAM as HOSTAPD
from pmip_tw.lab.capture import Capture, Tap
from pmip_tw.lab.certificates import Authority
from pmip_tw.lab.daemons import SECRET
from pmip_tw.lab.dynamic_client import Answer, request
from pmip_tw.lab.freeradius import Attachment, Keys, RadiusUser, Record, Tls, attachments, records
from pmip_tw.lab.heard import Listener
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.port_counters import Counted, PortCounters, total
from pmip_tw.lab.programs import Program, eventually
from pmip_tw.lab.scenarios import Chosen
from pmip_tw.lab.sites import AAA_ADDRESS
from pmip_tw.lab.subscribers import SUBSCRIBER
from pmip_tw.lab.supplicant import Account, Supplicant
from pmip_tw.lab.topology import Namespace
from pmip_tw.lab.world import World

NODE: Final = SUBSCRIBER
OUTSIDER: Final = mac("02:00:00:00:00:66")
STRANGER: Final = "198.51.100.66"

PASSWORD: Final = "password-of-the-mobile-node"
CHANGE_SECRET: Final = "secret-of-dynamic-authorization"
POINT_SECRET: Final = "secret-of-the-access-points"
SECRETS: Final = (PASSWORD, SECRET, CHANGE_SECRET, POINT_SECRET)
"""What no log may have in it."""

CLASSES: Final = ("0x676f6c64", "0x70657220766f6c756d65")
FILTER: Final = "no-ping"
OPEN: Final = "everything"

_ACCESS: Final = {
    "mag": 'authentication = "802.1x"\n',
    "hostapd": 'authentication = "radius-proxy"\n',
}
_MAG: Final = f"""\
[mag.accounting]
enabled = true
spool = "/run/pmip-{{name}}.accounting"

[[mag.filters]]
name = "{FILTER}"
rules = ["deny both icmp any"]
default = "permit"

[[mag.filters]]
name = "{OPEN}"
default = "permit"

[mag.dynamic_authorization]

[[mag.dynamic_authorization.clients]]
address = "{AAA_ADDRESS}"
secret = "text:{CHANGE_SECRET}"
"""
_PROXY: Final = """\
[mag.radius_proxy]

[[mag.radius_proxy.clients]]
address = "{address}"
secret = "text:{secret}"
interface = "acc0"
disconnect_port = {port}
"""
_LMA: Final = f"""\
[lma.radius]

[[lma.radius.servers]]
address = "{AAA_ADDRESS}"
secret = "text:{SECRET}"
"""


class Stage:
    """The world and whom it has."""

    def __init__(self, world: World, chosen: Chosen) -> None:
        self.world = world
        self.method = chosen["eap"]
        self.by_access_points = bool(chosen["ap"] == HOSTAPD)
        self._access = _ACCESS[chosen["ap"]]
        network, cells = world.network, world.cells
        authority = Authority()
        self.node = MobileNode(world)
        account = Account(identity=NODE.nai, password=PASSWORD, authority=authority)
        self.supplicant = Supplicant(world, world.mn, account, self.method)
        self.outsider = network.host("outsider")
        cells.add_node(self.outsider, "eth0", mac_text(OUTSIDER), "cell-mag1")
        self.stranger = network.host("stranger")
        world.connect(self.stranger, STRANGER)
        self._hostapd: dict[str, Program] = {}
        self.server = world.freeradius([_user()], tls=Tls(authority=authority))
        # As a network card has it, whose every packet is one of the wire: so that octets can be compared.
        world.mn.ip("link set dev eth0 gso_max_segs 1")
        # An access point keeps back what comes too early: what counts is what it lets pass.
        points = [
            PortCounters(one.host, WIRE, NODE.mac, behind=False) for one in world.access_points.values()
        ]
        self._ports = points or [PortCounters(world.switch, f"to-{world.mn.name}", NODE.mac)]

    # --- programs ---------------------------------------------------------------------------------------

    async def start_aaa(self) -> None:
        await self.world.run_aaa(self.server)

    async def start_lma(self) -> None:
        """It knows nobody: it asks AAA for every key."""
        await self.world.start_lma(_LMA, subscribers=())

    async def start_mag(self, name: str) -> None:
        point = self.world.access_points.get(name)
        proxy = (
            _PROXY.format(address=point.address, secret=POINT_SECRET, port=DISCONNECT_PORT) if point else ""
        )
        await self.world.start_mag(name, _MAG.format(name=name) + proxy, access=self._access)

    async def start_access_points(self) -> None:
        world = self.world
        for name, point in world.access_points.items():
            command = point.command(world.directory, world.sites[name].address, 1812, 1813, POINT_SECRET)
            program = await world.start(f"hostapd-{point.name}", point.host, *command)
            await program.said("AP-ENABLED", within=10)
            self._hostapd[name] = program

    async def start_capture(self) -> Capture:
        return await self.world.start_capture(Tap(name="lma", namespace="lma", interface="core0"))

    def listener(self) -> Listener:
        """What reads that capture: the LMA's questions to AAA are heard where it is."""
        return attrs.evolve(self.world.listener(), radius_taps=frozenset({"lma"}))

    # --- the node and those who know it -----------------------------------------------------------------

    async def authenticate(self) -> None:
        """The node proves itself for the first time. ProgramError: it is not taken."""
        self.expected("mag1")
        await self.supplicant.start()
        await self.arrived("mag1")
        await self.supplicant.succeeded(within=15)

    def expected(self, mag: str) -> None:
        """That MAG's access point, if it has one, lets nothing of the node pass before it has proven itself there."""
        point = self.world.access_points.get(mag)
        if point is not None:
            point.keep_out(NODE.mac)

    async def arrived(self, mag: str) -> None:
        """A radio of that MAG's access point has noticed the node, and lets it in when it has proven itself. A MAG by
        itself notices its packets."""
        point = self.world.access_points.get(mag)
        if point is not None:
            hostapd = self._hostapd[mag]
            mark = hostapd.lines
            await point.associated(NODE.mac)
            await hostapd.said(PROVEN.format(mac_text(NODE.mac)), within=10, since=mark)
            point.let_in(NODE.mac)

    def forget_sessions(self) -> None:
        """The server forgets all TLS sessions: whoever comes next proves himself at length."""
        for path in (self.server.directory / "sessions").iterdir():
            path.unlink()

    def attachments(self) -> list[Attachment]:
        """Whom the server has accepted, in order."""
        path = self.server.attachments
        return attachments(path.read_text()) if path.exists() else []

    async def counted(self) -> tuple[Counted, Counted]:
        """What nftables has counted from the node and to it."""
        read = await asyncio.gather(*(port.read() for port in self._ports))
        up, down = zip(*read, strict=True)
        return total(up), total(down)

    def records(self) -> list[Record]:
        """The accounting records that the server has written down."""
        path = self.server.detail
        return records(path.read_text()) if path.exists() else []

    async def records_complete(self, stops: int) -> bool:
        """Wait until the MAGs have told of the end of so many sessions."""

        async def complete() -> bool:
            return sum(1 for one in self.records() if one["Acct-Status-Type"] == ("Stop",)) >= stops

        return await eventually(complete, within=10, pause=0.1)

    async def ask_mag(self, mag: str, kind: str, *attributes: str, name: str) -> Answer:
        """As AAA does: change the node's session at ``mag``, or end it."""
        return await self.ask_mag_as(self.world.aaa, mag, kind, CHANGE_SECRET, *attributes, name=name)

    async def ask_mag_as(
        self,
        host: Namespace,
        mag: str,
        kind: str,
        secret: str,
        *attributes: str,
        name: str,
        instant: float | None = None,
    ) -> Answer:
        """The same from any host, with any secret, as if it were of any instant."""
        address = self.world.sites[mag].address
        return await request(self.world, host, kind, address, secret, *attributes, name=name, instant=instant)

    async def state(self) -> list[tuple[str, ...]]:
        """Who is served where, without what time and traffic change."""
        wanted = ("nai", "mac", "port", "state", "home_address", "care_of_address", "tunnel")
        rows = [row for name in self.world.mags for row in await self.world.visitors(name) if row["nai"]]
        rows += await self.world.bindings()
        return sorted(tuple(str(row.get(column, "")) for column in wanted) for row in rows)


def _user() -> RadiusUser:
    return attrs.evolve(
        NODE.at_radius(),
        keys=Keys.DERIVED,
        by_mac=False,
        password=PASSWORD,
        attributes=[f"Class = {CLASSES[0]}", f"Class += {CLASSES[1]}", "Session-Timeout = 3600"],
    )


EAP_METHODS: Final = {"ttls": "wpa_supplicant", "peap": "wpa_supplicant", "tls": "wpa_supplicant"}
ACCESS_POINTS: Final = {"mag": "wpa_supplicant", HOSTAPD: HOSTAPD}
"""What there is to choose from, each with the program that it needs."""
