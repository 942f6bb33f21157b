"""A node that has its lease from before, and the DHCP server that knows it at the LMA; run by test_lease_at_lma.py.

    node (dhclient) --- mag1 --- core --- lma with dnsmasq

Nobody answers the node's broadcasts (``dhcp = "independent"``). dhclient falls back on the lease that it recorded, asks
its router by a ping whether that still works, renews through the tunnel, and gives the address back. dnsmasq then calls
conf/pmip-lease-ended. Prints one JSON object with what was seen.
"""

import sys
import time
from pathlib import Path
from typing import Any

from pmip_tw.addresses import mac_text
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import eventually, run
from pmip_tw.lab.subscribers import SUBSCRIBER
from pmip_tw.lab.world import World, world
from tests.interop.private_story import play

SCRIPT = Path(__file__).parents[2] / "conf" / "pmip-lease-ended"
LEASED, ROUTER = "10.1.0.45", "10.1.0.1"
LEASES = Path("/run/dnsmasq.leases")
DNSMASQ = (
    "dnsmasq",
    "--no-daemon",
    "--conf-file=/dev/null",
    "--port=0",
    "--log-dhcp",
    f"--dhcp-leasefile={LEASES}",
    "--dhcp-range=10.1.0.40,10.1.0.60,255.255.255.0,10m",
    f"--dhcp-option=3,{ROUTER}",
    f"--dhcp-script={SCRIPT}",
)
IMPATIENT = "timeout 3; reboot 1;\n"
RECORDED = """lease {{
  interface "eth0";
  fixed-address {leased};
  option subnet-mask 255.255.255.0;
  option routers {router};
  option dhcp-lease-time 600;
  option dhcp-message-type 5;
  option dhcp-server-identifier {router};
  renew epoch {renew};
  rebind epoch {expire};
  expire epoch {expire};
}}
"""


def record_lease() -> None:
    """As server and client had agreed before: the client is to renew it soon."""
    now = int(time.time())
    LEASES.write_text(f"{now + 600} {mac_text(SUBSCRIBER.mac)} {LEASED} mn *\n")
    recorded = RECORDED.format(leased=LEASED, router=ROUTER, renew=now + 8, expire=now + 600)
    Path("/var/lib/dhcp/dhclient-mn.leases").write_text(recorded)


async def trace(made: World, daemon: str) -> list[dict[str, Any]]:
    """What happened to the node there."""
    found: list[dict[str, Any]] = (await made.ask(daemon, "trace", SUBSCRIBER.nai))["trace"]
    return found


async def story(directory: Path) -> dict[str, Any]:
    async with world(directory, lambda _: None) as made:
        record_lease()
        await made.start_lma()
        made.lma.ip(f"address add {ROUTER}/32 dev mip0")
        calls = f"PMIPCTL={Path(sys.executable).with_name('pmipctl')}", f"PMIP_SOCKET={made.socket('lma')}"
        server = await made.start("dnsmasq", made.lma, "env", *calls, *DNSMASQ)
        await server.said("IP range 10.1.0.40", within=30)
        await made.start_mag("mag1", 'dhcp = "independent"\n')
        made.cells.move(made.mn, "cell-mag1")
        node = MobileNode(made, config=IMPATIENT)
        await node.ask()
        await server.said(rf"DHCPACK\(mip0\) {LEASED} ", within=40)
        seen: dict[str, Any] = {"bound": [row["home_address"] for row in await made.bindings()]}
        status, _, _ = await run(made.mn.command("ping", "-c", "1", "-W", "3", ROUTER))
        seen["router answers"] = status == 0
        await node.release()

        async def gone() -> bool:
            return not await made.bindings() and not await made.visitors("mag1")

        seen["gone"] = await eventually(gone, within=30)
        seen["leases"] = LEASES.read_text()
        seen["lma"], seen["mag1"] = await trace(made, "lma"), await trace(made, "mag1")
    return seen


if __name__ == "__main__":
    play(story)
