"""Rules that hold whatever the input is."""
