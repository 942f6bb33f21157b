"""Diameter: peers and requests as machines, and what the applications say."""
