"""How much of everything a run does: enough for figures, enough for a first look, or just to see that it works."""

import attrs


@attrs.frozen(slots=True, kw_only=True)
class Effort:
    """``nodes``: registered mobile nodes, each with a key of its own. ``seconds``: of one sample.

    ``journaled``: records in the journal at the restart. ``flood_rate``: bad requests a second.
    """

    nodes: int = 100_000
    rounds: int = 7
    seconds: float = 1.0
    overload_rounds: int = 3
    overload_seconds: float = 2.0
    bindings: int = 1_000_000
    journaled: int = 3_000_000
    flood_rate: float = 50_000
    flood_rounds: int = 5
    flood_seconds: float = 2.0


FULL = Effort()
QUICK = Effort(
    nodes=20_000,
    rounds=5,
    seconds=0.3,
    overload_rounds=2,
    overload_seconds=1.0,
    bindings=50_000,
    journaled=150_000,
    flood_rounds=3,
    flood_seconds=1.0,
)
SMOKE = Effort(
    nodes=2_000,
    rounds=1,
    seconds=0.02,
    overload_rounds=1,
    overload_seconds=0.1,
    bindings=300,
    journaled=900,
    flood_rate=500,
    flood_rounds=1,
    flood_seconds=1.0,
)
"""What tests run: no figure means anything."""
