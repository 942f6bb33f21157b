"""Sockets and clocks: the edges of an agent towards the network."""
