"""A DHCP relay by itself between unmodified clients and an unmodified server; run by test_dhcp_relay.py.

    dhclient --- eth1 10.1.0.1 ) relay ( 198.51.100.1 --- 198.51.100.67 Kea, or dnsmasq
    udhcpc  --- eth2 10.2.0.1 )

The server has addresses for both links and for the core, where giaddr is: only option 82 tells it where a client is;
and under the relay's name it hears of renewals and releases by way of it. Both clients come, renew and leave at the
same time. Prints one JSON object with what was seen; what the programs said is in the directory given.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from pmip_tw.addresses import ipv4_text
from pmip_tw.lab.dhcp_servers import kea_leases
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import Program, eventually, run
from pmip_tw.lab.topology import Namespace, Network
from tests.interop.private_story import play

CLIENTS = {"dhclient": 1, "udhcpc": 2}
"""On which link each is."""

RENEWED_EVERY = 3
"""Seconds: T1, which dhclient follows; udhcpc is told."""

RELAY = """\
[dhcp_relay]
identity = "relay1"
servers = ["198.51.100.67"]
giaddr = "198.51.100.1"
option_82 = ["circuit-id", "remote-id", "subscriber-id", "link-selection", "server-id-override"]
control = "{socket}"

[[dhcp_relay.links]]
interface = "eth1"
subscriber_id = "house 1"

[[dhcp_relay.links]]
interface = "eth2"
subscriber_id = "house 2"
"""

DNSMASQ = (
    "dnsmasq",
    "--no-daemon",
    "--conf-file=/dev/null",
    "--port=0",
    "--no-ping",
    "--log-dhcp",
    "--dhcp-leasefile=/run/dnsmasq.leases",
    "--dhcp-range=198.51.100.100,198.51.100.150,255.255.255.0,10m",
    *(f"--dhcp-range=set:link{link},10.{link}.0.40,10.{link}.0.60,255.255.255.0,10m" for link in (1, 2)),
    *(f"--dhcp-option=tag:link{link},3,10.{link}.0.1" for link in (1, 2)),
    *(f"--dhcp-circuitid=set:circuit{link},relay1:eth{link}" for link in (1, 2)),
    *(f"--dhcp-remoteid=set:remote{link},02:00:00:00:00:0{link}" for link in (1, 2)),
    *(f"--dhcp-subscrid=set:subscriber{link},house {link}" for link in (1, 2)),
    f"--dhcp-option-force=58,{RENEWED_EVERY}",
)


KEA_LEASES = (Path("/var/lib/kea") if Path("/var/lib/kea").is_dir() else Path("/run/kea")) / "kea-leases4.csv"
"""Its profile for mandatory access control lets Kea write there, and in few places more."""


def kea() -> dict[str, Any]:
    """Its configuration. Version 2.2 does not know sub-option 11: it is told by which name to go."""
    return {
        "interfaces-config": {"interfaces": ["core0"], "dhcp-socket-type": "udp"},
        "lease-database": {
            "type": "memfile",
            "persist": True,
            "name": str(KEA_LEASES),
            "lfc-interval": 0,
        },
        "valid-lifetime": 600,
        "renew-timer": RENEWED_EVERY,
        "calculate-tee-times": False,
        "store-extended-info": True,
        "subnet4": [
            {
                "id": number,
                "subnet": f"{net}.0/24",
                "pools": [{"pool": f"{net}.40 - {net}.60"}],
                "option-data": [
                    {"name": "routers", "data": f"{net}.1"},
                    {"name": "dhcp-server-identifier", "data": "198.51.100.1"},
                ],
            }
            for number, net in enumerate(("10.1.0", "10.2.0", "198.51.100"), 1)
        ],
        "loggers": [
            {
                "name": "kea-dhcp4",
                "severity": "INFO",
                "output_options": [{"output": "stdout", "flush": True}],
            }
        ],
    }


def _program(name: str) -> str:
    """One of ours."""
    return str(Path(sys.executable).with_name(name))


class House:
    """The hosts, and what runs on them; as much of the lab's world as a mobile node needs."""

    def __init__(self, directory: Path, stack: AsyncExitStack) -> None:
        self.directory = directory
        self.notes: list[str] = []
        self._stack = stack
        network = Network()
        self.relay, self.server = network.host("relay"), network.host("server")
        network.link(self.relay, "core0", self.server, "core0")
        self.relay.ip("address add 198.51.100.1/24 dev core0")
        self.server.ip("address add 198.51.100.67/24 dev core0", "route add default via 198.51.100.1")
        self.relay.set_sysctl({"net/ipv4/ip_forward": "1"})
        self.clients: dict[str, Namespace] = {}
        for name, link in CLIENTS.items():
            host = self.clients[name] = network.host(name)
            network.link(self.relay, f"eth{link}", host, "eth0")
            host.ip("link set eth0 down", f"link set eth0 address 02:00:00:00:00:0{link}", "link set eth0 up")
            self.relay.ip(f"address add 10.{link}.0.1/24 dev eth{link}")
        self.mn = self.clients["dhclient"]
        self._programs: dict[str, Program] = {}

    async def start(self, name: str, host: Namespace, *argv: str) -> Program:
        program = await Program.start(name, host.command(*argv), self.directory / f"{name}.log")
        self._programs[name] = program
        self._stack.push_async_callback(program.stop)
        return program

    def pid(self, name: str) -> int:
        return self._programs[name].pid

    async def start_relay(self) -> Program:
        path = self.directory / "dhcp-relay.toml"
        path.write_text(RELAY.format(socket=self.directory / "relay.sock"))
        relay = await self.start(
            "relay",
            self.relay,
            _program("twistd"),
            "-n",
            "--pidfile=",
            "pmip-dhcp-relay",
            "--config",
            str(path),
        )
        await relay.said("is ready", within=20)
        return relay

    async def start_server(self, name: str) -> Program:
        if name == "dnsmasq":
            server = await self.start(name, self.server, *DNSMASQ)
            await server.said("IP range 10.2.0.40", within=10)
            return server
        for directory in ("/etc/kea", "/run/kea", "/run/lock/kea"):
            Path(directory).mkdir(parents=True, exist_ok=True)
        config = Path("/etc/kea/relayed.json")
        config.write_text(json.dumps({"Dhcp4": kea()}))
        places = ["KEA_LOCKFILE_DIR=/run/lock/kea", "KEA_PIDFILE_DIR=/run/kea"]
        server = await self.start(name, self.server, "env", *places, "kea-dhcp4", "-c", str(config))
        await server.said("DHCP4_STARTED", within=20)
        return server

    async def show(self, what: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self._ask("show", what))[what]
        return found

    async def trace(self, mac: str) -> list[str]:
        """The names of what happened to a client."""
        return [entry["name"] for entry in (await self._ask("trace", mac))["trace"]]

    async def _ask(self, *words: str) -> dict[str, Any]:
        socket = str(self.directory / "relay.sock")
        _, out, _ = await run([_program("pmipctl"), "--json", "--socket", socket, *words])
        found: dict[str, Any] = json.loads(out)
        return found


