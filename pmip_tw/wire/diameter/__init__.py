"""Diameter on the wire (RFC 6733), over python-diameter's codec."""
