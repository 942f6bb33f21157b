"""What has passed a port, as the kernel's own packet filter counts it."""

import json
from collections.abc import Iterable
from typing import Any, Final

import attrs

from pmip_tw.addresses import Mac, mac_text
from pmip_tw.lab.programs import ProgramError, run
from pmip_tw.lab.topology import Namespace

_ETHERNET: Final = 14
_TABLE: Final = """\
table netdev {name} {{
    counter from_station {{ packets 0 bytes 0 }}
    counter to_station {{ packets 0 bytes 0 }}
    chain coming_in {{
        type filter hook ingress device "{interface}" priority 0; policy accept;
        {inward}
    }}
    chain going_out {{
        type filter hook egress device "{interface}" priority 0; policy accept;
        {outward}
    }}
}}
"""


@attrs.frozen(slots=True, kw_only=True)
class Counted:
    """IPv4 packets and their octets, headers of IP included and those of Ethernet not."""

    packets: int
    octets: int


def total(counted: Iterable[Counted]) -> Counted:
    """At several ports together."""
    listed = list(counted)
    return Counted(packets=sum(one.packets for one in listed), octets=sum(one.octets for one in listed))


class PortCounters:
    """Two counters of nftables at ``interface`` of ``host``: what comes from ``station``, and what goes to it.

    ``behind``: the station is at that port, not on the other side. What a switch brings to all its ports is of others.
    """

    def __init__(self, host: Namespace, interface: str, station: Mac, *, behind: bool = True) -> None:
        """They count from now on."""
        self._host = host
        self._name = f"count-{interface}".replace("-", "_")
        # On the way out nftables sees frames with their Ethernet header.
        self._with_header = "to_station" if behind else "from_station"
        who = mac_text(station)
        rules = [
            f"ether saddr {who} ether type ip counter name from_station;",
            f"ether daddr {who} ether type ip counter name to_station;",
        ]
        inward, outward = rules if behind else reversed(rules)
        text = _TABLE.format(name=self._name, interface=interface, inward=inward, outward=outward)
        host.run("nft", "-f", "-", text=text)

    async def read(self) -> tuple[Counted, Counted]:
        """From it and to it. ProgramError: the kernel does not tell."""
        argv = self._host.command("nft", "-j", "list", "counters", "table", "netdev", self._name)
        status, out, err = await run(argv)
        if status != 0:
            raise ProgramError(f"nft does not tell what it has counted: {err[-300:]}")
        rows = [row["counter"] for row in json.loads(out)["nftables"] if "counter" in row]
        found = {row["name"]: self._counted(row) for row in rows}
        return found["from_station"], found["to_station"]

    def _counted(self, row: dict[str, Any]) -> Counted:
        header = row["packets"] * _ETHERNET if row["name"] == self._with_header else 0
        return Counted(packets=row["packets"], octets=row["bytes"] - header)
