"""What has passed a port, as the kernel's own packet filter counts it."""

import json
from typing import Final

import attrs

from pmip_tw.lab.programs import ProgramError, run
from pmip_tw.lab.topology import Namespace

_ETHERNET: Final = 14
_TABLE: Final = """\
table netdev {name} {{
    counter inbound {{ packets 0 bytes 0 }}
    counter outbound {{ packets 0 bytes 0 }}
    chain from_outside {{
        type filter hook ingress device "{interface}" priority 0; policy accept;
        ether type ip counter name inbound;
    }}
    chain to_outside {{
        type filter hook egress device "{interface}" priority 0; policy accept;
        ether type ip counter name outbound;
    }}
}}
"""


@attrs.frozen(slots=True, kw_only=True)
class Counted:
    """IPv4 packets and their octets, headers of IP included and those of Ethernet not."""

    packets: int
    octets: int


class PortCounters:
    """Two counters of nftables at ``interface`` of ``host``: what comes in there, and what leaves there."""

    def __init__(self, host: Namespace, interface: str) -> None:
        """They count from now on."""
        self._host = host
        self._name = f"count-{interface}".replace("-", "_")
        host.run("nft", "-f", "-", text=_TABLE.format(name=self._name, interface=interface))

    async def read(self) -> tuple[Counted, Counted]:
        """Inbound and outbound. ProgramError: the kernel does not tell."""
        argv = self._host.command("nft", "-j", "list", "counters", "table", "netdev", self._name)
        status, out, err = await run(argv)
        if status != 0:
            raise ProgramError(f"nft does not tell what it has counted: {err[-300:]}")
        found = {
            row["counter"]["name"]: row["counter"] for row in json.loads(out)["nftables"] if "counter" in row
        }
        inbound, outbound = found["inbound"], found["outbound"]
        return (
            Counted(packets=inbound["packets"], octets=inbound["bytes"]),
            # On the way out it sees frames with their Ethernet header.
            Counted(packets=outbound["packets"], octets=outbound["bytes"] - outbound["packets"] * _ETHERNET),
        )
