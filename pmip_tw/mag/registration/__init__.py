"""The MAG as a client of its LMAs: requests, their proof, replies, and what is tried next (RFC 5563, P5-P21)."""
