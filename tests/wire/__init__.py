"""Octets of every message, there and back."""
