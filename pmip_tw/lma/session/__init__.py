"""A session that goes on: what AAA lets it have, and how it ends when that is over (AA18, AA25)."""
