"""Ordinary DHCP servers behind a relay agent: Kea and dnsmasq, and what their lease files say.

Each has two subnets: that of the home addresses, and one in which the relay agent's own address is. Only who is told
which link it is for (RFC 3527) gives home addresses.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import attrs

from pmip_tw.addresses import Ipv4, Mac, ipv4, mac
from pmip_tw.lab.sites import CORRESPONDENT, HOME

FIRST, LAST = "10.1.0.100", "10.1.0.150"
RELAYS: Final = ("198.51.100.0/24", "198.51.100.200", "198.51.100.210")
LEASE_SECONDS: Final = 600
GATEWAY: Final = "10.1.0.1"


@attrs.frozen(slots=True, kw_only=True)
class Lease:
    """A line of the lease file. ``ends``: Unix seconds. ``agent``: what the relay agent told about the client, by a
    name of ``AGENT_NAMES``, as far as the server keeps it."""

    address: Ipv4
    mac: Mac
    ends: int
    agent: Mapping[str, bytes]


AGENT_NAMES: Final = {
    1: "circuit-id",
    2: "remote-id",
    5: "link-selection",
    6: "subscriber-id",
    11: "server-id-override",
}


def _text(path: Path) -> str:
    """What is in the file so far."""
    return path.read_text() if path.exists() else ""


class DhcpServer(Protocol):
    """``program`` is what has to be installed, ``ready`` what it says when it serves."""

    program: str
    ready: str

    def prepare(self, address: str, renew_after: int) -> Sequence[str]:
        """Write what it needs, and the command that starts it. ``renew_after``: seconds, T1."""
        ...

    def leases(self) -> list[Lease]:
        """What its lease file holds now."""
        ...


class Kea:
    """Kea's DHCPv4 server. Its profile for mandatory access control lets it read and write in these places only."""

    program = "kea-dhcp4"
    ready = "DHCP4_STARTED"

    def __init__(self) -> None:
        state = Path("/var/lib/kea")
        self._leases = (state if state.is_dir() else Path("/run/kea")) / "kea-leases4.csv"

    def prepare(self, address: str, renew_after: int) -> Sequence[str]:
        for directory in ("/etc/kea", "/run/kea", "/run/lock/kea"):
            Path(directory).mkdir(parents=True, exist_ok=True)
        network, first, last = RELAYS
        configuration = {
            "interfaces-config": {"interfaces": [f"eth0/{address}"], "dhcp-socket-type": "udp"},
            "lease-database": {"type": "memfile", "name": str(self._leases), "lfc-interval": 0},
            "store-extended-info": True,
            "valid-lifetime": LEASE_SECONDS,
            "renew-timer": renew_after,
            "subnet4": [
                {
                    "id": 1,
                    "subnet": str(HOME),
                    "pools": [{"pool": f"{FIRST} - {LAST}"}],
                    "option-data": [
                        {"name": "routers", "data": GATEWAY},
                        {"name": "domain-name-servers", "data": CORRESPONDENT},
                    ],
                },
                {"id": 2, "subnet": network, "pools": [{"pool": f"{first} - {last}"}]},
            ],
            "loggers": [
                {
                    "name": "kea-dhcp4",
                    "severity": "INFO",
                    "output_options": [{"output": "stdout", "flush": True}],
                }
            ],
        }
        path = Path("/etc/kea/pmip-lab.json")
        path.write_text(json.dumps({"Dhcp4": configuration}))
        return [
            "env",
            "KEA_LOCKFILE_DIR=/run/lock/kea",
            "KEA_PIDFILE_DIR=/run/kea",
            *(self.program, "-c", str(path)),
        ]

    def leases(self) -> list[Lease]:
        return kea_leases(_text(self._leases))


