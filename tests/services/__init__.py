"""The daemons as an operator starts and stops them."""
