"""Keeps the kernel off an access interface.

With forwarding on, the kernel would route the nodes' packets past the tunnel and answer their ARP. A drop at
netdev ingress stops it; packet sockets see frames before that hook.
"""

from pmip_tw.forwarding.nftables import nothing_in, run, table_of


class IngressDrop:
    """One nftables table of our own for ``interface``; whatever else the operator has stays as it is."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._table = table_of(interface)

    def install(self) -> None:
        """Also replaces what a crashed process left. ForwardingError: nft is missing or refuses."""
        table = self._table
        self._nft(
            f"{nothing_in('netdev', table)}table netdev {table} {{\n"
            f'  chain ingress {{ type filter hook ingress device "{self._interface}" priority 0; policy drop; }}\n'
            "}\n"
        )

    def remove(self) -> None:
        """ForwardingError: nft refuses, for example because somebody flushed the ruleset."""
        self._nft(f"delete table netdev {self._table}\n")

    def _nft(self, script: str) -> None:
        run(
            script, f"the ingress drop of {self._interface}", "without it the kernel forwards past the tunnel"
        )
