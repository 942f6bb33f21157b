"""The DHCP server that a MAG shows to its mobile nodes."""
