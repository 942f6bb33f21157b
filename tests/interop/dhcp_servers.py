"""A MAG that relays to dnsmasq, with unmodified DHCP clients, in a private world; run by test_dhcp_servers.py.

    node (dhclient, udhcpc) --- mag1, mag2 --- core --- lma --- correspondent
                                                 +--- dnsmasq

dnsmasq has two ranges: one of the core, where relays and servers are, and one of the home prefix. A lease is renewed
every few seconds. At the end dnsmasq is not asked any more: the node gives itself addresses. Prints one JSON object
with what was seen; what the programs said is in the directory given.
"""

import os
import signal
from pathlib import Path
from typing import Any

from pmip_tw.addresses import mac_text
from pmip_tw.errors import PmipError
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import Program, eventually, run
from pmip_tw.lab.sites import AAA_ADDRESS, CORRESPONDENT
from pmip_tw.lab.subscribers import SUBSCRIBER
from pmip_tw.lab.world import World, world
from tests.interop.private_story import play

CLIENTS = ("dhclient", "udhcpc")
FIXED = ("10.1.0.70", "10.1.0.71")
RENEWED_EVERY = 4
"""Seconds: T1, option 58, which dhclient follows and udhcpc does not."""

DNSMASQ = (
    "dnsmasq",
    "--no-daemon",
    "--conf-file=/dev/null",
    "--port=0",
    "--no-ping",
    "--log-dhcp",
    "--dhcp-leasefile=/run/dnsmasq.leases",
    "--dhcp-range=198.51.100.100,198.51.100.150,255.255.255.0,10m",
    "--dhcp-range=10.1.0.40,10.1.0.60,255.255.255.0,10m",
    "--dhcp-option=3,10.1.0.1",
    f"--dhcp-option-force=58,{RENEWED_EVERY}",
    f"--dhcp-subscrid=set:subscriber,{SUBSCRIBER.nai}",
    "--dhcp-circuitid=set:circuit,mag1.lab.example:acc0",
    f"--dhcp-remoteid=set:remote,{mac_text(SUBSCRIBER.mac)}",
)
TELLING = f"""\
dhcp = "ack-trigger"
[mag.dhcp_relay]
servers = ["{AAA_ADDRESS}"]
option_82 = ["circuit-id", "remote-id", "subscriber-id", "link-selection", "server-id-override"]
"""
"""Where a node is the server hears from option 82, and of its renewals from the MAG."""

RELAYING = f'dhcp = "ack-trigger"\ndhcp_relay = {{ servers = ["{AAA_ADDRESS}"] }}\n'


async def pings(made: World) -> bool:
    async def answered() -> bool:
        status, _, _ = await run(made.mn.command("ping", "-c", "1", "-W", "3", CORRESPONDENT))
        return status == 0

    return await eventually(answered, within=20)


async def registered(made: World, mag: str) -> list[str]:
    return [row["home_address"] for row in await made.visitors(mag) if row["state"] == "registered"]


async def trace(made: World, mag: str) -> list[str]:
    """The names of what happened there."""
    return [entry["name"] for entry in (await made.ask(mag, "trace", SUBSCRIBER.nai))["trace"]]


async def renewed(made: World, server: Program, node: MobileNode, address: str) -> bool:
    """Whether the server extends the lease within the time that it should take."""
    since = server.lines
    if node.client == "udhcpc":
        os.kill(made.pid(f"dhcp-client-{node.host.name}"), signal.SIGUSR1)
    try:
        await server.said(rf"DHCPACK\(core0\) {address} ", within=RENEWED_EVERY * 2.5, since=since)
    except PmipError:
        return False
    return True


async def stay(made: World, server: Program, client: str) -> dict[str, Any]:
    """One client comes, renews, moves, renews again and leaves."""
    seen: dict[str, Any] = {}
    node = MobileNode(made)
    node.client = client
    made.cells.move(made.mn, "cell-mag1")
    seen["address"] = address = await node.attach()

    async def configured() -> bool:
        return await node.addresses() == [address]

    seen["configured"] = await eventually(configured, within=20)
    seen["at mag1"] = await registered(made, "mag1")
    seen["bound"] = [row["home_address"] for row in await made.bindings()]
    seen["pings"] = await pings(made)
    seen["renewed"] = await renewed(made, server, node, address)
    made.cells.move(made.mn, "cell-mag2")
    seen["pings at mag2"] = await pings(made)
    seen["renewed at mag2"] = await renewed(made, server, node, address)
    seen["at mag2"] = await registered(made, "mag2")
    since = server.lines
    await node.release()
    await server.said(rf"DHCPRELEASE\(core0\) {address} ", within=20, since=since)

    async def gone() -> bool:
        return not await made.bindings()

    seen["gone"] = await eventually(gone, within=20)
    return seen


async def told_of_it(made: World, server: Program) -> dict[str, Any]:
    """The server goes by the MAG's name: what the node says to it comes to the MAG."""
    await made.stop("mag1")
    await made.start_mag("mag1", TELLING)
    made.cells.move(made.mn, "cell-mag1")
    since = server.lines
    node = MobileNode(made)
    address = await node.attach()
    seen: dict[str, Any] = {"address": address, "at mag1": await registered(made, "mag1")}
    seen["renewed"] = await renewed(made, server, node, address)
    seen["pings"] = await pings(made)
    await node.release()
    await server.said(rf"DHCPRELEASE\(core0\) {address} ", within=20, since=since)

    async def gone() -> bool:
        return not await made.bindings()

    seen["gone"] = await eventually(gone, within=20)
    seen["log"] = server.text.splitlines()[since:]
    seen["trace"] = await trace(made, "mag1")
    return seen


async def by_itself(made: World) -> dict[str, Any]:
    """The node gives itself an address, and later another: with a MAG that has nothing to do with DHCP."""
    seen: dict[str, Any] = {}
    made.cells.move(made.mn, "cell-mag1")
    await made.start_mag("mag1", 'dhcp = "independent"\n')
    for address in FIXED:
        made.mn.ip(
            "address flush dev eth0 scope global",
            f"address add {address}/24 dev eth0",
            "route replace default via 10.1.0.1 dev eth0",
            "neigh flush dev eth0",
        )
        seen[address] = await pings(made) and await registered(made, "mag1") == [address]
    seen["bound"] = [row["home_address"] for row in await made.bindings()]
    return seen


async def story(directory: Path) -> dict[str, Any]:
    async with world(directory, lambda _: None) as made:
        made.aaa.ip("route add 10.1.0.0/24 via 198.51.100.1")
        server = await made.start("dnsmasq", made.aaa, *DNSMASQ)
        await server.said("IP range 10.1.0.40", within=10)
        await made.start_lma()
        for mag in ("mag1", "mag2"):
            await made.start_mag(mag, RELAYING)
        seen: dict[str, Any] = {client: await stay(made, server, client) for client in CLIENTS}
        seen |= {mag: await trace(made, mag) for mag in ("mag1", "mag2")}
        seen["told of it"] = await told_of_it(made, server)
        await made.stop("mag1")
        seen["by itself"] = await by_itself(made)
    return seen


if __name__ == "__main__":
    play(story)
