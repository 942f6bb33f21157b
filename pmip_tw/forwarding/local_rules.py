"""Who may pass the device between mobile nodes and the local network (N58), in an nftables table of our own.

The kernel forwards whatever its routes say; this keeps it to what the operator has listed.
"""

from collections.abc import Iterable, Iterator, Sequence

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.forwarding.breakout import BreakoutRules
from pmip_tw.forwarding.nftables import nothing_in, run, table_of


class LocalRules:
    """From the nodes: to the listed prefixes, which have no nodes, but not to who trusts this machine's address, and to
    this machine itself only where it is listed alone.

    To the nodes: what answers them, and with ``proxy_arp`` whatever comes from the listed prefixes, by the interfaces
    that lead there: anybody elsewhere may give himself such an address. Without, they leave with the address of the
    interface by which they leave.
    """

    def __init__(self, rules: BreakoutRules) -> None:
        self._rules = rules
        self._table = table_of(rules.device)

    def install(self, links: Sequence[str]) -> None:
        """``links``: the interfaces that lead to the listed prefixes, with ``proxy_arp``.

        Also replaces what a crashed process left. ForwardingError: nft is missing or refuses.
        """
        chains = "".join(self._chains(", ".join(f'"{link}"' for link in links)))
        self._run(f"{nothing_in('ip', self._table)}table ip {self._table} {{\n{self._listed()}{chains}}}\n")

    def remove(self) -> None:
        """It need not be there. ForwardingError: nft is missing or refuses."""
        self._run(nothing_in("ip", self._table))

    def _listed(self) -> str:
        prefixes = ", ".join(map(str, self._rules.prefixes))
        return (
            f"  set listed {{ type ipv4_addr; flags interval; auto-merge; elements = {{ {prefixes} }}; }}\n"
        )

    def _chains(self, links: str) -> Iterator[str]:
        arrives, leaves = f'iifname "{self._rules.device}"', f'oifname "{self._rules.device}"'
        hosts, trusting = _row(self._rules.hosts), _row(filter(self._is_listed, self._rules.trusting))
        yield _chain(
            "input",
            "filter hook input priority 0",
            *([f"{arrives} ip daddr {{ {hosts} }} accept"] if hosts else ()),
            f"{arrives} drop",
        )
        yield _chain(
            "forward",
            "filter hook forward priority 0",
            f"{arrives} ip daddr != @listed drop",
            *([f"{arrives} ip daddr {{ {trusting} }} drop"] if trusting else ()),
            f"{leaves} ct state established,related accept",
            *([f"iifname {{ {links} }} {leaves} ip saddr @listed accept"] if links else ()),
            f"{leaves} drop",
        )
        if not self._rules.proxy_arp:
            yield _chain("leaving", "nat hook postrouting priority 100", f"{arrives} masquerade")

    def _is_listed(self, address: Ipv4) -> bool:
        return any(address in prefix for prefix in self._rules.prefixes)

    def _run(self, script: str) -> None:
        run(script, f"the rules of {self._rules.device}", "without it strangers reach the mobile nodes")


def _row(addresses: Iterable[Ipv4]) -> str:
    return ", ".join(map(ipv4_text, sorted(addresses)))


def _chain(name: str, hook: str, *rules: str) -> str:
    return f"  chain {name} {{\n    type {hook}; policy accept;\n    " + "\n    ".join(rules) + "\n  }\n"
