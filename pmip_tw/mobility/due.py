"""What is due, one thing after the other: a defect of ours in one of them costs nobody else's turn."""

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

EffectT_co = TypeVar("EffectT_co", covariant=True)

PUT_OFF = 30.0
"""Seconds after which something is tried again that met a defect."""


class Due(NamedTuple, Generic[EffectT_co]):
    """Something whose time has come. ``about``: what, for whoever reads the log. ``act``: does it, and gives what
    follows, as far as it comes. ``put_off``: lets it come due again in a while, to be called if ``act`` has raised;
    None: it comes due by itself.
    """

    about: object
    act: Callable[[], Iterable[EffectT_co]]
    put_off: Callable[[], None] | None = None
