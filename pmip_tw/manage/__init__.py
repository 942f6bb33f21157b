"""What the operator sees: control socket, traces, counters, pmipctl."""
