"""What DHCP clients are told, and what a relay passes on."""
