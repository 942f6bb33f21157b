"""What a run is made of: a value, drawn from a seed or reduced from a drawn one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from tests.simulation.radius.settings import Servers

if TYPE_CHECKING:
    from tests.simulation.actions import Action


DOMAINS = {"example.net": "", "blue.example": "blue"}
"""The address space of each realm; all of them have the same prefix (P85)."""


def lma_name(number: int) -> str:
    """The first is simply the LMA."""
    return f"lma{number or ''}"


@attrs.frozen(slots=True, kw_only=True)
class Conditions:
    """What the network does to datagrams; see FakeNetwork."""

    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    delay: tuple[float, float] = (0.002, 0.02)
    held_up: float = 1.0


@attrs.frozen(slots=True, kw_only=True)
class Timepiece:
    """A machine's wall clock: seconds ahead at the start, and gained in each second."""

    offset: float = 0.0
    drift: float = 0.0


@attrs.frozen(slots=True, kw_only=True)
class Habit:
    """A mobile node's ways. ``talks_every``: seconds between its packets; ``static``: its address is configured at the
    LMA and in the host, which never speaks DHCP. ``lmas``: numbers of those that AAA names, the preferred one first.
    ``realm``: says in which address space it lives, see DOMAINS. ``proof``: what its supplicant has to say (802.1X):
    "password", "guess", or "nothing", as it has none; "" where nobody asks.
    """

    talks_every: float = 2.0
    static: bool = False
    lmas: tuple[int, ...] = (0,)
    realm: str = "example.net"
    proof: str = ""


@attrs.frozen(slots=True, kw_only=True)
class Scenario:
    """``settings`` of the roles are those of MagPolicy and LmaPolicy, with the ``address_hold`` of the LMAs' pools.

    ``redirected``: the realms whose nodes the first LMA sends to the second. ``nats``: numbers of MAGs behind a NAT, by
    ``nat_layout``: "apart", one each; "alike", one each and all with the same private address; "shared", behind the
    same. ``nat_timeout``: after so many seconds a NAT forgets who is silent; None: never.
    ``proofs``: by which associations each MAG proves its requests: "per-mn", "fa-ha" or "both"; all per MN if it is
    empty. ``aaa``: the RADIUS servers that MAGs ask; None: they have an AAA of their own, and ``aaa_delay`` is how long
    it takes. ``actions``: in order of time.
    """

    seed: int
    profile: str
    mags: int = 2
    lmas: int = 1
    nodes: tuple[Habit, ...] = (Habit(),)
    prefix_length: int = 24
    conditions: Conditions = Conditions()
    aaa_delay: tuple[float, float] = (0.01, 0.05)
    mag_settings: Mapping[str, object] = attrs.field(factory=dict)
    lma_settings: Mapping[str, object] = attrs.field(factory=dict)
    timepieces: Mapping[str, Timepiece] = attrs.field(factory=dict)
    redirected: tuple[str, ...] = ()
    nats: tuple[int, ...] = ()
    nat_layout: str = "apart"
    nat_timeout: float | None = None
    proofs: tuple[str, ...] = ()
    aaa: Servers | None = None
    actions: tuple["Action", ...] = ()
