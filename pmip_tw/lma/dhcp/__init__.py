"""DHCP of nodes by way of their LMA: pre-tunnels, relaying, leases (N45-N57, D31)."""
