"""What a machine asks its agent to do. Each effect names its object completely and may be repeated."""

from typing import Any

from msgspec import Struct

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.mobility.observations import Alike, Observation
from pmip_tw.mobility.tunnels import Entry, EntryKey, Tunnel


class Send(Struct, frozen=True, gc=False):
    """Send ``datagram`` from our UDP port 434 at ``source`` to ``destination``."""

    datagram: bytes
    destination: Endpoint
    source: Ipv4

    def __repr__(self) -> str:
        return f"Send({len(self.datagram)} octets to {self.destination} from {ipv4_text(self.source)})"


class Install(Struct, frozen=True, gc=False):
    """Make the packet plane hold ``entry``, replacing what has its key in one step."""

    entry: Entry


class Remove(Struct, frozen=True, gc=False):
    """Take the entry of ``key`` out of the packet plane; nothing happens if there is none."""

    key: EntryKey


class OpenDhcp(Struct, frozen=True, gc=False):
    """Let the packet plane hand up DHCP that comes out of ``tunnel`` (N52)."""

    tunnel: Tunnel


class CloseDhcp(Struct, frozen=True, gc=False):
    """No more of it; nothing happens if it is not open."""

    tunnel: Tunnel


class SendThrough(Struct, frozen=True, gc=False):
    """Send a whole IPv4 ``packet`` with DHCP through ``tunnel``, where it is open."""

    tunnel: Tunnel
    packet: bytes

    def __repr__(self) -> str:
        return f"SendThrough({len(self.packet)} octets, {self.tunnel})"


class Observe(Struct, frozen=True, gc=False):
    """Tell the observers."""

    observation: Observation


class ObserveAlike(Struct, frozen=True, gc=False):
    """Tell the observers of what comes by thousands in a second."""

    observations: Alike[Any]
