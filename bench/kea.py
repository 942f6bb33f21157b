"""Kea's DHCPv4 server, renewing leases (REQUEST, ACK) that it writes to its lease file; and what is asked of it.

The requests come through a relay agent, as they do from a network of any size, and so by plain UDP.
"""

import json
import time
from collections.abc import Sequence
from itertools import count
from struct import Struct

from bench.generator import Clients
from bench.server import Server
from bench.world import Place, add_address, address, mags_of
from pmip_tw.addresses import Ipv4, ipv4, ipv4_text

PORT = 67
WINDOW = 64
"""Requests: more than its socket has room for would be lost."""

LEASE = 40
"""Octets of a line of the lease file, at the least."""

_FIRST_LEASE = ipv4("10.64.0.10")
_LIFETIME = 3600
_ACK = 5
_FIXED = Struct("!BBBBIHHIIII16s64s128s4s")
_COOKIE = b"\x63\x82\x53\x63"


class Kea:
    """Server ``number`` of the world, with ``leases`` leases."""

    name = "Kea DHCPv4 renewing"
    program = "kea-dhcp4"

    def __init__(self, place: Place, number: int, leases: int) -> None:
        self.address = address(number)
        self._relay = mags_of(number)[0]
        self._directory = place.directory / "kea"
        self._directory.mkdir()
        self._core = place.cores.server
        for one in (self.address, self._relay):
            add_address(one)
        self._write(leases)
        self.server: Server
        self.requests = Renewals(self._relay, leases)

    def _write(self, leases: int) -> None:
        configuration = {
            "interfaces-config": {
                "interfaces": [f"lo/{ipv4_text(self.address)}"],
                "dhcp-socket-type": "udp",
            },
            "lease-database": {
                "type": "memfile",
                "persist": True,
                "name": str(self._directory / "leases.csv"),
                "lfc-interval": 0,
            },
            "valid-lifetime": _LIFETIME,
            "multi-threading": {"enable-multi-threading": False},
            "subnet4": [
                {
                    "id": 1,
                    "subnet": "10.64.0.0/10",
                    "relay": {"ip-addresses": [ipv4_text(self._relay)]},
                    "pools": [{"pool": "10.64.0.10 - 10.127.255.250"}],
                }
            ],
            "loggers": [
                {
                    "name": "kea-dhcp4",
                    "severity": "INFO",
                    "output_options": [{"output": "stdout", "flush": True}],
                },
                # What it would say of every lease.
                *({"name": f"kea-dhcp4.{part}", "severity": "WARN"} for part in ("leases", "packets")),
            ],
        }
        (self._directory / "kea.json").write_text(json.dumps({"Dhcp4": configuration}))
        expire = int(time.time()) + _LIFETIME
        with (self._directory / "leases.csv").open("w") as file:
            file.write(
                "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,"
                "user_context\n"
            )
            for lease in range(leases):
                mac = ":".join(f"{octet:02x}" for octet in _mac(lease))
                file.write(f"{ipv4_text(_lease(lease))},{mac},,{_LIFETIME},{expire},1,0,0,,0,\n")

    def start(self) -> None:
        """ServerError: it does not come up."""
        directory = str(self._directory)
        self.server = Server(
            self.name,
            [self.program, "-c", f"{directory}/kea.json"],
            log=self._directory / "log",
            core=self._core,
            environment={"KEA_LOCKFILE_DIR": directory, "KEA_PIDFILE_DIR": directory},
        )
        self.server.wait_until_said("DHCP4_STARTED", within=60)

    def clients(self) -> Clients:
        """The relay agent: servers answer it on port 67."""
        return Clients([self._relay], self.address, PORT, own_port=PORT)


class Renewals:
    """REQUESTs of clients that extend their leases (RFC 2131 4.3.2, REBINDING)."""

    def __init__(self, relay: Ipv4, leases: int) -> None:
        self._relay = relay
        self._leases = leases
        self._number = count()

    def next(self, number: int) -> tuple[list[bytes], list[int]]:
        """So many, and by which client each goes."""
        return [self._renewal(next(self._number)) for _ in range(number)], [0] * number

    def _renewal(self, sequence: int) -> bytes:
        lease = sequence * 7919 % self._leases
        mac = _mac(lease)
        return _FIXED.pack(
            1, 1, 6, 1, sequence & 0xFFFFFFFF, 0, 0, _lease(lease), 0, 0, self._relay, mac, b"", b"", _COOKIE
        ) + bytes((53, 1, 3, 55, 3, 1, 3, 6, 255))

    @staticmethod
    def accepted(replies: Sequence[bytes]) -> int:
        """How many are a DHCPACK of the lease that was asked for: the message type comes first."""
        return sum(
            reply[240:243] == bytes((53, 1, _ACK)) and reply[12:16] == reply[16:20] for reply in replies
        )


def _lease(number: int) -> Ipv4:
    return Ipv4(_FIRST_LEASE + number)


def _mac(number: int) -> bytes:
    return b"\x02\x00" + number.to_bytes(4, "big")
