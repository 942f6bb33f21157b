"""The mobile nodes at a MAG: who they are, how far their registration is (RFC 5563 4.1)."""

from collections import Counter
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

import attrs

from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import UNSPECIFIED, Ipv4, Mac, Prefix
from pmip_tw.dhcp.questions import Answer
from pmip_tw.mag.newest import Newest
from pmip_tw.mag.registration.exchanges import Exchange, Grant
from pmip_tw.mag.uplink import HeldFrames
from pmip_tw.mobility.packet_filters import PacketFilters
from pmip_tw.mobility.silence import Silence
from pmip_tw.mobility.tunnels import AccessEntry, AccessKey, Tunnel
from pmip_tw.wire.dhcp import DhcpMessage


class State(Enum):
    """Where a visitor stands; the value is what screens show."""

    AUTHENTICATING = "authenticating"
    ADDRESSING = "addressing"
    """Without an address that could be registered: it asks DHCP servers for one (P63)."""
    REGISTERING = "registering"
    WAITING = "waiting"
    """Not to be had from its LMA now: asked for again at ``retry_at``, if the node is still here (see waiting)."""
    REGISTERED = "registered"
    LEAVING = "leaving"
    """De-registering; its packets are not carried any more."""


WITH_LEASE = (State.REGISTERED, State.WAITING)
"""States in which the end of a lease ends the visit; in others it is looked at when they are over."""

LONGEST_UNCHECKED = 32.0
"""Seconds for which a node may wait without being asked whether it is still there."""


NEVER = float("-inf")
"""An instant: not since this process began."""


_MOST_FORMER = 8192
"""MACs of former visitors that are remembered."""

EAP = "eap-"
"""How the methods are called by which a supplicant proves who it is."""


class Place(NamedTuple):
    """What tells the packets for one visitor from those for all others (P44, P45): no two visitors share it."""

    home_agent: Ipv4
    key_in: int | None
    home_address: Ipv4

    @classmethod
    def of(cls, tunnel: Tunnel, home_address: Ipv4) -> "Place":
        return cls(tunnel.remote, tunnel.key_in, home_address)


@attrs.frozen(slots=True, kw_only=True)
class LeaseQuestion:
    """What the node asked a DHCP server for its lease: the transaction, and when, monotonic (D34)."""

    xid: int
    asked_at: float


@attrs.frozen(slots=True, kw_only=True)
class Doubt:
    """A registered node was seen to use another address, first at ``since``, monotonic."""

    address: Ipv4
    since: float


