"""MAGs whose own address is leased, by dhclient from dnsmasq, and becomes another one; run by test_renumbered.py.

    node --- mag1 (dhclient) --- core with dnsmasq ------+--- lma --- correspondent
      +----- mag2 (dhclient) --- NAT with dnsmasq -------+

The node has a connection open at each of them. The server that comes back after a pause has other addresses to give,
and says so when the lease is renewed: dhclient takes the address away, asks anew, and gets one of those. Prints one
JSON object with what was seen.
"""

from pathlib import Path
from typing import Any

import attrs

from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import Program, eventually
from pmip_tw.lab.sites import BEHIND_NATS, CORRESPONDENT, DIRECT
from pmip_tw.lab.topology import Namespace
from pmip_tw.lab.world import World, world
from tests.interop.private_story import play

RENEWED_EVERY = 3
"""Seconds: T1, option 58."""

ECHO = """
import socketserver, sys

class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while octets := self.request.recv(100):
            self.request.sendall(octets)

# Who talked before may be gone without a word, or with a reset: the next one must not wait for it.
socketserver.ThreadingTCPServer.allow_reuse_address = True
with socketserver.ThreadingTCPServer((sys.argv[1], 7000), Echo) as server:
    print("ready", flush=True)
    server.serve_forever()
"""

TALK = """
import socket, sys, time
with socket.create_connection((sys.argv[1], 7000), timeout=60) as peer:
    for number in range(100000):
        peer.sendall(b"%06d" % number)
        assert peer.recv(6) == b"%06d" % number
        print("heard", number, flush=True)
        time.sleep(0.1)
"""


@attrs.frozen(slots=True, kw_only=True)
class Uplink:
    """How a MAG's own address is leased: by whom, on which of its interfaces, with which router; first and then."""

    mag: str
    server: Namespace
    interface: str
    router: str
    first: str
    then: str


async def serve(made: World, uplink: Uplink, address: str) -> Program:
    """A DHCP server that has nothing but ``address`` to give."""
    program = await made.start(
        f"dnsmasq-{uplink.mag}",
        uplink.server,
        "dnsmasq",
        "--no-daemon",
        "--conf-file=/dev/null",
        "--port=0",
        "--no-ping",
        "--log-dhcp",
        "--dhcp-authoritative",
        f"--interface={uplink.interface}",
        f"--dhcp-leasefile=/run/dnsmasq-{address}.leases",
        f"--pid-file=/run/dnsmasq-{uplink.mag}.pid",
        f"--dhcp-range={address},{address},255.255.255.0,2m",
        f"--dhcp-option=3{',' + uplink.router if uplink.router else ''}",
        f"--dhcp-option-force=58,{RENEWED_EVERY}",
    )
    await program.said(f"IP range {address}", within=10)
    return program


async def leased(made: World, uplink: Uplink) -> Program:
    """The MAG's machine has its address from the server, and from nobody else."""
    host = made.mags[uplink.mag]
    host.ip("address flush dev core0")
    files = ["-lf", f"/var/lib/dhcp/dhclient-{uplink.mag}.leases", "-pf", f"/run/dhclient-{uplink.mag}.pid"]
    client = await made.start(f"dhclient-{uplink.mag}", host, "dhclient", "-4", "-d", "-v", *files, "core0")
    await client.said(f"bound to {uplink.first}", within=20)
    return client


async def stay(made: World, uplink: Uplink) -> dict[str, Any]:
    """A node's session at a MAG that is renumbered."""
    server = await serve(made, uplink, uplink.first)
    client = await leased(made, uplink)
    mag = await made.start_mag(uplink.mag, uplink="core0")
    made.cells.move(made.mn, f"cell-{uplink.mag}")
    node = MobileNode(made)
    seen: dict[str, Any] = {"address": await node.attach()}
    talk = await made.start(f"talk-{uplink.mag}", made.mn, "python3", "-c", TALK, CORRESPONDENT)
    await talk.said("heard 5$", within=20)
    seen["before"] = await care_of(made)
    await server.stop()
    heard = talk.lines
    await serve(made, uplink, uplink.then)
    await client.said(f"bound to {uplink.then}", within=40)
    await mag.said("care-of-address-changed", within=10)

    async def registered_anew() -> bool:
        return await care_of(made) not in ([], seen["before"])

    seen["registered anew"] = await eventually(registered_anew, within=20)
    seen["after"] = await care_of(made)
    number = max(heard, talk.lines)
    await talk.said("heard", within=30, since=number + 20)
    seen["talks on"] = talk.running
    seen["the same visitor"] = [
        (row["home_address"], row["state"]) for row in await made.visitors(uplink.mag)
    ]
    seen["client"] = [word for word in ("DHCPNAK", "DHCPDISCOVER") if word in client.text]
    seen["trace"] = [
        entry["name"] for entry in (await made.ask(uplink.mag, "trace", node_nai(made)))["trace"]
    ]
    seen["lma"] = [entry["name"] for entry in (await made.ask("lma", "trace", node_nai(made)))["trace"]]
    await talk.stop()
    await node.release()
    await made.stop(uplink.mag)
    return seen


def node_nai(made: World) -> str:
    return made.subscribers[0].nai


async def care_of(made: World) -> list[str]:
    """The care-of address of each binding, as the LMA has it."""
    return [row["mag"] for row in await made.bindings()]


async def story(directory: Path) -> dict[str, Any]:
    sites = {"mag1": DIRECT["mag1"], "mag2": BEHIND_NATS["mag2"]}
    async with world(directory, lambda _: None, sites=sites) as made:
        await made.start_lma()
        echo = await made.start("echo", made.correspondent, "python3", "-c", ECHO, CORRESPONDENT)
        await echo.said("ready", within=10)
        return {
            "direct": await stay(
                made,
                Uplink(
                    mag="mag1",
                    server=made.aaa,
                    interface="core0",
                    router="",
                    first="198.51.100.101",
                    then="198.51.100.102",
                ),
            ),
            "behind a NAT": await stay(
                made,
                Uplink(
                    mag="mag2",
                    server=made.nats["mag2"].host,
                    interface="lan0",
                    router="192.168.1.1",
                    first="192.168.1.101",
                    then="192.168.1.102",
                ),
            ),
        }


if __name__ == "__main__":
    play(story)
