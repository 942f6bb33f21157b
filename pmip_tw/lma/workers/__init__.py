"""An LMA that is several processes: whose a node is, and which addresses each may give (docs/decisions/0014)."""