@attrs.define(slots=True, kw_only=True, eq=False)
class Visitor:
    """One mobile node. ``hint``: the address it was seen to use. ``home_address``: 0 until the LMA has said it.

    ``lma``: where it is registered, or is to be. ``configured``: it uses ``hint`` already.
    ``heard_at``: last frame handed up, monotonic; traffic in the packet plane counts as well, see presence.
    ``confirmed_at``: when that was last looked at and found recent (P15). ``placed``: where the list finds it: by
    ``hint`` while that is provisional, then by ``home_address``. ``tunnel_lost``: nothing comes back through it (P81).
    ``check_at``: when its presence is looked at next, None: when its grant says so. ``waiting_since``: it must be heard
    after that to be registered.
    ``lease_ends``: of what DHCP told it, with grace; None if it never asked. ``lease_cause``: what its end means.
    ``lease_question``: put to a server beyond the tunnel, which we may see when ``shows_dhcp`` (P65).
    ``dhcp_unicast``: the last that it said by DHCP was for one server alone (D14). ``promise``: an ACK that waits for
    the registration (D23), until ``promise_ends`` (N54). ``refused_address``: that the LMA did not take.
    ``doubt``: whether it still uses its home address; its next word from there ends it.
    ``recorded_until``: how long what was written down of it would bring it back after a restart, None: not at all.
    ``filters``: what passes must pass each of them. ``silence``: how long it may move nothing, None: for ever (AA25).
    ``accounting_id``: what AAA knows its session by (Acct-Session-Id), "" until it was accepted.
    ``session_ends``: when AAA's Session-Timeout is over; None if it has none. ``contested``: its MAC was heard on
    another port, and whether it is still here is being found out. ``method``: how AAA was convinced, "mac" or as
    "eap-ttls"; ``identity``: what it called itself in EAP. ``examined``: by an access point, if it was (AA27).
    ``reauthorize_at``: when AAA is asked about it again,
    ``reauthorize_with`` the State that it wants to see then (RFC 5176 3.2), None if it is our own wish.
    """

    key: AccessKey
    since: float
    hint: Ipv4 = UNSPECIFIED
    state: State = State.AUTHENTICATING
    profile: Profile | None = None
    method: str = ""
    identity: str = ""
    examined: Examined | None = None
    lma: Ipv4 = UNSPECIFIED
    configured: bool = False
    home_address: Ipv4 = UNSPECIFIED
    placed: "Place | None" = None
    tunnel: Tunnel | None = None
    tunnel_lost: bool = False
    exchange: Exchange | None = None
    grant: Grant | None = None
    heard_at: float
    confirmed_at: float = NEVER
    retry_at: float = 0.0
    retries: int = 0
    waiting_since: float = 0.0
    probes: int = 0
    contested: bool = False
    check_at: float | None = None
    recorded_until: float | None = None
    filters: PacketFilters = ()
    silence: Silence | None = None
    accounting_id: str = ""
    session_ends: float | None = None
    reauthorize_at: float | None = None
    reauthorize_with: bytes | None = attrs.field(default=None, repr=False)
    lease_ends: float | None = None
    lease_cause: str = ""
    lease_question: LeaseQuestion | None = None
    shows_dhcp: bool = False
    dhcp_unicast: bool = False
    promise: Answer | None = None
    promise_ends: float = 0.0
    doubt: Doubt | None = None
    refused_address: Ipv4 = UNSPECIFIED
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
    def by_eap(self) -> bool:
        """Whether it has a supplicant that has proven who it is."""
        return self.method.startswith(EAP)

    @property
    def proven(self) -> bool:
        """Whether it has proven who it is, here or to its access point: nothing less takes it away."""
        return self.by_eap or (self.examined is not None and self.examined.by_eap)

    @property
    def answers_arp(self) -> bool:
        """Whether it has an address, so that it can be asked whether it is there (P15)."""
        return self.configured and bool(self.home_address or self.hint)

    def lose_registration(self) -> None:
        """It is registered no more, which says nothing about the node: it has its address and may be here."""
        self.hint, self.configured = self.home_address, True
        self.home_address = UNSPECIFIED
        self.grant = self.tunnel = None
        self.tunnel_lost = self.contested = False

    def wait(self, seconds: float, monotonic: float) -> None:
        """Nothing is asked of an LMA for so long; who is silent meanwhile is forgotten earlier."""
        self.state, self.exchange = State.WAITING, None
        self.waiting_since, self.probes = monotonic, 0
        self.retry_at = monotonic + seconds
        self.check_at = monotonic + min(seconds, LONGEST_UNCHECKED)

    def entry(self, *, upstream: bool, broadcasts_on: Prefix | None = None) -> AccessEntry | None:
        """What the packet plane must hold: provisional until accepted (P77); None while no address is known.

        ``broadcasts_on``: its home link, if broadcasts there are to be carried (P68).
        """
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
            broadcasts=broadcasts_on is not None,
            prefix=broadcasts_on,
            filters=self.filters,
        )

    def next_deadline(self) -> float | None:
        """When something is due for it, monotonic; None: never."""
        deadlines = []
        if self.exchange is not None:
            deadlines.append(self.exchange.next_try)
        if self.state is State.ADDRESSING:
            deadlines.append(self.retry_at)
        if self.state is State.WAITING and self.check_at is not None:
            deadlines.append(self.check_at)
        if self.grant is not None:
            deadlines.append(self.grant.ends_at)
            if self.exchange is None:
                deadlines.append(self.grant.renew_at if self.check_at is None else self.check_at)
        if self.state is not State.LEAVING and self.session_ends is not None:
            deadlines.append(self.session_ends)
        if self.state is not State.LEAVING and self.reauthorize_at is not None:
            deadlines.append(self.reauthorize_at)
        if self.state is not State.LEAVING and self.silence is not None:
            deadlines.append(self.silence.check_at)
        if self.state in WITH_LEASE and self.lease_ends is not None:
            deadlines.append(self.lease_ends)
        return min(deadlines, default=None)


