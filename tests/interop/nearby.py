"""A host next to a MAG, past the tunnel (N58): the daemon as it is shipped, killed once; run by test_nearby.py.

    node (dhclient) --- mag1 --- core ---+--- lma --- correspondent
                                         +--- fixed host 198.51.100.53

First with the MAG's address. Then the MAG is killed, and the next one, which finds its visitor in the journal, answers
ARP for it. Prints one JSON object with what was seen.
"""

import os
import signal
from pathlib import Path
from typing import Any

from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import eventually, run
from pmip_tw.lab.sites import AAA_ADDRESS, CORRESPONDENT
from pmip_tw.lab.topology import Namespace
from pmip_tw.lab.world import World, world
from tests.interop.private_story import play

LISTED = f'local_breakout = ["{AAA_ADDRESS}/32"]\n'

WHO = """
import socket, sys
listener = socket.create_server((sys.argv[1], 7000))
print("ready", flush=True)
for _ in range(int(sys.argv[2])):
    peer, address = listener.accept()
    peer.sendall(address[0].encode())
    peer.close()
"""

ASK = """
import socket, sys
with socket.create_connection((sys.argv[1], 7000), timeout=8) as peer:
    print(peer.recv(100).decode())
"""


async def seen_as(made: World, host: Namespace, server: str) -> str:
    """By which address ``server`` knows ``host``; nothing: it does not."""
    status, out, _ = await run(host.command("python3", "-c", ASK, server))
    return out.strip() if status == 0 else ""


async def serve(made: World, name: str, host: Namespace, address: str, times: int) -> None:
    program = await made.start(name, host, "python3", "-c", WHO, address, str(times))
    await program.said("ready", within=10)


async def traces(host: Namespace) -> dict[str, str]:
    """What a MAG with local breakout makes in its machine."""
    commands = {
        "proxies": ("ip", "neigh", "show", "proxy"),
        "routes": ("ip", "route", "show", "proto", "77"),
        "tables": ("nft", "list", "tables", "ip"),
        "device": ("sh", "-c", "ip -br link show mip-local0 2>/dev/null || true"),
    }
    return {name: (await run(host.command(*command)))[1].strip() for name, command in commands.items()}


async def local_packets(made: World) -> int:
    [row] = await made.visitors("mag1")
    return int(row.get("local_packets_up", 0))


async def story(directory: Path) -> dict[str, Any]:
    async with world(directory, lambda _: None) as made:
        host, fixed = made.mags["mag1"], made.aaa
        fixed.ip("route add 10.1.0.0/24 dev core0")
        seen: dict[str, Any] = {"before": await traces(host)}
        await made.start_lma()
        await made.start_mag("mag1", LISTED)
        node = MobileNode(made)
        seen["address"] = address = await node.attach()
        await serve(made, "fixed", fixed, AAA_ADDRESS, 2)
        await serve(made, "far", made.correspondent, CORRESPONDENT, 1)
        await serve(made, "node", made.mn, address, 1)
        seen["fixed host sees"] = await seen_as(made, made.mn, AAA_ADDRESS)
        seen["correspondent sees"] = await seen_as(made, made.mn, CORRESPONDENT)
        seen["counted"] = await local_packets(made)
        seen["node sees"] = await seen_as(made, fixed, address)
        os.kill(made.pid("mag1"), signal.SIGKILL)
        await made.stop("mag1")
        await made.start_mag("mag1", LISTED + 'local_breakout_mode = "proxy_arp"\n')

        async def restored() -> bool:
            return [row["state"] for row in await made.visitors("mag1")] == ["registered"]

        seen["restored"] = await eventually(restored, within=10)
        seen["during"] = await traces(host)
        seen["node sees then"] = await seen_as(made, fixed, address)
        seen["fixed host sees then"] = await seen_as(made, made.mn, AAA_ADDRESS)
        await made.stop("mag1")
        seen["after"] = await traces(host)
    return seen


if __name__ == "__main__":
    play(story)
