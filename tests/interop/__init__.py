"""Daemons among unmodified programs of others, in network namespaces."""
