"""Registrations that end before their time, at either side's wish (RFC 3543)."""
