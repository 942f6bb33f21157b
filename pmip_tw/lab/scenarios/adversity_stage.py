"""The world of ``adversity``: one MAG with two access links, more hosts than it likes, and questions to ask.

MN, neighbor, newcomer, crowd --- switch --- MAG (acc0)
double (with the MN's MAC) ----------------- MAG (acc1)
stranger --- core
"""

import time
from typing import Any, Final

import attrs

from pmip_tw.addresses import Ipv4, ipv4, mac, mac_text
from pmip_tw.lab.daemons import SECRET
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import eventually
from pmip_tw.lab.report import Result
from pmip_tw.lab.subscribers import SUBSCRIBER, Subscriber
from pmip_tw.lab.world import World

MAG: Final = "mag1"
GATEWAY: Final = ipv4("10.1.0.1")
GATEWAY_MAC: Final = mac("02:00:5e:50:4d:49")
STRANGER: Final = "198.51.100.66"
REJECT_DELAY: Final = 1.0
SEED: Final = 434
"""Every run sends the same."""

NEIGHBOR: Final = Subscriber(
    mac=mac("02:00:00:00:00:02"),
    nai="mn2@lab.example",
    spi=4097,
    key_text="another-key-of-33-octets-in-total",
)
NEWCOMER: Final = Subscriber(
    mac=mac("02:00:00:00:00:03"), nai="mn3@lab.example", spi=4098, key_text="fedcba9876543210"
)
SUBSCRIBERS: Final = (SUBSCRIBER, NEIGHBOR, NEWCOMER)

_DHCLIENT: Final = "timeout 60;\nretry 1;\ninitial-interval 1;\nbackoff-cutoff 2;\n"
"""An impatient client, so that a scenario need not wait for it."""

_MAG_SETTINGS: Final = """\
lifetime = 8

[[mag.access]]
interface = "acc1"

[mag.radius]
timeout = 1.2
tries = 2
"""
"""It gives up soon, but not before a server that holds refusals back for a second has answered. Renewals come often."""


@attrs.frozen(slots=True, kw_only=True)
class Trouble:
    """A line of the story: what was wrong, what the trace said, milliseconds until all was well (None: never)."""

    what: str
    said: str
    recovered_ms: float | None

    @property
    def check(self) -> str:
        """Its check's name."""
        return f"{self.what}: no address, and the trace says why"


class Stage:
    """The world, whom it has, and what came out so far.

    ``home_address``: of the MN, once it is served. ``noise``: what was counted of it by MAG and LMA, by reason.
    """

    def __init__(self, world: World, result: Result) -> None:
        self.world = world
        world.ahead = True
        self.result = result
        self.troubles: list[Trouble] = []
        self.noise: dict[str, dict[str, int]] = {}
        self.home_address = Ipv4(0)
        network, cells = world.network, world.cells
        self.node = MobileNode(world, config=_DHCLIENT)
        others = []
        for subscriber, name in ((NEIGHBOR, "neighbor"), (NEWCOMER, "newcomer")):
            host = network.host(name)
            cells.add_node(host, "eth0", mac_text(subscriber.mac), f"cell-{MAG}")
            others.append(MobileNode(world, host, config=_DHCLIENT))
        self.neighbor, self.newcomer = others
        self.crowd = network.host("crowd")
        cells.add_node(self.crowd, "eth0", "02:00:00:00:00:66", f"cell-{MAG}")
        self.double = network.host("double")
        network.link(world.mags[MAG], "acc1", self.double, "eth0")
        self.stranger = network.host("stranger")
        world.connect(self.stranger, STRANGER)

    # --- daemons ----------------------------------------------------------------------------------------

    async def start_mag(self, secret: str = SECRET) -> None:
        self.world.keep_log(MAG)
        await self.world.start_mag(MAG, _MAG_SETTINGS, secret=secret)

    async def start_aaa(self) -> None:
        self.world.keep_log("freeradius")
        await self.world.start_aaa(reject_delay=REJECT_DELAY, behind=True)

    async def start_lma(self, **settings: Any) -> None:
        self.world.keep_log("lma")
        await self.world.start_lma(**settings)

    async def restart_lma(self, **settings: Any) -> None:
        await self.world.stop("lma")
        await self.start_lma(**settings)

    def tracebacks(self) -> list[str]:
        """Logs of our daemons, of every run, that have a traceback in them."""
        return self.world.tracebacks(MAG, "lma")

    # --- questions --------------------------------------------------------------------------------------

    async def nobody_is_served(self, nai: str) -> bool:
        """Wait until neither the MAG nor the LMA has that node any more."""

        async def gone() -> bool:
            rows = [*await self.world.visitors(MAG), *await self.world.bindings()]
            return all(row["nai"] != nai for row in rows)

        return await eventually(gone, within=5)

    async def state(self) -> list[tuple[str, ...]]:
        """Who is where, without what time and traffic change."""
        wanted = ("nai", "mac", "port", "state", "home_address", "care_of_address", "tunnel")
        rows = [*await self.world.visitors(MAG), *await self.world.bindings()]
        return sorted(tuple(str(row.get(column, "")) for column in wanted) for row in rows)


def milliseconds_since(began: float) -> float:
    """``began``: monotonic seconds."""
    return round((time.monotonic() - began) * 1000, 1)
