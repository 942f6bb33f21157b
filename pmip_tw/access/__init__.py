"""How a mobile node arrives: the home link that the MAG imitates for it."""
