"""The packet plane: rules by themselves, and real packets in private network namespaces."""