def kea_leases(text: str) -> list[Lease]:
    """What Kea's lease file says: the last line about an address counts, and no lifetime is an end."""
    names, *lines = [line.split(",") for line in text.splitlines()] or [[]]
    found: dict[str, Lease | None] = {}
    for line in lines:
        row = dict(zip(names, line, strict=False))
        live = row["valid_lifetime"] != "0" and row["state"] == "0"
        found[row["address"]] = (
            Lease(
                address=ipv4(row["address"]),
                mac=mac(row["hwaddr"]),
                ends=int(row["expire"]),
                agent=_kea_agent(row.get("user_context", "")),
            )
            if live
            else None
        )
    return [lease for lease in found.values() if lease is not None]


def _kea_agent(context: str) -> dict[str, bytes]:
    if not context:
        return {}
    info = json.loads(context.replace("&#x2c", ",")).get("ISC", {}).get("relay-agent-info", "")
    return agent_options(
        bytes.fromhex((info if isinstance(info, str) else info["sub-options"]).removeprefix("0x"))
    )


def agent_options(octets: bytes) -> dict[str, bytes]:
    """The sub-options of option 82, by their names, by their number if they have none here."""
    found = {}
    at = 0
    while at + 2 <= len(octets):
        code, end = octets[at], at + 2 + octets[at + 1]
        found[AGENT_NAMES.get(code, str(code))] = octets[at + 2 : end]
        at = end
    return found


class Dnsmasq:
    """dnsmasq. What a relay agent told it says to a script alone, which writes that beside itself."""

    program = "dnsmasq"
    ready = "DHCP, IP range 10.1.0"

    _LEASES: Final = Path("/run/dnsmasq.leases")
    _SCRIPT: Final = Path("/run/dnsmasq.script")
    _TOLD: Final = Path("/run/dnsmasq.script.told")
    _TELLS: Final = """\
#!/bin/sh
hex() { printf %s "$1" | od -An -v -tx1 | tr -d ' \\n'; }
echo "$3 circuit-id=$(hex "$DNSMASQ_CIRCUIT_ID") remote-id=$(hex "$DNSMASQ_REMOTE_ID")" \\
    "subscriber-id=$(hex "$DNSMASQ_SUBSCRIBER_ID")" >>"$0.told"
"""

    def prepare(self, address: str, renew_after: int) -> Sequence[str]:
        self._SCRIPT.write_text(self._TELLS)
        self._SCRIPT.chmod(0o755)
        self._TOLD.touch()
        _, first, last = RELAYS
        return [
            self.program,
            "--no-daemon",
            "--conf-file=/dev/null",
            "--user=root",
            "--port=0",
            "--no-ping",
            "--log-dhcp",
            f"--listen-address={address}",
            f"--dhcp-leasefile={self._LEASES}",
            f"--dhcp-script={self._SCRIPT}",
            f"--dhcp-range={first},{last},255.255.255.0,{LEASE_SECONDS}",
            f"--dhcp-range={FIRST},{LAST},255.255.255.0,{LEASE_SECONDS}",
            f"--dhcp-option=3,{GATEWAY}",
            f"--dhcp-option=6,{CORRESPONDENT}",
            f"--dhcp-option-force=58,{renew_after}",
        ]

    def leases(self) -> list[Lease]:
        return dnsmasq_leases(_text(self._LEASES), _text(self._TOLD))


def dnsmasq_leases(text: str, told: str) -> list[Lease]:
    """What dnsmasq's lease file says, and what its script was told, the latest counting."""
    agents: dict[str, dict[str, bytes]] = {}
    for line in told.splitlines():
        address, *words = line.split()
        pairs = (word.split("=") for word in words)
        agents[address] = {name: bytes.fromhex(value) for name, value in pairs if value}
    found = []
    for line in text.splitlines():
        ends, hardware, address, *_ = line.split()
        found.append(
            Lease(address=ipv4(address), mac=mac(hardware), ends=int(ends), agent=agents.get(address, {}))
        )
    return found


SERVERS: Final[Mapping[str, Callable[[], DhcpServer]]] = {"kea": Kea, "dnsmasq": Dnsmasq}
