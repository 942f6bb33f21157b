"""The RADIUS proxy between access points and servers (AA27)."""
