"""How nodes are let in: who AAA is asked about, and what its verdicts mean (P15, AA2, AA24, AA27)."""
