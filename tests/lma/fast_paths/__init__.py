"""An LMA that knows requests by their octets, beside one that reads every one of them: nobody can tell them apart.

The second is the same engine for which no request has the usual form, so that no fast path is ever taken. Both hear
what a seed draws: of many configurations one, of requests mostly the usual ones, and between them everything that may
happen to an LMA. After every step all that can be seen of either is compared.

    python -m tests.lma.fast_paths 0 100000
"""
