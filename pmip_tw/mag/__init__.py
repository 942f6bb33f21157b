"""The access gateway's rules: visitors, registration, presence, revocation received."""
