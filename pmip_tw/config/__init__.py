"""Typed settings; reads TOML; reports every mistake with line and column."""
