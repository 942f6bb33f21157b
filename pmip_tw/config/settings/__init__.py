"""Settings as typed values; names and defaults are those that ``conf/*.toml`` explain."""
