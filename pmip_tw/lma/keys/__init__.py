"""Keys that an LMA gets from AAA: asked for, kept for their time, replaced (AA10, AA13, P29)."""
