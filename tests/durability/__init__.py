"""Proof that nothing is lost: an LMA is killed, or its machine, and what it had promised is looked for afterwards."""
