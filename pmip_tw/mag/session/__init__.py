"""A visit that goes on: what AAA allows and changes, accounting, how it ends."""
