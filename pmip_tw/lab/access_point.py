"""An access point that authenticates by itself: hostapd, with the MAG as its RADIUS server (AA27).

switch --- air0 [ bridge ] wire0 --- acc0 MAG
           hostapd, core0 --- core
"""

from pathlib import Path
from typing import Final

from pmip_tw.addresses import Mac, mac_text
from pmip_tw.lab.programs import ProgramError, run
from pmip_tw.lab.topology import Namespace, Network

PROGRAM: Final = "hostapd"
AIR: Final = "air0"
_CONTROL: Final = "/run/hostapd"

_CONFIGURATION: Final = """\
interface={air}
bridge=bridge
driver=wired
ctrl_interface={control}
ieee8021x=1
eap_server=0
eap_reauth_period=0
use_pae_group_addr=0
own_ip_addr={address}
nas_identifier={name}.lab.example
auth_server_addr={server}
auth_server_port={port}
auth_server_shared_secret={secret}
acct_server_addr={server}
acct_server_port={accounting_port}
acct_server_shared_secret={secret}
radius_acct_interim_interval=60
radius_das_port={das_port}
radius_das_client={server} {secret}
radius_das_require_event_timestamp=1
radius_das_require_message_authenticator=1
"""
DISCONNECT_PORT: Final = 3799
"""Where it takes Disconnect-Requests of whoever is its server."""


class AccessPoint:
    """``host`` has the interfaces air0, to mobile nodes, wire0, to the MAG's acc0, and later core0."""

    def __init__(self, network: Network, name: str, mag: Namespace, address: str) -> None:
        """Made, and connected to the MAG. ``address``: in the core, where whoever made it connects it."""
        self.host = network.host(name)
        self.name = name
        self.address = address
        network.link(self.host, "wire0", mag, "acc0")
        network.bridge(self.host, "bridge", ["wire0"])

    def open(self) -> None:
        """Frames pass from now on, as air0 is there. EAPOL does not: bridges keep it to themselves."""
        self.host.ip(f"link set {AIR} master bridge")

    def command(
        self, directory: Path, server: str, port: int, accounting_port: int, secret: str
    ) -> list[str]:
        """The program, whose configuration is written: it asks ``server`` about stations, and tells it of them."""
        path = directory / f"{self.name}.conf"
        path.touch(mode=0o600)
        path.write_text(
            _CONFIGURATION.format(
                air=AIR,
                control=f"{_CONTROL}-{self.name}",
                name=self.name,
                address=self.address,
                server=server,
                port=port,
                accounting_port=accounting_port,
                secret=secret,
                das_port=DISCONNECT_PORT,
            )
        )
        return [PROGRAM, "-t", str(path)]

    async def associated(self, station: Mac) -> None:
        """A station has come, or come back: a radio notices that, and a cable does not. ProgramError: hostapd does not
        take it."""
        who = mac_text(station)
        known = who in await self._ask("raw", "STA", who)
        said = await self._ask(*(("raw", "EAPOL_REAUTH", who) if known else ("new_sta", who)))
        if "OK" not in said:
            raise ProgramError(f"{self.name}: hostapd does not take {who}: {said}")

    async def _ask(self, *words: str) -> str:
        argv = self.host.command("hostapd_cli", "-p", f"{_CONTROL}-{self.name}", "-i", AIR, *words)
        _, out, err = await run(argv)
        return out + err
