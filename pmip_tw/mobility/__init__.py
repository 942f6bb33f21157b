"""What MAG and LMA share: clocks, associations, replay protection, timers, tunnels."""
