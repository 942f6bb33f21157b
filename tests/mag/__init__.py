"""The rules of the access gateway, one machine at a time."""
