"""What an operator decides about keys that an LMA gets from AAA."""

import attrs


@attrs.frozen(slots=True, kw_only=True)
class KeyPolicy:
    """Times in seconds.

    ``lifetime``: after which AAA is asked again for a key of which it has said no other; ``grace``: for which such a
    key does beyond that while AAA cannot be asked. ``overlap``: how long a key is valid beside one that has taken its
    place. ``refused``: for which AAA is not asked again about whom it has refused. ``again``: within which what does
    not verify with a key of AAA is forged; later AAA may have another one (AA10).

    ``most``: keys that are kept. ``rate``: questions per second, ``outstanding``: questions at a time. Those about
    nodes whom nobody knows get half of the latter, and of the former what others leave: inventing names costs AAA no
    more than that, and delays nobody else. ``ignores_unknown_filters``: an answer with a filter that there is not
    (AA25) counts without it, else it refuses the node. ``proofs``: AAA proves requests that have MN-AAA
    alone (RFC 4004).
    """

    lifetime: int = 86_400
    grace: int = 3_600
    overlap: int = 60
    refused: float = 30.0
    again: float = 10.0
    most: int = 1_000_000
    rate: int = 1_000
    outstanding: int = 128
    ignores_unknown_filters: bool = False
    proofs: bool = False
