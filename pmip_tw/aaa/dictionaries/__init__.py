"""Our own small dictionaries: what attributes are called, and how their values are written."""
