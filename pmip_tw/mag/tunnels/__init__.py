"""Whether tunnels carry: keepalives, NAT mappings, echoes (N37-N43)."""
