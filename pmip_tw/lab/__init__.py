"""Private namespaces, real hosts, real servers, scenarios."""
