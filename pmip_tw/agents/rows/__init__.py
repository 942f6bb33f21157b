"""What operators see of an agent: rows of plain values."""
