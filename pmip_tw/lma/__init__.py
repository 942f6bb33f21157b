"""The local mobility anchor's rules: admission, bindings, address pools, revocation."""
