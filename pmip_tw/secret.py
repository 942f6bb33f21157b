"""A key or shared secret that cannot be shown by accident."""

from typing import NoReturn


class Secret:
    """Octets without a printable form: no repr, no str, no pickle, no comparison that would print them.

    ``reveal()`` is the one way to the octets, so that a reader finds every use of a key.
    """

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def reveal(self) -> bytes:
        return self._octets

    def __len__(self) -> int:
        return len(self._octets)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._octets == self._octets

    def __hash__(self) -> int:
        return hash(self._octets)

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: keys do not leave the process")


def parse_key(text: str) -> Secret:
    """A key as configuration writes it: ``hex:00ff...`` or ``text:...``.

    ValueError says how to write it and never repeats the text.
    """
    kind, colon, rest = text.partition(":")
    if colon and kind == "hex":
        try:
            octets = bytes.fromhex(rest)
        except ValueError:
            raise ValueError("the digits after hex: are not pairs of hexadecimal digits") from None
    elif colon and kind == "text":
        octets = rest.encode()
    else:
        raise ValueError("a key is written hex:0011... or text:..., so that its length is beyond doubt")
    if not octets:
        raise ValueError("the key is empty")
    return Secret(octets)
