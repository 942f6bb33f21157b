"""What signalling costs, beside what the platform and its peers can do. ``python -m bench`` runs it."""
