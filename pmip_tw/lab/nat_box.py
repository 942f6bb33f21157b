"""A NAT as customers have it: one public address, ports that it chooses at random, and little else that passes.

MAG 192.168.1.10 --- 192.168.1.1 NAT box (public address) --- core
"""

import sys
from collections.abc import Sequence
from typing import Final

from pyroute2.netlink.nfnetlink.nfctsocket import NFCTSocket

from pmip_tw.lab.programs import ProgramError, run
from pmip_tw.lab.topology import Namespace, Network

GATEWAY: Final = "192.168.1.1"
OUTSIDE: Final = "core0"

FORGETS_AFTER: Final = 15
"""Seconds of silence after which a mapping of UDP is gone, in both of the kernel's ways to count them."""

_RULES: Final = f"""
table ip nat {{
    chain postrouting {{
        type nat hook postrouting priority srcnat;
        oifname "{OUTSIDE}" meta l4proto {{ tcp, udp }} masquerade to :20000-60000 random
        oifname "{OUTSIDE}" masquerade
    }}
}}
table ip cpe {{
    chain passing {{
        type filter hook forward priority filter; policy drop;
        meta l4proto {{ 4, 47, 50 }} counter drop
        ct state established,related accept
        iifname "lan0" accept
    }}
    chain to_itself {{
        type filter hook input priority filter; policy accept;
        iifname "{OUTSIDE}" drop
    }}
}}
"""


class NatBox:
    """``host`` has the interfaces lan0, to the MAG, and core0."""

    def __init__(self, network: Network, name: str, mag: Namespace, address: str) -> None:
        """Made, and connected to the interface core0 of ``mag``, which gets ``address``."""
        self.host = network.host(name)
        network.link(mag, "core0", self.host, "lan0")
        self.host.ip(f"address add {GATEWAY}/24 dev lan0")
        mag.ip(f"address add {address}/24 dev core0", f"route add default via {GATEWAY}")

    def translate(self) -> None:
        """From now on, as core0 is connected."""
        self.host.run("nft", "-f", "-", text=_RULES)
        # These settings exist when rules want connections tracked.
        tracking = "net/netfilter/nf_conntrack_udp_timeout"
        timeouts = {name: str(FORGETS_AFTER) for name in (tracking, f"{tracking}_stream")}
        self.host.set_sysctl({"net/ipv4/ip_forward": "1", **timeouts})

    async def forget(self) -> None:
        """Every mapping, as a box that starts anew. ProgramError: the kernel did not do it."""
        command = self.host.command(sys.executable, "-m", "pmip_tw.lab.nat_box", "forget")
        status, _, err = await run(command)
        if status != 0:
            raise ProgramError(f"{self.host.name} keeps its mappings: {err[-300:]}")


def main(arguments: Sequence[str]) -> int:
    """Runs on the box: forgets every mapping, as ``conntrack -F`` does."""
    if list(arguments) != ["forget"]:
        return 2
    with NFCTSocket() as tracking:
        tracking.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
