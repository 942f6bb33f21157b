"""What a restart must know of a MAG, and the way there and back (docs/decisions/0013)."""
