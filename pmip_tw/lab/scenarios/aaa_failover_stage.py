"""The world of ``aaa-failover``: two AAA servers with the same data, and nodes that come and go.

MN, node 2 ... node 5 --- cell 1 --- MAG 1 ---+--- core --- LMA --- correspondent
                                              |
                          FreeRADIUS 1 and 2 -+
"""

import signal
from typing import Final

from pmip_tw.addresses import mac, mac_text
from pmip_tw.lab.daemons import SECRET
from pmip_tw.lab.freeradius import FreeRadius, Record, records
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.sites import AAA_ADDRESS
from pmip_tw.lab.subscribers import SUBSCRIBER, Subscriber
from pmip_tw.lab.topology import Namespace
from pmip_tw.lab.world import World

MAG: Final = "mag1"
SECOND_ADDRESS: Final = "198.51.100.54"
SERVERS: Final = ("freeradius-1", "freeradius-2")
SUBSCRIBERS: Final = (
    SUBSCRIBER,
    *(
        Subscriber(
            mac=mac(f"02:00:00:00:00:0{number}"),
            nai=f"mn{number}@lab.example",
            spi=4095 + number,
            key_text=f"key-of-mobile-node-{number}",
        )
        for number in range(2, 6)
    ),
)

SERVED, LEAVES_LATER, FAILED_OVER, LEAVES_IN_THE_DARK, WAITS = range(5)
"""The nodes by what they are here for: there from the beginning to the end; until the servers are back; comes when
one server is down; leaves when both are; comes when both are."""

_IMPATIENT: Final = "timeout 60;\nretry 1;\ninitial-interval 1;\nbackoff-cutoff 1;\n"
_RADIUS: Final = f"""\
[mag.radius]
timeout = 0.5
tries = 2

[[mag.radius.servers]]
address = "{AAA_ADDRESS}"
secret = "text:{SECRET}"

[[mag.radius.servers]]
address = "{SECOND_ADDRESS}"
secret = "text:{SECRET}"
"""
_SETTINGS: Final = """\
reject_hold = 1

[mag.accounting]
enabled = true
spool = "/run/pmip-mag1.accounting"
"""


class Stage:
    """The world and whom it has. ``nodes``: the first one is the world's own."""

    def __init__(self, world: World) -> None:
        self.world = world
        network, cells = world.network, world.cells
        self.second = network.host("aaa2")
        world.connect(self.second, SECOND_ADDRESS)
        self.nodes = [MobileNode(world, config=_IMPATIENT)]
        for subscriber in SUBSCRIBERS[1:]:
            host = network.host(f"mn{len(self.nodes) + 1}")
            cells.add_node(host, "eth0", mac_text(subscriber.mac), f"cell-{MAG}")
            self.nodes.append(MobileNode(world, host, config=_IMPATIENT))
        users = [subscriber.at_radius() for subscriber in SUBSCRIBERS]
        self.servers: dict[str, tuple[FreeRadius, Namespace]] = {
            name: (world.freeradius(users, name=name, address=address), host)
            for name, address, host in zip(
                SERVERS, (AAA_ADDRESS, SECOND_ADDRESS), (world.aaa, self.second), strict=True
            )
        }

    async def start_server(self, name: str) -> None:
        """Its accounting records of before are kept."""
        self.world.keep_log(name)
        server, host = self.servers[name]
        await self.world.run_aaa(server, host)

    async def kill_server(self, name: str) -> None:
        await self.world.stop(name, signal.SIGKILL)

    async def start_mag(self) -> None:
        self.world.keep_log(MAG)
        await self.world.start_mag(MAG, _SETTINGS, aaa=_RADIUS)

    async def kill_mag(self) -> None:
        """As a machine dies: not a word to anybody."""
        await self.world.stop(MAG, signal.SIGKILL)

    async def waiting(self) -> int:
        """Accounting records that the MAG keeps for its servers."""
        rows = (await self.world.ask(MAG, "show", "accounting"))["accounting"]
        return sum(row["waiting"] for row in rows)

    def records(self) -> list[tuple[int, Record]]:
        """What the servers have written down of the nodes, by the server's number."""
        return [
            (number, record)
            for number, (server, _) in enumerate(self.servers.values(), 1)
            if server.detail.exists()
            for record in records(server.detail.read_text())
            if "User-Name" in record
        ]
