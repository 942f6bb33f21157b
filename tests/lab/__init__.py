"""The lab's own rooms: what it starts, captures and measures."""
