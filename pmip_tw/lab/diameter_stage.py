"""Diameter in the laboratory's world: its AAA server, freeDiameter before it, and MAGs that ask by way of that.

MAG 1, MAG 2 --- TLS ---> relay (freeDiameter) --- TLS ---> AAA (ours)
"""

import json
import socket
import sys
from pathlib import Path
from typing import Any, Final

from pmip_tw.addresses import ipv4, mac_text
from pmip_tw.lab.certificates import Authority
from pmip_tw.lab.daemons import READY_SECONDS
from pmip_tw.lab.diameter_aaa import DiameterUser
from pmip_tw.lab.diameter_server import READY, DiameterServer, toml
from pmip_tw.lab.freediameter import READY as RELAY_READY
from pmip_tw.lab.freediameter import Relay
from pmip_tw.lab.programs import eventually
from pmip_tw.lab.sites import AAA_ADDRESS, LMA_ADDRESS
from pmip_tw.lab.topology import Namespace
from pmip_tw.lab.world import World

REALM: Final = "lab.example"
MAG_REALM: Final = "access.lab.example"
"""Of another realm than the server, or a relay that chooses by realm takes one MAG for the server of another."""

AAA: Final = "aaa.lab.example"
RELAY: Final = "relay.lab.example"
RELAY_ADDRESS: Final = "198.51.100.52"
WATCHDOG: Final = 6
"""Seconds: the shortest that RFC 3539 allows."""

VISITED: Final = "fa.visited.example"
VISITED_REALM: Final = "visited.example"
VISITED_ADDRESS: Final = "198.51.100.60"
"""A foreign agent of somebody else (RFC 4004)."""

ROAMER: Final = DiameterUser(
    mac="02-00-00-00-00-09",
    nai="roamer@lab.example",
    lma=ipv4(LMA_ADDRESS),
    spi=8192,
    key_text="key of the roaming node",
    aaa_spi=12288,
    aaa_key_text="what the roaming node and its AAA share",
    home_agent="lma.lab.example",
    home_agent_realm=MAG_REALM,
)
"""Its node, which has nothing but MN-AAA."""

VISITS: Final = 5
"""Answers that the foreign agent waits for."""

Event = dict[str, Any]


