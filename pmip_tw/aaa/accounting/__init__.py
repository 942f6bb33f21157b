"""What AAA is told of what mobile nodes use (RFC 2866, AA20-AA22)."""
