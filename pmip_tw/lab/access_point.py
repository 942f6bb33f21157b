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
WIRE: Final = "wire0"
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

_PORT: Final = f"""\
table netdev port {{
    set unproven {{
        type ether_addr
    }}
    chain from_stations {{
        type filter hook ingress device "{AIR}" priority 0; policy accept;
        ether saddr @unproven ether type != 0x888e drop
    }}
}}
"""
"""What a radio does by itself, and hostapd does not do for a cable."""

PROVEN: Final = "CTRL-EVENT-EAP-SUCCESS2 {}"
"""What hostapd says of a station that may be let in."""


class AccessPoint:
    """``host`` has the interfaces air0, to mobile nodes, wire0, to the MAG's acc0, and later core0."""

    def __init__(self, network: Network, name: str, mag: Namespace, address: str) -> None:
        """Made, and connected to the MAG. ``address``: in the core, where whoever made it connects it."""
        self.host = network.host(name)
        self.name = name
        self.address = address
        self._stations: set[Mac] = set()
        network.link(self.host, WIRE, mag, "acc0")
        network.bridge(self.host, "bridge", [WIRE])

    def open(self) -> None:
        """Frames pass from now on, as air0 is there. EAPOL does not: bridges keep it to themselves."""
        self.host.run("nft", "-f", "-", text=_PORT)
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

    def keep_out(self, station: Mac) -> None:
        """Nothing but 802.1X passes of it until it is ``let_in``, as radios have it by themselves."""
        self._unproven("add", station)

    async def associated(self, station: Mac) -> None:
        """It has come, or come back: a radio notices that, a cable does not. ProgramError: hostapd does not take it."""
        who = mac_text(station)
        words = ("raw", "EAPOL_REAUTH", who) if station in self._stations else ("new_sta", who)
        self._stations.add(station)
        argv = self.host.command("hostapd_cli", "-p", f"{_CONTROL}-{self.name}", "-i", AIR, *words)
        _, out, err = await run(argv)
        if "OK" not in out:
            raise ProgramError(f"{self.name}: hostapd does not take {who}: {out}{err}")

    def let_in(self, station: Mac) -> None:
        """Its frames pass."""
        self._unproven("delete", station)

    def _unproven(self, what: str, station: Mac) -> None:
        self.host.run("nft", what, "element", "netdev", "port", "unproven", f"{{ {mac_text(station)} }}")
