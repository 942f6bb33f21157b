"""A request that is refused, and what its reply says."""

import attrs

from pmip_tw.addresses import Ipv4


@attrs.frozen(slots=True)
class Refusal:
    """``code`` for the reply; ``cause`` in words for a person; ``redirect``: the home agent to ask instead (DY7)."""

    code: int
    cause: str
    redirect: Ipv4 | None = None
