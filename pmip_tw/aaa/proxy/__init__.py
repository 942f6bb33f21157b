"""The RADIUS proxy between access points that authenticate by themselves and the servers of a MAG (AA27)."""
