"""A registration on its way, and what it brings: the two values that a visitor's registration consists of."""

from typing import Any

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.mag.registration.protection import Protection
from pmip_tw.mobility.tunnels import Encapsulation


@attrs.define(slots=True, kw_only=True)
class Exchange:
    """A registration on its way. Times are monotonic seconds.

    ``lma``: where it is sent. ``home_agent``: what its home agent field says, 0 to be assigned one (DY5).
    ``home_address``: asked for, 0 for any. ``gre_key``: asked for, 0 to be assigned one, None without (T5).
    ``offers_udp``: extension 144 goes along (N1). ``identifications``: of every try, the newest last (I5, M2).
    ``heard``: the node was, since the last try. ``max_tries``: after so many the LMA counts as silent.
    ``repaired``: the refusals that led to this version of it, each of which is repaired once. ``given_up``: LMAs that
    were silent or sent us elsewhere (P81, DY7). ``complaint``: why the answers that came were useless, "" if none came.
    """

    lifetime: int
    home_address: Ipv4
    lma: Ipv4
    home_agent: Ipv4
    care_of_address: Ipv4
    protection: Protection
    encapsulation: Encapsulation = Encapsulation.IP_IN_IP
    gre_key: int | None = None
    offers_udp: bool = True
    identifications: list[int] = attrs.field(factory=list)
    sent_at: float = 0.0
    next_try: float = 0.0
    heard: bool = False
    max_tries: int
    resynchronized: bool = False
    repaired: frozenset[int] = frozenset()
    given_up: frozenset[Ipv4] = frozenset()
    complaint: str = ""

    @property
    def discovers(self) -> bool:
        """Whether it asks for an LMA rather than for a registration (RFC 4433)."""
        return not self.home_agent

    @property
    def tries(self) -> int:
        return len(self.identifications)

    def again(self, **changes: Any) -> "Exchange":
        """A fresh exchange that differs from this one in ``changes``."""
        fresh: dict[str, Any] = {
            "identifications": [],
            "sent_at": 0.0,
            "resynchronized": False,
            "complaint": "",
        }
        return attrs.evolve(self, **(fresh | changes))


@attrs.frozen(slots=True, kw_only=True)
class Grant:
    """An accepted registration.

    ``lma_timestamp``: of its 137 in the reply, None if revocation was not negotiated; ``inform``: the I bit was (RV5).
    ``protection``: what proved it, and proves its revocation (RV9). ``care_of_address``: what is registered.
    ``keepalive_interval``: seconds, as the LMA's 44 says, 0: it leaves that to us (N38).
    """

    lifetime: int
    ends_at: float
    renew_at: float
    accepted_at: float
    care_of_address: Ipv4
    protection: Protection
    lma_timestamp: int | None
    inform: bool = False
    keepalive_interval: int = 0
