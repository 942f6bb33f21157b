"""Proxy Mobile IPv4: mobility that the network provides for unmodified IPv4 hosts."""

__version__ = "0.1.0"
