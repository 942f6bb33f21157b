"""Access points that authenticate by themselves, with the MAG as their RADIUS server; run by test_radius_proxy.py.

    node (wpa_supplicant, dhclient) --- ap1 (hostapd) --- mag1 ---+--- lma
             |                                                    +--- FreeRADIUS
             +--- ap2 (hostapd) --- mag2 -------------------------+

The node is nobody before it has proven itself to its access point, has service after it, moves to the other one and
keeps its address. The operator throws it off, then AAA (radclient), it comes back. A MAG loses
its journal, and an access point ends. Prints one JSON object with what was seen.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

import attrs

from pmip_tw.lab.access_point import DISCONNECT_PORT
from pmip_tw.lab.certificates import Authority
from pmip_tw.lab.dynamic_client import request
from pmip_tw.lab.freeradius import Tls, records
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import eventually, run
from pmip_tw.lab.sites import AAA_ADDRESS, BEHIND_ACCESS_POINTS, CORRESPONDENT
from pmip_tw.lab.subscribers import SUBSCRIBER
from pmip_tw.lab.supplicant import Account, Supplicant
from pmip_tw.lab.world import World, world
from tests.interop.private_story import play

SECRET = "of-the-access-points"
PASSWORD = "letmein-please"
PROXY = """
[mag.radius_proxy]
forward_accounting = true
[[mag.radius_proxy.clients]]
address = "{address}"
secret = "text:{secret}"
interface = "acc0"
disconnect_port = {port}
[mag.dynamic_authorization]
ahead = 0
[[mag.dynamic_authorization.clients]]
address = "{aaa}"
secret = "text:{secret}"
"""


class Campus:
    """The world, and what is asked of it again and again."""

    def __init__(self, made: World, authority: Authority) -> None:
        self.made = made
        self.authority = authority
        self.supplicant: Supplicant

    async def start(self) -> None:
        made = self.made
        user = attrs.evolve(
            SUBSCRIBER.at_radius(),
            by_mac=False,
            password=PASSWORD,
            attributes=["Session-Timeout = 3600"],
        )
        self.aaa = made.freeradius([user], tls=Tls(authority=self.authority))
        await made.run_aaa(self.aaa)
        await made.start_lma()
        for name, site in made.sites.items():
            await self.start_mag(name)
            point = made.access_points[name]
            command = point.command(made.directory, site.address, 1812, 1813, SECRET)
            hostapd = await made.start(point.name, point.host, *command)
            await hostapd.said("AP-ENABLED", within=10)

    async def start_mag(self, name: str) -> None:
        address = self.made.sites[name].access_point
        proxy = PROXY.format(address=address, secret=SECRET, port=DISCONNECT_PORT, aaa=AAA_ADDRESS)
        await self.made.start_mag(name, access=f'authentication = "radius-proxy"\n{proxy}')

    async def thrown_off(self, name: str) -> bool:
        """Whether a station is, which goes on sending."""

        async def disconnected() -> bool:
            await self.ping()
            return (await self.made.counts(name))["station-disconnected", ""] > 0

        return await eventually(disconnected, within=30, pause=1)

    async def prove(self) -> None:
        """The node begins to say who it is."""
        account = Account(identity=SUBSCRIBER.nai, password=PASSWORD, authority=self.authority)
        self.supplicant = Supplicant(self.made, self.made.mn, account, "ttls")
        await self.supplicant.start()
        await self.supplicant.succeeded(within=20)

    async def begin_anew(self) -> None:
        """A radio would notice that it was thrown off; on a cable somebody has to. hostapd does it once more 5 s later,
        to whoever has not associated again, and on a cable nobody does.
        """
        await self.supplicant.stop()
        await asyncio.sleep(6)
        await self.prove()

    async def served(self, name: str, *, within: float = 10.0) -> float | None:
        """Seconds until it has service at a MAG; None if it does not."""
        begun = time.monotonic()

        async def registered() -> bool:
            return [row["state"] for row in await self.made.visitors(name)] == ["registered"]

        return time.monotonic() - begun if await eventually(registered, within=within, pause=0.05) else None

    async def empty(self, name: str) -> bool:
        async def nobody() -> bool:
            return not await self.made.visitors(name)

        return await eventually(nobody, within=10)

    async def ping(self) -> bool:
        argv = self.made.mn.command("ping", "-c", "1", "-W", "3", CORRESPONDENT)
        status, _, _ = await run(argv)
        return status == 0

    async def points(self, name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.made.ask(name, "show", "access-points"))["access-points"]
        return rows

    async def trace(self, name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.made.ask(name, "trace", SUBSCRIBER.nai))["trace"]
        return rows


async def thrown_off(campus: Campus, seen: dict[str, Any]) -> None:
    """By the operator, and by AAA."""
    made = campus.made
    await made.ask("mag2", "detach", SUBSCRIBER.nai)
    seen["thrown off"] = await campus.empty("mag2")
    seen["no service"] = not await campus.ping()
    await campus.begin_anew()
    seen["back"] = await campus.served("mag2")
    seen["reaches again"] = await eventually(campus.ping, within=10)

    station = 'Calling-Station-Id="02-00-00-00-00-01"', 'NAS-Identifier="mag2.lab.example"'
    address = made.sites["mag2"].address
    answer = await request(made, made.aaa, "disconnect", address, SECRET, *station, name="radclient")
    seen["answer to AAA"] = answer.code
    seen["thrown off by AAA"] = await campus.empty("mag2")
    seen["told to throw off"] = (await made.counts("mag2"))["station-disconnected", ""]
    await campus.begin_anew()
    seen["back once more"] = await campus.served("mag2")


async def forgotten(campus: Campus, seen: dict[str, Any]) -> None:
    """A MAG begins without its journal."""
    made = campus.made
    await made.stop("mag2")
    made.keep_log("mag2")
    for file in Path("/run").glob("pmip-mag2.journal*"):
        file.unlink()
    await campus.start_mag("mag2")
    seen["forgotten"] = await made.visitors("mag2")
    seen["thrown off as forgotten"] = await campus.thrown_off("mag2")
    await campus.begin_anew()
    seen["back after all"] = await campus.served("mag2")


async def story(directory: Path) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    async with world(directory, lambda _: None, sites=BEHIND_ACCESS_POINTS) as made:
        campus = Campus(made, Authority())
        await campus.start()
        made.cells.move(made.mn, "cell-mag1")
        node = MobileNode(made)
        await node.ask()
        seen["asked in vain"] = await node.asked(times=2)
        seen["nobody"] = await made.visitors("mag1")
        seen["refused frames"] = (await made.counts("mag1"))["frame-dropped", "not-authenticated"]

        await campus.prove()
        seen["served"] = await campus.served("mag1")
        seen["address"] = await node.bound(within=30)
        seen["reaches"] = await eventually(campus.ping, within=10)
        seen["visitor"] = (await made.visitors("mag1"))[0]
        seen["access points"] = await campus.points("mag1")

        made.cells.move(made.mn, "cell-mag2")
        await made.access_points["mag2"].associated(SUBSCRIBER.mac)
        seen["moved"] = await campus.served("mag2")
        seen["reaches after the move"] = await eventually(campus.ping, within=10)
        seen["left behind"] = not await campus.empty("mag1")
        seen["bindings"] = [row["home_address"] for row in await made.bindings()]

        await thrown_off(campus, seen)
        await forgotten(campus, seen)

        await made.stop(made.access_points["mag2"].name)
        seen["ended with its access point"] = await campus.empty("mag2")
        seen["mag1"], seen["mag2"] = await campus.trace("mag1"), await campus.trace("mag2")
        seen["counts"] = {
            name: {f"{one} {reason}": count for (one, reason), count in (await made.counts(name)).items()}
            for name in made.mags
        }
        seen["accounts"] = records(campus.aaa.detail.read_text())
        seen["tracebacks"] = made.tracebacks("mag1", "mag2", "lma")
    return seen


if __name__ == "__main__":
    play(story)
