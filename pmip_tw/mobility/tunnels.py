"""What the packet plane must carry out: tunnels, and one entry per mobile node at either end."""

from enum import IntEnum
from typing import NamedTuple

import attrs

from pmip_tw.addresses import Ipv4, Mac, ipv4_text, mac_text

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


@attrs.frozen(slots=True, kw_only=True)
class Tunnel:
    """One end's view of a tunnel. Equal tunnels are the same tunnel: it may carry many mobile nodes (P42).

    ``remote_port`` is 0 for a tunnel directly over IP; otherwise the encapsulated packet travels in UDP from
    our port 434 to (``remote``, ``remote_port``) behind RFC 3519's 4-octet header.
    """

    local: Ipv4
    remote: Ipv4
    encapsulation: Encapsulation = Encapsulation.IP_IN_IP
    remote_port: int = 0

    @property
    def over_udp(self) -> bool:
        return self.remote_port != 0

    def __str__(self) -> str:
        port = f":{self.remote_port} udp" if self.over_udp else ""
        return f"{self.encapsulation.label} {ipv4_text(self.local)} -> {ipv4_text(self.remote)}{port}"


class AccessKey(NamedTuple):
    """Names a mobile node's entry at a MAG: the layer 2 identity, never the IP address (P43)."""

    port: str
    mac: Mac

    def __str__(self) -> str:
        return f"{mac_text(self.mac)} on {self.port}"


class AnchorKey(NamedTuple):
    """Names a mobile node's entry at an LMA."""

    home_address: Ipv4

    def __str__(self) -> str:
        return ipv4_text(self.home_address)


@attrs.frozen(slots=True, kw_only=True)
class AccessEntry:
    """A mobile node at a MAG.

    Downstream: packets to ``home_address`` out of ``tunnel`` go to the node's MAC on its port (P44).
    Upstream, when ``upstream`` is true: its packets go into ``tunnel`` if their source is ``home_address``
    (P40, P48). A provisional entry has ``upstream`` false: its frames are handed up (P77, P78).
    """

    port: str
    mac: Mac
    home_address: Ipv4
    tunnel: Tunnel
    upstream: bool = True

    @property
    def key(self) -> AccessKey:
        return AccessKey(self.port, self.mac)


@attrs.frozen(slots=True, kw_only=True)
class AnchorEntry:
    """A mobile node at an LMA: packets to ``home_address`` go into ``tunnel``, and from there only (T6)."""

    home_address: Ipv4
    tunnel: Tunnel

    @property
    def key(self) -> AnchorKey:
        return AnchorKey(self.home_address)


Entry = AccessEntry | AnchorEntry
EntryKey = AccessKey | AnchorKey


@attrs.frozen(slots=True, kw_only=True)
class Counters:
    """What one mobile node moved, as inner IP packets; up is from the node. ``last_heard``: monotonic, 0 = never."""

    packets_up: int = 0
    octets_up: int = 0
    packets_down: int = 0
    octets_down: int = 0
    last_heard: float = 0.0
