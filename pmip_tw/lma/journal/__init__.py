"""What a restart must know of an LMA, and the way there and back (docs/decisions/0011)."""
