"""What a machine that is asked by RADIUS makes of one datagram."""

from typing import Generic, TypeVar

import attrs

EffectT = TypeVar("EffectT")


@attrs.frozen(slots=True)
class Received(Generic[EffectT]):
    """``proven``: it was made just now, as far as can be told, by somebody who knows the secret of where it is from.

    Of two that are the same only the first one is.
    """

    effects: list[EffectT]
    proven: bool = False
