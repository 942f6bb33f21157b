"""Public twins of every interface: seeded network, fake clock, fake AAA, memory forwarding."""
