"""Bytes to frozen values and back; any bytes give a value or a WireError."""
