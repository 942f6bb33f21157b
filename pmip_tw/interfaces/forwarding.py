"""The packet plane."""

from collections.abc import Sequence

from zope.interface import Attribute, Interface

from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.tunnels import AccessKey, Activity, AlikeEntries, Counters, Entry, EntryKey, Tunnel


class IPacketReceiver(Interface):
    """Whoever takes what the packet plane cannot decide by itself."""

    def frame_received(port: str, frame: bytes) -> None:
        """An Ethernet frame of an access port that no installed entry carries: an unknown node's, DHCP, ARP, TTL 1."""

    def keepalive_answered(key: AccessKey) -> None:
        """The far end of the tunnel of ``key`` has answered the last ``keepalive`` (N37)."""

    def dhcp_shown(key: AccessKey, packet: bytes) -> None:
        """A copy of a DHCP packet that was carried to or from the node of ``key``, whose entry has ``shows_dhcp``."""

    def breakout_refused(key: AccessKey, cause: str) -> None:
        """The node of ``key`` has no local breakout (N58), unlike others here; its tunnel carries everything."""

    def dhcp_tunneled(tunnel: Tunnel, packet: bytes) -> None:
        """A whole IPv4 packet with DHCP that came out of ``tunnel``, where ``open_dhcp`` has been asked for."""


class IForwardingPlane(Interface):
    """The packet plane: it holds exactly the entries that were installed and were not removed."""

    name = Attribute("str: the provider's name, 'memory' or 'tun'")

    def start(receiver: "IPacketReceiver | None") -> None:
        """Open devices and begin. ForwardingError says which and why; nothing is left half open then."""

    def stop() -> None:
        """Close every device, undo every change to the machine but its kernel settings. Idempotent.

        Others may have come to rely on forwarding.
        """

    def install(entry: Entry) -> None:
        """Hold ``entry``; an entry of the same key is replaced in one step and keeps its counters.

        ForwardingError: the plane cannot carry it; what was there before still is.
        """

    def install_alike(entries: AlikeEntries) -> Sequence[Ipv4]:
        """Hold all of them, of as many as can be done at once, in place of what there was: a restart has a million.

        The home addresses of the others come back: ``install`` takes their entries, or says why not.
        """

    def remove(key: EntryKey) -> Counters:
        """Forget the entry and give its final counters (all zero if there was none)."""

    def snapshot() -> tuple[Entry, ...]:
        """Every entry held."""

    def counters(key: EntryKey) -> Counters:
        """What the entry's node moved so far (all zero if there is no such entry)."""

    def drops() -> dict[str, int]:
        """Packets dropped since start, by reason."""

    def transmit(port: str, frame: bytes) -> None:
        """Send an Ethernet frame out of an access port, to the mobile node."""

    def forward(port: str, frame: bytes) -> None:
        """Treat ``frame`` as if it had just arrived on ``port`` (frames held during a registration, P78)."""

    def activity(tunnel: Tunnel) -> Activity:
        """When something went through the path of ``tunnel`` last, either way, and who waits for an answer (N38, N59).

        All zero if no entry needs it.
        """

    def keepalive(key: AccessKey) -> None:
        """Send an ICMP echo from the home address of ``key`` through its tunnel to the far end (N37, P81).

        The answer goes to ``keepalive_answered``, not to the node. Nothing happens if there is no such entry.
        """

    def open_dhcp(tunnel: Tunnel) -> None:
        """Hand up, from now on, DHCP that comes out of ``tunnel`` for nodes which have no entry (N52).

        That is unfragmented UDP, at an anchor from port 68 to 67, of what entries' home addresses send only what is
        for all servers; at a MAG from 67 to 68, and not to an address that is registered through this tunnel; it goes
        to ``dhcp_tunneled``. Whatever else there is for no entry is dropped as before. ForwardingError: there is no way
        into such a tunnel.
        """

    def close_dhcp(tunnel: Tunnel) -> None:
        """No more; entries that have this tunnel go on as they are. Idempotent."""

    def send_dhcp(tunnel: Tunnel, packet: bytes) -> None:
        """Send a whole IPv4 packet through ``tunnel``; it is lost, and counted, if DHCP is not open there."""

    def use_address(local: Ipv4) -> None:
        """From now on ``local`` is this MAG's own address (P82): entries may have it as their tunnel's local end.

        Entries that are held stay as they are until they are replaced. ForwardingError: it is no address of this
        machine, or the plane is an anchor's; nothing has changed then.
        """
