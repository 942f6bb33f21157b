"""What single settings cannot show: duplicates, overlaps, what excludes or needs another."""
