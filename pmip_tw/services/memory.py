"""What Python's garbage collector does in a daemon."""

import gc

YOUNG = 2_500
"""Objects that are made, more than are freed, before the young ones are looked at; by default 700."""

YOUNG_BEFORE_MIDDLE, MIDDLE_BEFORE_ALL = 2, 40_000
"""Those that are left are looked at once more when there are some 10,000, and then hardly ever again."""


def settle() -> None:
    """What lives now lives long: from now on the collector does not look at it, and at what is new never for long.

    Otherwise it would go through all bindings now and then, which takes 0.2 s for a million, although next to nothing
    here goes in circles: what is done with is freed at once, with or without a collector.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, YOUNG_BEFORE_MIDDLE, MIDDLE_BEFORE_ALL)
