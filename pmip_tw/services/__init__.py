"""One module per role: the composition root that wires the interfaces; started by twistd."""
