"""Home addresses: pools, address spaces, and what is kept for whom (P30, P80, P85)."""
