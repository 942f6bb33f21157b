"""The world of ``nat``: each MAG behind a NAT of its own, a DHCP server that only the LMA reaches, and bad company.

MN, neighbor --- cell 1 --- MAG 1 --- NAT 1 ---+
                                               +--- core ---+--- LMA ---+--- correspondent
newcomer ------- cell 2 --- MAG 2 --- NAT 2 ---+            |           +--- DHCP server
                                                            +--- FreeRADIUS, stranger
"""

from typing import Final

import attrs

from pmip_tw.addresses import Endpoint, ipv4, mac, mac_text
from pmip_tw.lab.capture import Capture, Tap
from pmip_tw.lab.dhcp_servers import SERVERS, Lease
from pmip_tw.lab.heard import Listener
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import Program, eventually
from pmip_tw.lab.scenarios import Chosen
from pmip_tw.lab.sites import BEHIND_NATS
from pmip_tw.lab.subscribers import Subscriber
from pmip_tw.lab.world import World

RELAY: Final = "192.0.2.1"
DHCP_SERVER: Final = "192.0.2.67"
STRANGER: Final = "198.51.100.66"

KEEPALIVE: Final = 10
"""Seconds, the least that there may be (N39); the NATs forget after 15."""

RENEW_AFTER: Final = 58
"""Seconds: T1. dhclient takes a quarter less at times, and is to be silent in the silence."""

# dnsmasq tells a script of identifiers only up to the first octet that is 0.
NODE: Final = Subscriber(
    mac=mac("02:4e:41:54:11:01"), nai="mn1@lab.example", spi=4096, key_text="0123456789abcdef"
)
NEIGHBOR: Final = Subscriber(
    mac=mac("02:4e:41:54:11:02"),
    nai="mn2@lab.example",
    spi=4097,
    key_text="another-key-of-33-octets-in-total",
)
NEWCOMER: Final = Subscriber(
    mac=mac("02:4e:41:54:11:03"), nai="mn3@lab.example", spi=4098, key_text="fedcba9876543210"
)
SUBSCRIBERS: Final = (NODE, NEIGHBOR, NEWCOMER)

OPTION_82: Final = ("circuit-id", "remote-id", "subscriber-id", "link-selection", "server-id-override")
"""What the LMA tells the DHCP server."""

_IMPATIENT: Final = "timeout 60;\nretry 1;\ninitial-interval 1;\nbackoff-cutoff 2;\n"
_MAG_SETTINGS: Final = 'dhcp = "tunnel"\n'
_LMA_SETTINGS: Final = f"""\
keepalive_interval = {KEEPALIVE}
pre_tunnel = true
dhcp_relay = {{ servers = ["{DHCP_SERVER}"], option_82 = {list(OPTION_82)} }}
"""
_POOL_SETTINGS: Final = 'assigned_by = "dhcp"\n'


class Stage:
    """The world and whom it has."""

    def __init__(self, world: World, chosen: Chosen) -> None:
        self.world = world
        self.server = SERVERS[chosen["dhcp-server"]]()
        network, cells = world.network, world.cells
        client = chosen["dhcp-client"]
        self.node = MobileNode(world, client=client)
        neighbor = network.host("neighbor")
        cells.add_node(neighbor, "eth0", mac_text(NEIGHBOR.mac), "cell-mag1")
        self.neighbor = MobileNode(world, neighbor, client=client)
        newcomer = network.host("newcomer")
        cells.add_node(newcomer, "eth0", mac_text(NEWCOMER.mac), "cell-mag2")
        self.newcomer = MobileNode(world, newcomer, config=_IMPATIENT, client="dhclient")
        self.dhcp = network.host("dhcp")
        network.link(world.lma, "dhcp0", self.dhcp, "eth0")
        world.lma.ip(f"address add {RELAY}/24 dev dhcp0")
        self.dhcp.ip(f"address add {DHCP_SERVER}/24 dev eth0", f"route add default via {RELAY}")
        self.stranger = network.host("stranger")
        world.connect(self.stranger, STRANGER)

    # --- programs ---------------------------------------------------------------------------------------

    async def start_dhcp_server(self, name: str = "dhcp-server") -> Program:
        """``name``: of its log."""
        argv = self.server.prepare(DHCP_SERVER, RENEW_AFTER)
        program = await self.world.start(name, self.dhcp, *argv)
        await program.said(self.server.ready, within=15)
        return program

    async def start_lma(self) -> None:
        await self.world.start_lma(_LMA_SETTINGS, pool_extra=_POOL_SETTINGS)

    async def start_mag(self, name: str) -> None:
        await self.world.start_mag(name, _MAG_SETTINGS)

    async def start_capture(self) -> Capture:
        return await self.world.start_capture(Tap(name="dhcp", namespace="dhcp", interface="eth0"))

    def listener(self) -> Listener:
        """What reads that capture."""
        return attrs.evolve(self.world.listener(), server_taps=frozenset({"dhcp"}))

    # --- questions --------------------------------------------------------------------------------------

    def lease_of(self, subscriber: Subscriber) -> Lease | None:
        """What the server's lease file has for it."""
        return next((lease for lease in self.server.leases() if lease.mac == subscriber.mac), None)

    async def lease_kept(self, subscriber: Subscriber) -> Lease | None:
        """The same, when the server has had time to write down also what the relay agent told."""

        async def complete() -> bool:
            lease = self.lease_of(subscriber)
            return lease is not None and bool(lease.agent)

        await eventually(complete, within=2)
        return self.lease_of(subscriber)

    async def endpoints(self) -> list[str]:
        """Where the LMA's tunnels lead: public addresses and the ports that the NATs have chosen."""
        return sorted(row["remote"] for row in (await self.world.ask("lma", "show", "tunnels"))["tunnels"])

    async def state(self) -> list[tuple[str, ...]]:
        """Who is bound where, and where the tunnels lead, without what time and traffic change."""
        wanted = ("nai", "home_address", "mag", "tunnel")
        rows = [tuple(str(row[column]) for column in wanted) for row in await self.world.bindings()]
        return sorted([*rows, *((endpoint,) for endpoint in await self.endpoints())])

    async def endpoint(self) -> Endpoint:
        """Where the LMA's tunnel to the node leads, as NAT 1 made it."""
        public = BEHIND_NATS["mag1"].seen_as
        address, _, port = next(
            one for one in await self.endpoints() if one.startswith(f"{public}:")
        ).partition(":")
        return Endpoint(ipv4(address), int(port))
