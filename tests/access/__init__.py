"""Access links as a mobile node sees them."""
