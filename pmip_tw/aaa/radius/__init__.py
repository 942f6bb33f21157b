"""Asking RADIUS servers, as a machine without sockets and clock, whatever is asked."""
