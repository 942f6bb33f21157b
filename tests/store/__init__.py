"""The journal: its file, its faults, its versions."""
