"""Registration requests: believed, judged, granted, answered (RFC 5944 3.8)."""
