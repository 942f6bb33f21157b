"""The agents of an LMA that is several processes: worker 0, and the others (docs/decisions/0014)."""
