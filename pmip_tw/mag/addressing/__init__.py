"""How nodes get their addresses: the DHCP methods (P60-P66)."""
