"""The mobile nodes at a MAG: who they are, how far their registration is (RFC 5563 4.1)."""

from collections.abc import Iterator
from enum import Enum

import attrs

from pmip_tw.aaa.profile import Profile
from pmip_tw.addresses import UNSPECIFIED, Ipv4, Mac
from pmip_tw.mag.uplink import HeldFrames
from pmip_tw.mobility.tunnels import AccessEntry, AccessKey, Tunnel
from pmip_tw.wire.dhcp import DhcpMessage


class State(Enum):
    """Where a visitor stands; the value is what screens show."""

    AUTHENTICATING = "authenticating"
    REGISTERING = "registering"
    WAITING = "waiting"
    """Refused for now: tries again at ``retry_at`` if it is heard meanwhile."""
    REGISTERED = "registered"
    LEAVING = "leaving"
    """De-registering; its packets are not carried any more."""


@attrs.define(slots=True, kw_only=True)
class Exchange:
    """A registration on its way. Times are monotonic seconds.

    ``home_address``: asked for, 0 for any. ``identifications``: of every try, the newest last (I5, M2).
    ``complaint``: why the answers that came were useless, "" if none came.
    """

    lifetime: int
    home_address: Ipv4
    identifications: list[int] = attrs.field(factory=list)
    sent_at: float = 0.0
    next_try: float = 0.0
    resynchronized: bool = False
    complaint: str = ""


@attrs.frozen(slots=True, kw_only=True)
class Grant:
    """An accepted registration. ``lma_timestamp``: of its 137 in the reply, None if revocation was not negotiated."""

    lifetime: int
    ends_at: float
    renew_at: float
    accepted_at: float
    lma_timestamp: int | None


@attrs.frozen(slots=True, kw_only=True)
class LeaseQuestion:
    """What the node asked a DHCP server for its lease: the transaction, and when, monotonic (D34)."""

    xid: int
    asked_at: float


@attrs.define(slots=True, kw_only=True, eq=False)
class Visitor:
    """One mobile node. ``hint``: the address it was seen to use. ``home_address``: 0 until the LMA has said it.

    ``heard_at``: last frame handed up, monotonic; traffic in the packet plane counts as well, see presence.
    ``placed``: the address by which the list finds it: ``hint`` while that is provisional, then ``home_address``.
    ``lease_ends``: of what DHCP told it, with grace; None if it never asked. ``lease_cause``: what its end means.
    ``lease_question``: put to a server beyond the tunnel, which we may see when ``shows_dhcp`` (P65).
    ``session_ends``: when AAA's Session-Timeout is over; None if it has none. ``contested``: its MAC was heard on
    another port, and whether it is still here is being found out.
    """

    key: AccessKey
    since: float
    hint: Ipv4 = UNSPECIFIED
    state: State = State.AUTHENTICATING
    profile: Profile | None = None
    home_address: Ipv4 = UNSPECIFIED
    placed: Ipv4 = UNSPECIFIED
    tunnel: Tunnel | None = None
    exchange: Exchange | None = None
    grant: Grant | None = None
    heard_at: float
    retry_at: float = 0.0
    retries: int = 0
    refused_at: float = 0.0
    probes: int = 0
    contested: bool = False
    check_at: float | None = None
    session_ends: float | None = None
    lease_ends: float | None = None
    lease_cause: str = ""
    lease_question: LeaseQuestion | None = None
    shows_dhcp: bool = False
    waiting_dhcp: DhcpMessage | None = None
    waiting_dhcp_since: float = 0.0
    frames: HeldFrames = attrs.field(factory=HeldFrames)

    @property
    def mac(self) -> Mac:
        return self.key.mac

    @property
    def nai(self) -> str:
        return self.profile.nai if self.profile else ""

    @property
    def lma(self) -> Ipv4:
        return self.profile.lma if self.profile else UNSPECIFIED

    def entry(self, *, upstream: bool) -> AccessEntry | None:
        """What the packet plane must hold: provisional until accepted (P77); None while no address is known."""
        address = self.home_address or self.hint
        if self.tunnel is None or not address:
            return None
        return AccessEntry(
            port=self.key.port,
            mac=self.key.mac,
            home_address=address,
            tunnel=self.tunnel,
            upstream=upstream,
            shows_dhcp=self.shows_dhcp,
        )

    def next_deadline(self) -> float | None:
        """When something is due for it, monotonic; None: never."""
        deadlines = []
        if self.exchange is not None:
            deadlines.append(self.exchange.next_try)
        if self.state is State.WAITING:
            deadlines.append(self.retry_at)
        if self.grant is not None:
            deadlines.append(self.grant.ends_at)
            if self.exchange is None:
                deadlines.append(self.grant.renew_at if self.check_at is None else self.check_at)
        deadlines += [end for end in (self.lease_ends, self.session_ends) if end is not None]
        return min(deadlines, default=None)


class VisitorList:
    """All visitors, by layer 2 identity (P43); by NAI, MAC and home address as indexes."""

    def __init__(self) -> None:
        self._by_key: dict[AccessKey, Visitor] = {}
        self._by_mac: dict[Mac, Visitor] = {}
        self._by_nai: dict[str, Visitor] = {}
        self._by_home: dict[tuple[Ipv4, Ipv4], Visitor] = {}

    def get(self, key: AccessKey) -> Visitor | None:
        return self._by_key.get(key)

    def with_mac(self, mac: Mac) -> Visitor | None:
        return self._by_mac.get(mac)

    def with_nai(self, nai: str) -> Visitor | None:
        return self._by_nai.get(nai)

    def at(self, lma: Ipv4, home_address: Ipv4) -> Visitor | None:
        """Who has, or as a provisional entry claims, that address; under another LMA it is another one (P45)."""
        return self._by_home.get((lma, home_address))

    def add(self, visitor: Visitor) -> None:
        self._by_key[visitor.key] = visitor
        self._by_mac[visitor.mac] = visitor

    def identified(self, visitor: Visitor) -> None:
        """AAA has said who ``visitor`` is."""
        self._by_nai[visitor.nai] = visitor

    def place(self, visitor: Visitor, address: Ipv4) -> None:
        """The packet plane is to carry ``address`` to ``visitor`` from now on, and to nobody else."""
        self.displace(visitor)
        visitor.placed = address
        self._by_home[visitor.lma, address] = visitor

    def displace(self, visitor: Visitor) -> None:
        """``visitor`` is not found by its address any more."""
        if self._by_home.get((visitor.lma, visitor.placed)) is visitor:
            del self._by_home[visitor.lma, visitor.placed]
        visitor.placed = UNSPECIFIED

    def remove(self, visitor: Visitor) -> None:
        if self._by_key.get(visitor.key) is visitor:
            del self._by_key[visitor.key]
        if self._by_mac.get(visitor.mac) is visitor:
            del self._by_mac[visitor.mac]
        if self._by_nai.get(visitor.nai) is visitor:
            del self._by_nai[visitor.nai]
        self.displace(visitor)

    def __iter__(self) -> Iterator[Visitor]:
        return iter(tuple(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)
