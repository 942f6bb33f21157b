"""The GRE keys that an LMA gives out (RFC 6245 4, T5)."""

from collections.abc import Iterable

import attrs

from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import Tunnel


class GreKeys:
    """The keys of what comes up: the LMA's own choice, never twice at a time, so that they tell tunnels apart."""

    def __init__(self) -> None:
        self._held: set[int] = set()

    def keyed(self, tunnel: Tunnel, asked: int, present: Tunnel | None, now: Now) -> Tunnel:
        """``tunnel`` with the keys for a request that has ``asked`` in its 48.

        What goes down gets the key asked for. 0 leaves the choice to the LMA, whose one key is then good for both
        directions (P50). A renewal keeps the key of ``present``, the tunnel of its MAG so far; a handover gets a new
        one (P34).
        """
        kept = present.key_in if present is not None else None
        key_in = self._fresh(now) if kept is None else kept
        return attrs.evolve(tunnel, key_in=key_in, key_out=asked or key_in)

    def hold(self, tunnels: Iterable[Tunnel]) -> None:
        """Their keys are in use."""
        self._held.update(tunnel.key_in for tunnel in tunnels if tunnel.key_in is not None)

    def drop(self, tunnels: Iterable[Tunnel]) -> None:
        """Their keys may be given to others."""
        self._held.difference_update([tunnel.key_in for tunnel in tunnels if tunnel.key_in is not None])

    def _fresh(self, now: Now) -> int:
        """Drawn by lot, so that keys that MAGs choose for themselves are not met."""
        key = int.from_bytes(now.entropy(4), "big")
        while not key or key in self._held:
            key = (key + 1) & 0xFFFFFFFF
        return key