class VisitorList:
    """All visitors, by layer 2 identity (P43); by NAI, MAC and the way to their home address as indexes."""

    def __init__(self) -> None:
        self._by_key: dict[AccessKey, Visitor] = {}
        self._by_mac: dict[Mac, Visitor] = {}
        self._by_nai: dict[str, Visitor] = {}
        self._by_accounting_id: dict[str, Visitor] = {}
        self._by_place: dict[Place, Visitor] = {}
        self._by_home: dict[tuple[Ipv4, Ipv4], list[Visitor]] = {}
        self._on_port: Counter[str] = Counter()
        self._former: Newest[Mac, None] = Newest(_MOST_FORMER)

    def get(self, key: AccessKey) -> Visitor | None:
        return self._by_key.get(key)

    def with_mac(self, mac: Mac) -> Visitor | None:
        return self._by_mac.get(mac)

    def with_nai(self, nai: str) -> Visitor | None:
        return self._by_nai.get(nai)

    def with_accounting_id(self, accounting_id: str) -> Visitor | None:
        return self._by_accounting_id.get(accounting_id)

    def at(self, place: Place) -> Visitor | None:
        """Who has, or as a provisional entry claims, what arrives there."""
        return self._by_place.get(place)

    def with_home(self, home_agent: Ipv4, home_address: Ipv4) -> list[Visitor]:
        """Who has that address at that LMA: several, if GRE keys tell them apart (P45)."""
        return self._by_home.get((home_agent, home_address), [])

    def is_known(self, mac: Mac) -> bool:
        """Whether AAA has accepted it: it is served somewhere here, or was lately."""
        visitor = self._by_mac.get(mac)
        return mac in self._former or (visitor is not None and visitor.profile is not None)

    def on_port(self, port: str) -> int:
        """How many there are."""
        return self._on_port[port]

    def add(self, visitor: Visitor) -> None:
        if visitor.key not in self._by_key:
            self._on_port[visitor.key.port] += 1
        self._by_key[visitor.key] = visitor
        self._by_mac[visitor.mac] = visitor

    def identified(self, visitor: Visitor) -> None:
        """AAA has said who ``visitor`` is, and its session has an id."""
        self._by_nai[visitor.nai] = visitor
        self._by_accounting_id[visitor.accounting_id] = visitor

    def place(self, visitor: Visitor, place: Place) -> None:
        """The packet plane is to carry what arrives there to ``visitor`` from now on, and to nobody else."""
        self.displace(visitor)
        visitor.placed = place
        former = self._by_place.get(place)
        if former is not None:
            self.displace(former)
        self._by_place[place] = visitor
        self._by_home.setdefault((place.home_agent, place.home_address), []).append(visitor)

    def displace(self, visitor: Visitor) -> None:
        """``visitor`` is not found by its address any more."""
        place, visitor.placed = visitor.placed, None
        if place is None:
            return
        del self._by_place[place]
        home = (place.home_agent, place.home_address)
        self._by_home[home].remove(visitor)
        if not self._by_home[home]:
            del self._by_home[home]

    def remove(self, visitor: Visitor) -> None:
        if self._by_key.get(visitor.key) is visitor:
            del self._by_key[visitor.key]
            self._on_port[visitor.key.port] -= 1
            if not self._on_port[visitor.key.port]:
                del self._on_port[visitor.key.port]
        if self._by_mac.get(visitor.mac) is visitor:
            del self._by_mac[visitor.mac]
        if self._by_nai.get(visitor.nai) is visitor:
            del self._by_nai[visitor.nai]
        if visitor.profile is not None:
            self._former[visitor.mac] = None
        if self._by_accounting_id.get(visitor.accounting_id) is visitor:
            del self._by_accounting_id[visitor.accounting_id]
        self.displace(visitor)

    def step_aside(self, visitor: Visitor) -> None:
        """``visitor`` is leaving and another one takes its place: until it has left it is found by its name alone."""
        name = visitor.nai
        self.remove(visitor)
        visitor.key = AccessKey(f"{visitor.key.port}, formerly {name}", visitor.mac)
        former = self._by_key.get(visitor.key)
        if former is not None:
            self.remove(former)
        self._by_key[visitor.key] = self._by_nai[name] = visitor
        self._on_port[visitor.key.port] += 1

    def __iter__(self) -> Iterator[Visitor]:
        return iter(tuple(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)
