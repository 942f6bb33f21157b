"""Each interface has one contract test; it runs on the twin and on the real provider."""
