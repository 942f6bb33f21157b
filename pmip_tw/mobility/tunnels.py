"""What the packet plane must carry out: tunnels, and one entry per mobile node at either end."""

from collections.abc import Sequence
from enum import Enum, IntEnum
from typing import NamedTuple

import attrs
from msgspec import Struct

from pmip_tw.addresses import Ipv4, Mac, Prefix, ipv4, ipv4_text, mac_text
from pmip_tw.mobility.packet_filters import PacketFilters

SIGNALLING_PORT = 434


class Encapsulation(IntEnum):
    """How the inner packet is wrapped; the values are IP protocol numbers (RFC 5944 4.1)."""

    IP_IN_IP = 4
    GRE = 47
    MINIMAL = 55

    @property
    def label(self) -> str:
        """As configuration and screens write it: ``ip-in-ip``."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def labelled(cls, label: str) -> "Encapsulation":
        """The one with that ``label``; KeyError if there is none."""
        return cls[label.upper().replace("-", "_")]


@attrs.frozen(slots=True, kw_only=True, cache_hash=True)
class Tunnel:
    """One end's view of a tunnel. Equal tunnels are the same tunnel: it may carry many mobile nodes (P42).

    ``remote_port`` is 0 for a tunnel directly over IP; otherwise the encapsulated packet travels in UDP from
    our port 434 to (``remote``, ``remote_port``) behind RFC 3519's 4-octet header. ``key_in``, ``key_out``: the GRE
    keys of what arrives and what leaves, both None without (T5); they make it a mobile node's own tunnel.
    """

    local: Ipv4
    remote: Ipv4
    encapsulation: Encapsulation = Encapsulation.IP_IN_IP
    remote_port: int = 0
    key_in: int | None = None
    key_out: int | None = None

    @property
    def over_udp(self) -> bool:
        return self.remote_port != 0

    @property
    def path(self) -> "Tunnel":
        """What nodes share: keys tell their packets apart, not the way that these go."""
        return self if self.key_in is self.key_out is None else attrs.evolve(self, key_in=None, key_out=None)

    def __str__(self) -> str:
        port = f":{self.remote_port} udp" if self.over_udp else ""
        key = "" if self.key_out is None else f" key {self.key_out}"
        return f"{self.encapsulation.label} {ipv4_text(self.local)} -> {ipv4_text(self.remote)}{port}{key}"


class AccessKey(NamedTuple):
    """Names a mobile node's entry at a MAG: the layer 2 identity, never the IP address (P43)."""

    port: str
    mac: Mac

    def __str__(self) -> str:
        return f"{mac_text(self.mac)} on {self.port}"


class AnchorKey(NamedTuple):
    """Names a mobile node's entry at an LMA.

    ``domain``: the address space of its home address (P85), "" for the main one.
    """

    home_address: Ipv4
    domain: str = ""

    @classmethod
    def read(cls, text: str) -> "AnchorKey | None":
        """From how it is written: ``10.1.0.2``, ``10.1.0.2 in blue``; None if it is neither."""
        address, _, domain = text.partition(" in ")
        try:
            return cls(ipv4(address), domain)
        except ValueError:
            return None

    def __str__(self) -> str:
        return ipv4_text(self.home_address) + (f" in {self.domain}" if self.domain else "")


class Broadcasts(Enum):
    """Which way a mobile node gets the broadcasts of its home link (HL4, P68)."""

    NONE = "none"
    DIRECT = "direct"
    """As they are, into its tunnel: the requester decapsulates (D = 1)."""
    WRAPPED = "wrapped"
    """Inside a packet to its home address, which goes into the tunnel (D = 0)."""


@attrs.frozen(slots=True, kw_only=True)
class AccessEntry:
    """A mobile node at a MAG.

    Downstream: packets to ``home_address`` out of ``tunnel`` go to the node's MAC on its port (P44).
    Upstream, when ``upstream`` is true: its packets go into ``tunnel`` if their source is ``home_address``
    (P40, P48). A provisional entry has ``upstream`` false: its frames are handed up (P77, P78).
    ``broadcasts``: its broadcasts go into the tunnel, and those out of it to the node (P68); ``prefix`` is its home
    link then. ``shows_dhcp``: what it says to a DHCP server beyond the tunnel, and is answered, is carried like any
    other packet and shown to the agent (P65); without it the agent is the server, and gets it alone.
    ``filters``: what passes must pass each of them, either way (AA25).
    """

    port: str
    mac: Mac
    home_address: Ipv4
    tunnel: Tunnel
    upstream: bool = True
    broadcasts: bool = False
    prefix: Prefix | None = None
    shows_dhcp: bool = False
    filters: PacketFilters = ()

    @property
    def key(self) -> AccessKey:
        return AccessKey(self.port, self.mac)


class AnchorEntry(Struct, frozen=True, kw_only=True, gc=False):
    """A mobile node at an LMA: packets to ``home_address`` go into ``tunnel``, and come from there only (T6).

    ``domain``: the address space of ``home_address`` (P85). ``copies``: further tunnels that get every packet and
    may bring any (simultaneous bindings, L3). ``broadcasts`` of the home link ``prefix`` go to the node and from it to
    the others there (P68). ``awaited``: nobody knows the port of its tunnel's other end, whatever ``tunnel`` says,
    until the first keepalive comes from there; nothing goes in before (N24). ``filters``: as at a MAG; broadcasts that
    a tunnel brings to several nodes at once do not pass them here.
    """

    home_address: Ipv4
    tunnel: Tunnel
    domain: str = ""
    copies: tuple[Tunnel, ...] = ()
    broadcasts: Broadcasts = Broadcasts.NONE
    prefix: Prefix | None = None
    awaited: bool = False
    filters: PacketFilters = ()

    @property
    def key(self) -> AnchorKey:
        return AnchorKey(self.home_address, self.domain)


class AlikeEntries(Struct, frozen=True, gc=False):
    """Anchor entries of very many nodes: one for each of ``home_addresses``, with nothing but the rest beside."""

    tunnel: Tunnel
    domain: str
    home_addresses: Sequence[Ipv4]

    def of(self, home_address: Ipv4) -> AnchorEntry:
        """That of one of them."""
        return AnchorEntry(home_address=home_address, tunnel=self.tunnel, domain=self.domain)


Entry = AccessEntry | AnchorEntry
EntryKey = AccessKey | AnchorKey


@attrs.frozen(slots=True, kw_only=True)
class Counters:
    """What one mobile node moved, as inner IP packets; up is from the node.

    ``last_heard``: when the node was, ``last_sent``: when a MAG put something of it into its tunnel; monotonic, 0 =
    never. ``local``: what went past its tunnel by local breakout (N58), which the rest does not count; None: it has
    none. ``filtered``: packets, either way, that a filter has stopped (AA25).
    """

    packets_up: int = 0
    octets_up: int = 0
    packets_down: int = 0
    octets_down: int = 0
    last_heard: float = 0.0
    last_sent: float = 0.0
    local: "Counters | None" = None
    filtered: int = 0

    @property
    def packets(self) -> int:
        """All that it moved, either way, through its tunnel and past it."""
        return self.packets_up + self.packets_down + (0 if self.local is None else self.local.packets)


@attrs.frozen(slots=True, kw_only=True)
class Activity:
    """What went through the tunnels of one path, whatever their keys: when last, monotonic, 0 = never.

    ``waiting``: of the nodes at this MAG that have sent and got nothing through it since, who has waited longest;
    ``waiting_since``: when it sent the first of that.
    """

    sent: float = 0.0
    heard: float = 0.0
    waiting: AccessKey | None = None
    waiting_since: float = 0.0
