"""From what AAA says to what holds for a mobile node (AA1, AA9)."""
