"""Keeps the kernel off an access interface.

With forwarding on, the kernel would route the nodes' packets past the tunnel and answer their ARP. A drop at
netdev ingress stops it; packet sockets see frames before that hook.
"""

import re
import subprocess

from pmip_tw.errors import ForwardingError

SECONDS = 10


class IngressDrop:
    """One nftables table of our own for ``interface``; whatever else the operator has stays as it is."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        # Another interface's table must not get the same name: that would be replaced, and the fence be gone.
        self._table = "pmip_tw_" + re.sub(r"[^A-Za-z0-9_.-]", lambda odd: f"_{ord(odd[0]):x}_", interface)

    def install(self) -> None:
        """Also replaces what a crashed process left. ForwardingError: nft is missing or refuses."""
        table = self._table
        self._nft(
            f"table netdev {table}\n"
            f"delete table netdev {table}\n"
            f"table netdev {table} {{\n"
            f'  chain ingress {{ type filter hook ingress device "{self._interface}" priority 0; policy drop; }}\n'
            "}\n"
        )

    def remove(self) -> None:
        """ForwardingError: nft refuses, for example because somebody flushed the ruleset."""
        self._nft(f"delete table netdev {self._table}\n")

    def _nft(self, script: str) -> None:
        subject = f"the ingress drop of {self._interface}"
        try:
            done = subprocess.run(
                ["nft", "-f", "-"], input=script, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except FileNotFoundError as error:
            text = "the program nft is missing; install nftables (without it the kernel forwards past the tunnel)"
            raise ForwardingError("set", subject, text) from error
        except subprocess.TimeoutExpired as error:
            raise ForwardingError("set", subject, f"nft gave no answer in {SECONDS} seconds") from error
        if done.returncode:
            complaint = (done.stderr.strip().splitlines() or ["no reason given"])[0]
            raise ForwardingError("set", subject, f"nft says: {complaint} (root or CAP_NET_ADMIN is needed)")