class DiameterStage:
    """``password``: of the world's subscribers, for EAP-MD5."""

    def __init__(self, world: World, password: str) -> None:
        self._world = world
        self._authority = Authority()
        self._commands = Path("/run/diameter-aaa.sock")
        self._relay_host: Namespace | None = None
        self._users = tuple(
            DiameterUser(
                mac=mac_text(subscriber.mac, "-"),
                nai=subscriber.nai,
                lma=ipv4(LMA_ADDRESS),
                spi=subscriber.spi,
                key_text=subscriber.key_text,
                password=password,
            )
            for subscriber in world.subscribers
        )
        self.visit: list[Event] = []
        """What the foreign agent has said."""

    @property
    def authority(self) -> Authority:
        return self._authority

    # --- programs ---------------------------------------------------------------------------------------

    async def start_server(self) -> None:
        server = DiameterServer(
            directory=self._world.directory / "diameter-aaa-files",
            name=AAA,
            realm=REALM,
            address=ipv4(AAA_ADDRESS),
            users=(*self._users, ROAMER),
            commands=self._commands,
            watchdog_interval=WATCHDOG,
        )
        program = await self._world.start("diameter-aaa", self._world.aaa, *server.argv(self._authority))
        await program.said(READY, within=READY_SECONDS)

    async def start_relay(self) -> None:
        if self._relay_host is None:
            self._relay_host = self._world.network.host("relay")
            self._world.connect(self._relay_host, RELAY_ADDRESS)
        relay = Relay(
            directory=self._world.directory / "relay-files",
            name=RELAY,
            realm=REALM,
            address=ipv4(RELAY_ADDRESS),
            server=(AAA, ipv4(AAA_ADDRESS)),
            clients=(*(f"{name}.lab.example" for name in (*self._world.mags, "lma")), VISITED),
            watchdog_interval=WATCHDOG,
        )
        self._world.keep_log("relay")
        program = await self._world.start("relay", self._relay_host, *relay.argv(self._authority))
        await program.said(RELAY_READY, within=READY_SECONDS)

    def settings(self, mag: str) -> str:
        """The tables of a MAG that asks the relay, with accounting."""
        spool = f'[mag.accounting]\nenabled = true\nspool = "/run/pmip-{mag}.accounting"\n'
        return self._table("mag", mag) + spool

    def keys(self) -> str:
        """The table of an LMA that asks it for the keys of nodes."""
        return self._table("lma", "lma", 'purposes = ["authentication"]\nmobile_ipv4 = true\n')

    def _table(self, role: str, name: str, more: str = "") -> str:
        files = self._world.directory / f"{name}-tls"
        files.mkdir(exist_ok=True)
        certificate, key = self._authority.issue(f"{name}.lab.example").write(files, name)
        trusted = files / "ca.pem"
        trusted.write_bytes(self._authority.certificate)
        return (
            f'[{role}.diameter]\nrealm = "{MAG_REALM}"\nserver_realm = "{REALM}"\n{more}'
            f'ca_file = "{trusted}"\ncertificate_file = "{certificate}"\nkey_file = "{key}"\n'
            f"watchdog_interval = {WATCHDOG}\nreconnect_interval = 2\n\n"
            f'[[{role}.diameter.peers]]\nidentity = "{RELAY}"\naddress = "{RELAY_ADDRESS}"\n\n'
        )

    async def roam(self) -> list[Event]:
        """A foreign agent registers and de-registers its node by AAA and by UDP; what it is answered."""
        visited = self._world.network.host("visited")
        self._world.connect(visited, VISITED_ADDRESS)
        files = self._world.directory / "visited-files"
        files.mkdir()
        certificate, key = self._authority.issue(VISITED).write(files, "visited")
        trusted = files / "ca.pem"
        trusted.write_bytes(self._authority.certificate)
        table = {
            "name": VISITED,
            "realm": VISITED_REALM,
            "server_realm": REALM,
            "address": VISITED_ADDRESS,
            "lma": LMA_ADDRESS,
            "relay": RELAY,
            "relay_address": RELAY_ADDRESS,
            "relay_port": 5868,
            "authorities": trusted,
            "certificate": certificate,
            "key": key,
            "nai": ROAMER.nai,
            "spi": ROAMER.spi,
            "mn_ha_key": ROAMER.key_text,
            "aaa_spi": ROAMER.aaa_spi,
            "aaa_key": ROAMER.aaa_key_text,
        }
        file = files / "visited.conf"
        file.touch(mode=0o600)
        file.write_text("\n".join(toml(table)) + "\n")
        self._world.keep_log("foreign-agent")
        await self._world.start(
            "foreign-agent", visited, sys.executable, "-u", "-m", "pmip_tw.lab.foreign_agent", str(file)
        )

        async def done() -> bool:
            log = (self._world.directory / "foreign-agent.log").read_text()
            self.visit = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
            return len(self.visit) >= VISITS

        await eventually(done, within=30)
        await self._world.stop("foreign-agent")
        return self.visit

    # --- asking -----------------------------------------------------------------------------------------

    def events(self) -> list[Event]:
        """What the server has done so far, in order."""
        lines = (self._world.directory / "diameter-aaa.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def named(self, event: str, **wanted: object) -> list[Event]:
        """Its events of that name, in which ``wanted`` stands."""
        return [
            one
            for one in self.events()
            if one["event"] == event and all(one.get(name) == value for name, value in wanted.items())
        ]

    def command(self, text: str) -> None:
        """``abort NAI``, ``reauth NAI``."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._commands))
            connection.sendall(f"{text}\n".encode())

    async def peers_are(self, state: str, *mags: str, within: float) -> bool:
        """Whether the relay is in that state for all these MAGs, after a while."""

        async def so() -> bool:
            rows = [(await self._world.ask(name, "show", "peers"))["peers"] for name in mags]
            return all(row["state"] == state for found in rows for row in found)

        return await eventually(so, within=within, pause=0.05)