ACKED = {"kea": r"DHCP4_LEASE_ALLOC .* {address} ", "dnsmasq": r"DHCPACK\(\w+\) {address} "}
RELEASED = {"kea": r"DHCP4_RELEASE .*{address}", "dnsmasq": r"DHCPRELEASE\(\w+\) {address} "}


async def stay(house: House, server: Program, client: str) -> dict[str, Any]:
    """One client comes, renews and leaves."""
    node = MobileNode(house, house.clients[client])  # type: ignore[arg-type]
    node.client = client
    seen: dict[str, Any] = {"address": await node.attach()}
    address = seen["address"]

    async def configured() -> bool:
        return await node.addresses() == [address]

    seen["configured"] = await eventually(configured, within=10)
    since = server.lines
    if client == "udhcpc":
        os.kill(house.pid(f"dhcp-client-{client}"), signal.SIGUSR1)
    await server.said(ACKED[server.name].format(address=address), within=RENEWED_EVERY * 4, since=since)
    return seen | {"node": node}


async def leave(server: Program, seen: dict[str, Any]) -> None:
    """The server hears of it."""
    since = server.lines
    node: MobileNode = seen.pop("node")
    await node.release()
    await server.said(RELEASED[server.name].format(address=seen["address"]), within=10, since=since)


def agents() -> dict[str, dict[str, str]]:
    """What Kea's lease file knows of option 82, in hexadecimal, by address."""
    text = KEA_LEASES.read_text() if KEA_LEASES.exists() else ""
    return {
        ipv4_text(lease.address): {name: octets.hex() for name, octets in lease.agent.items()}
        for lease in kea_leases(text)
    }


async def at_once(stays: Iterable[Any]) -> list[Any]:
    return list(await asyncio.gather(*stays))


async def story(directory: Path) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        house = House(directory, stack)
        server = await house.start_server(sys.argv[2])
        await house.start_relay()
        stays = dict(
            zip(CLIENTS, await at_once(stay(house, server, client) for client in CLIENTS), strict=True)
        )
        seen: dict[str, Any] = {"clients": await house.show("clients"), "agents": agents()}
        await at_once(leave(server, one) for one in stays.values())

        async def gone() -> bool:
            return not await house.show("clients")

        seen["gone"] = await eventually(gone, within=10)
        seen["counters"] = await house.show("counters")
        seen["trace"] = await house.trace("02:00:00:00:00:02")
        seen["server"] = server.text
        return seen | stays


if __name__ == "__main__":
    play(story)
